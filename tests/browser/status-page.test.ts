import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { NovaError } from "../../runtime/core/errors.ts";
import { browserPath, launchBrowser } from "../support/browser.ts";
import {
  generator,
  sampleBatch,
  sampleHistory,
  sampleVerification,
  type SampleOutcome,
} from "../support/sample-history.ts";
import { focusedTag, focusedText, lowContrast, scrollToY, sidewaysOverflow } from "./in-page.js";
import { openStatusPage, type StatusPage, type StatusPageOptions } from "../support/status-page.ts";

const found = browserPath();
if (found === undefined) {
  console.warn("SKIPPED: tests/browser needs Chromium. Install it (apt-get install chromium) or set CHROMIUM_PATH.");
}

describe.skipIf(found === undefined)("the status page in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  interface OpenOptions extends StatusPageOptions {
    readonly path?: string;
    readonly batches?: number;
    readonly running?: boolean;
    readonly metered?: boolean;
    readonly context?: BrowserContextOptions;
  }

  interface Opened extends AsyncDisposable {
    readonly page: StatusPage;
    readonly tab: Page;
    /** What the console and the security policy complained of. */
    readonly complaints: string[];
    readonly fill: (batchId: number, outcome: SampleOutcome) => void;
  }

  async function open(opening: OpenOptions): Promise<Opened> {
    const { path = "/", batches = 0, running = false, metered, context, ...options } = opening;
    const page = await openStatusPage(options);
    for (const event of sampleHistory({ batches, until: new Date(), running, metered })) page.events.emit(event);
    const url = await page.listen();
    const own = await browser.newContext({ reducedMotion: "reduce", ...context });
    const tab = await own.newPage();
    const complaints: string[] = [];
    tab.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    tab.on("pageerror", (error) => complaints.push(error.message));
    const streaming = tab.waitForResponse((response) => response.url().endsWith("/events"));
    await tab.goto(url + path);
    await streaming;
    return {
      page,
      tab,
      complaints,
      fill(batchId, outcome) {
        const random = generator(batchId);
        for (const event of sampleBatch({
          batchId,
          startedAt: new Date(),
          outcome,
          trigger: "manual",
          random,
          first: false,
        })) {
          page.events.emit(event);
        }
      },
      async [Symbol.asyncDispose]() {
        await own.close();
        await page[Symbol.asyncDispose]();
      },
    };
  }

  test.each(["/", "/batches/11", "/batches/12"])("%s loads without a complaint of console or policy", async (path) => {
    await using opened = await open({ path, batches: 12, running: true });
    const { tab, complaints } = opened;
    expect(await tab.locator("h1").first().textContent()).not.toBe("");
    expect(await tab.locator(".brand").evaluate((element) => element.ownerDocument.styleSheets.length)).toBe(4);
    expect(complaints).toEqual([]);
  });

  test("a new batch appears without a reload, and without moving what the reader looks at", async () => {
    await using opened = await open({
      batches: 40,
      path: "/?open=passing",
      context: { viewport: { width: 1440, height: 600 } },
    });
    const { tab, fill, complaints } = opened;
    const details = tab.locator("#passing");
    await details.locator("summary").focus();
    await tab.evaluate(scrollToY, 500);
    const before = await details.boundingBox();
    fill(41, "success");
    await tab.locator("#batch-41").waitFor();
    expect(await tab.locator("#bar-41").count()).toBe(1);
    expect(await details.getAttribute("open")).not.toBeNull();
    expect(await tab.evaluate(focusedTag)).toBe("SUMMARY");
    const later = await details.boundingBox();
    expect(later?.y).toBeCloseTo(before?.y ?? 0, 0);
    expect(complaints).toEqual([]);
  });

  test("a first batch replaces the empty page", async () => {
    await using opened = await open({});
    const { tab, fill } = opened;
    await tab.getByText("No batch has run yet").waitFor();
    fill(1, "success");
    await tab.locator("#table-vendas").waitFor();
    expect(await tab.getByText("No batch has run yet").count()).toBe(0);
  });

  test("rows and bytes of a running batch move on", async () => {
    await using opened = await open({ batches: 2, running: true });
    const { tab, page } = opened;
    const cell = tab.locator("#table-vendas .activity");
    expect(await cell.textContent()).toContain("27,280 rows");
    const task = { kind: "extract", subject: "vendas" } as const;
    page.events.emit({
      type: "task_progress",
      batchId: 2,
      at: new Date(),
      task,
      progress: { rows: 51_000, bytes: 5_300_000 },
    });
    await cell.getByText("51,000 rows, 5.3 MB").waitFor();
  });

  test("run now starts a batch; while it runs the button rests", async () => {
    const started: number[] = [];
    await using opened = await open({
      batches: 3,
      controls: {
        runNow: async () => {
          started.push(4);
          opened.fill(4, "running");
          return { batchId: 4 };
        },
      },
    });
    const { tab, complaints } = opened;
    await tab.getByRole("button", { name: "Run now" }).click();
    await tab.getByText("Batch 4 has started.").waitFor();
    await tab.getByText("batch 4 runs").waitFor();
    expect(await tab.getByRole("button", { name: "Run now" }).isDisabled()).toBe(true);
    expect(started).toEqual([4]);
    expect(complaints).toEqual([]);
  });

  test("a refused run now says why, and what to do", async () => {
    await using opened = await open({
      controls: {
        runNow: async () => {
          throw new NovaError("BATCH_RUNNING", "Batch 7 is running", { remedy: "Wait for it." });
        },
      },
    });
    await opened.tab.getByRole("button", { name: "Run now" }).click();
    await opened.tab.getByText("Batch 7 is running. Wait for it.").waitFor();
  });

  test("the keyboard reaches everything, in the order of reading", async () => {
    await using opened = await open({ batches: 6 });
    const { tab } = opened;
    const focused = () => tab.evaluate(focusedText);
    const order: string[] = [];
    for (let presses = 0; presses < 10; presses++) {
      await tab.keyboard.press("Tab");
      order.push(await focused());
    }
    expect(order[0]).toBe("Skip to the content");
    expect(order[1]).toBe("NovaDrive");
    expect(order[2]).toBe("Run now");
    expect(order[3]).toContain("6 success");
    expect(order.slice(4, 10).map((text) => text.match(/^Batch \d+/)?.[0])).toEqual(
      [1, 2, 3, 4, 5, 6].map((id) => `Batch ${id}`),
    );
    const tip = tab.locator("#bar-6 .tip");
    expect(await tip.isVisible()).toBe(true);
    await tab.keyboard.press("Escape");
    expect(await tip.isVisible()).toBe(false);
    await tab.keyboard.press("Enter");
    await tab.waitForURL("**/batches/6");
  });

  test("a tool tip stays through an update, and while the pointer is on it", async () => {
    await using opened = await open({ batches: 8 });
    const { tab, fill } = opened;
    const tip = tab.locator("#bar-5 .tip");
    await tab.locator("#bar-5 a").hover();
    await tip.waitFor();
    fill(9, "success");
    await tab.locator("#bar-9").waitFor({ state: "attached" });
    // The bar has moved by one place; the pointer follows it onto the tip.
    await tab.locator("#bar-5 a").hover();
    await tip.hover();
    expect(await tip.isVisible()).toBe(true);
  });

  test("what is opened and filtered stands in the address, and survives a reload", async () => {
    await using opened = await open({ batches: 2, path: "/batches/2" });
    const { tab } = opened;
    await tab.locator("#passing summary").click();
    await tab.waitForURL("**open=passing*");
    await tab.locator("#log-task").selectOption("vendas");
    await tab.waitForURL("**task=vendas*");
    await expect.poll(() => tab.locator(".line").count()).toBe(1);
    await tab.reload();
    expect(await tab.locator("#passing").getAttribute("open")).not.toBeNull();
    expect(await tab.locator("#log-task").inputValue()).toBe("vendas");
    expect(await tab.locator(".line").count()).toBe(1);
  });

  test("the log follows its end, unless the reader has gone up", async () => {
    await using opened = await open({ path: "/batches/1", batches: 1, running: true });
    const { tab, page } = opened;
    const say = (from: number, to: number) => {
      for (let line = from; line < to; line++) {
        page.events.emit({ type: "log", batchId: 1, at: new Date(), level: "info", message: `line ${line}` });
      }
    };
    const distance = () => tab.locator("#log").evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
    say(0, 80);
    await tab.getByText("line 79").waitFor();
    await expect.poll(distance).toBeLessThan(2);
    await tab.locator("#log").evaluate((log) => (log.scrollTop = 0));
    say(80, 100);
    await tab.getByText("line 99").waitFor({ state: "attached" });
    expect(await tab.locator("#log").evaluate((log) => log.scrollTop)).toBe(0);
  });

  test("a lost connection is told, and made good by itself", async () => {
    await using opened = await open({ batches: 2 });
    const { tab, page } = opened;
    const { port } = new URL(tab.url());
    await page.server.close();
    await tab.getByText("Connection lost").waitFor();
    await using again = await openStatusPage();
    for (const event of sampleHistory({ batches: 3, until: new Date(), running: false })) again.events.emit(event);
    await again.server.listen({ host: "127.0.0.1", port: Number(port) });
    await tab.locator("#batch-3").waitFor();
    expect(await tab.getByText("Connection lost").isVisible()).toBe(false);
  });

  test.each([
    [390, false],
    [390, true],
    [768, true],
    [1440, true],
  ])("nothing sticks out to the side at %d pixels (with costs: %s)", async (width, metered) => {
    const context = { viewport: { width, height: 844 } };
    await using opened = await open({ batches: 14, running: true, metered, context });
    const { page, tab } = opened;
    page.store.recordVerification(sampleVerification(new Date()));
    const { origin } = new URL(tab.url());
    for (const path of ["/", "/batches/14", "/batches/13", "/batches/1", "/?before=5", "/nothing"]) {
      await tab.goto(origin + path);
      const { scrolls, offender } = await tab.evaluate(sidewaysOverflow);
      expect({ path, scrolls, offender }).toEqual({ path, scrolls: false, offender: undefined });
    }
  });

  test.each(["light", "dark"] as const)("text stands out from its ground in the %s scheme", async (colorScheme) => {
    await using opened = await open({ batches: 12, running: true, metered: true, context: { colorScheme } });
    const { tab } = opened;
    const { origin } = new URL(tab.url());
    for (const path of ["/", "/batches/10", "/batches/11", "/batches/12"]) {
      await tab.goto(origin + path);
      expect(await tab.evaluate(lowContrast), path).toEqual([]);
    }
  });
});
