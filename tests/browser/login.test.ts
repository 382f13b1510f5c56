import { createServer } from "node:http";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { PasswordHash } from "../../runtime/config/password-hash.ts";
import { LONGEST_MS } from "../../runtime/web/auth/sessions.ts";
import { browserPath, launchBrowser } from "../support/browser.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { PASSWORD, testPasswordHash, testTls } from "../support/login.ts";
import { sampleHistory } from "../support/sample-history.ts";
import { openStatusPage, type StatusPage, type StatusPageOptions } from "../support/status-page.ts";
import { focusedId, lowContrast, sidewaysOverflow } from "./in-page.js";

const found = browserPath();
if (found === undefined) {
  console.warn("SKIPPED: tests/browser needs Chromium. Install it (apt-get install chromium) or set CHROMIUM_PATH.");
}

describe.skipIf(found === undefined)("the login in a browser", () => {
  let browser: Browser;
  let passwordHash: PasswordHash;
  beforeAll(async () => {
    browser = await launchBrowser();
    passwordHash = await testPasswordHash();
  });
  afterAll(() => browser?.close());

  interface Opened extends AsyncDisposable {
    readonly page: StatusPage;
    readonly url: string;
    readonly tab: Page;
    /** What the console and the security policy complained of. */
    readonly complaints: string[];
  }

  async function open(options: StatusPageOptions = {}, context: BrowserContextOptions = {}): Promise<Opened> {
    const page = await openStatusPage({ passwordHash, ...options });
    for (const event of sampleHistory({ batches: 12, until: new Date(), running: false })) page.events.emit(event);
    const url = await page.listen();
    const own = await browser.newContext({ reducedMotion: "reduce", ignoreHTTPSErrors: true, ...context });
    const tab = await own.newPage();
    const complaints: string[] = [];
    tab.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    tab.on("pageerror", (error) => complaints.push(error.message));
    return {
      page,
      url,
      tab,
      complaints,
      async [Symbol.asyncDispose]() {
        await own.close();
        await page[Symbol.asyncDispose]();
      },
    };
  }

  /** As a person does, with the keyboard alone. */
  async function logIn(tab: Page, password = PASSWORD): Promise<void> {
    await tab.locator("#password:focus").waitFor();
    await tab.keyboard.type(password);
    await tab.keyboard.press("Enter");
  }

  test.each([
    ["https", { tls: true }],
    ["http on this machine", { tls: false }],
  ])("leads to the page that was asked for, and out again, over %s", async (_protocol, { tls }) => {
    await using opened = await open({ tls: tls ? testTls() : undefined });
    const { tab, url, complaints } = opened;
    await tab.goto(`${url}/batches/7`);
    expect(new URL(tab.url()).pathname).toBe("/login");
    expect(await tab.evaluate(focusedId)).toBe("password");
    await logIn(tab);
    await tab.waitForURL(`${url}/batches/7`);
    await tab.getByRole("heading", { level: 1, name: /batch 7/i }).waitFor();
    expect(complaints).toEqual([]);
    await tab.getByRole("button", { name: "Log out" }).click();
    await tab.waitForURL(`${url}/login`);
    await tab.goto(`${url}/batches/7`);
    expect(new URL(tab.url()).pathname).toBe("/login");
  });

  test("says that the password was wrong, where it is read out, and lets it be typed again", async () => {
    await using opened = await open();
    const { tab, url } = opened;
    await tab.goto(url);
    await logIn(tab, "a wrong password");
    await tab.getByRole("alert").waitFor();
    expect(await tab.getByRole("alert").textContent()).toBe("That is not the password.");
    expect(await tab.getByLabel("Password").getAttribute("aria-describedby")).toBe("problem");
    expect(await tab.evaluate(focusedId)).toBe("password");
    expect(await tab.getByLabel("Password").inputValue()).toBe("");
    await logIn(tab);
    await tab.locator("#table-vendas").waitFor();
  });

  test("comes back by itself where an open page's session ends, and leads back to it", async () => {
    const clock = new FakeClock();
    await using opened = await open({ clock });
    const { tab, url } = opened;
    await tab.goto(`${url}/batches/7?task=vendas`);
    await logIn(tab);
    const streaming = tab.waitForResponse((response) => response.url().endsWith("/events"));
    await tab.waitForURL(`${url}/batches/7?task=vendas`);
    await streaming;
    await clock.advance(LONGEST_MS);
    await tab.waitForURL(`${url}/login?next=%2Fbatches%2F7%3Ftask%3Dvendas`);
    await logIn(tab);
    await tab.waitForURL(`${url}/batches/7?task=vendas`);
  });

  test("is not asked for again when a link on another site is followed", async () => {
    await using opened = await open();
    const { tab, url } = opened;
    await tab.goto(url);
    await logIn(tab);
    await tab.locator("#table-vendas").waitFor();
    // Another host name is another site; another port would not be.
    const other = createServer((_request, response) => response.end(`<a href="${url}/batches/7">batch</a>`)).listen(
      0,
      "127.0.0.1",
    );
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await tab.goto(`http://localhost:${port}/`);
    await tab.getByRole("link").click();
    await tab.waitForURL(`${url}/batches/7`);
    other.close();
  });

  test("is asked for once where a link is followed by somebody who is not logged in", async () => {
    await using opened = await open();
    const { tab, url } = opened;
    const asked: string[] = [];
    tab.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await tab.setContent(`<a href="${url}/batches/7">batch</a>`);
    await tab.getByRole("link").click();
    await tab.waitForURL(`${url}/login?next=%2Fbatches%2F7`);
    await tab.waitForLoadState("networkidle");
    expect(asked.filter((path) => path === "/login").length).toBeLessThan(3);
    await logIn(tab);
    await tab.waitForURL(`${url}/batches/7`);
  });

  test.each(["light", "dark"] as const)("can be read and used in %s, on a wide and a narrow screen", async (scheme) => {
    for (const width of [1440, 390]) {
      await using opened = await open({}, { colorScheme: scheme, viewport: { width, height: 800 } });
      const { tab, url } = opened;
      await tab.goto(url);
      await logIn(tab, "a wrong password");
      await tab.getByRole("alert").waitFor();
      expect(await tab.evaluate(lowContrast)).toEqual([]);
      expect(await tab.evaluate(sidewaysOverflow)).toEqual({ scrolls: false });
      const box = await tab.getByLabel("Password").boundingBox();
      expect(box?.height).toBeGreaterThan(40);
      await logIn(tab);
      await tab.locator("#table-vendas").waitFor();
      expect(await tab.evaluate(sidewaysOverflow)).toEqual({ scrolls: false });
      expect(await tab.evaluate(lowContrast)).toEqual([]);
      const header = await tab.locator(".top-row").boundingBox();
      expect(header?.height).toBeLessThan(width < 500 ? 130 : 70);
    }
  });
});
