/**
 * Pictures of the status page, light and dark, wide and narrow: `node tests/support/screenshots.ts <folder>`.
 * The history is made up, and the same each time. `readme-1440-light.png` is docs/status-page.png.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { launchBrowser } from "./browser.ts";
import { PASSWORD, testPasswordHash } from "./login.ts";
import { sampleHistory, sampleVerification } from "./sample-history.ts";
import { openStatusPage } from "./status-page.ts";

const NEWEST = 74;

const SHOTS: readonly {
  readonly name: string;
  readonly path: string;
  readonly running: boolean;
  /** Only what a window shows. */
  readonly window?: boolean;
  readonly act?: (page: Page) => Promise<void>;
}[] = [
  { name: "overview", path: "/", running: true },
  { name: "readme", path: "/", running: true, window: true },
  { name: "overview-idle", path: "/", running: false },
  { name: "batch-failed", path: `/batches/${NEWEST - 1}`, running: true },
  { name: "batch-retried", path: `/batches/${NEWEST - 33}`, running: true },
  { name: "batch-running", path: `/batches/${NEWEST}`, running: true },
  { name: "tip", path: "/", running: true, act: (page) => page.locator(`#bar-${NEWEST - 22} a`).hover() },
];

const folder = process.argv[2] ?? "screens";
mkdirSync(folder, { recursive: true });
const browser = await launchBrowser();
try {
  for (const running of [true, false]) {
    const now = Date.now();
    await using page = await openStatusPage({
      controls: { nextTick: () => new Date(now + 42_000), running: () => (running ? NEWEST : undefined) },
    });
    for (const event of sampleHistory({ batches: NEWEST, until: new Date(now - 4_000), running }))
      page.events.emit(event);
    page.store.recordVerification(sampleVerification(new Date(now - 3 * 3_600_000)));
    const url = await page.listen();
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [1440, 390]) {
        const context = await browser.newContext({
          colorScheme,
          viewport: { width, height: 1_040 },
          deviceScaleFactor: width < 500 ? 2 : 1,
        });
        const tab = await context.newPage();
        for (const shot of SHOTS.filter((candidate) => candidate.running === running)) {
          await tab.goto(url + shot.path);
          await shot.act?.(tab);
          await tab.screenshot({
            path: join(folder, `${shot.name}-${width}-${colorScheme}.png`),
            fullPage: !shot.window,
          });
        }
        await context.close();
      }
    }
  }
  await using metered = await openStatusPage({
    info: { warehouse: "snowflake://acme-analytics/NOVADRIVE" },
    controls: { nextTick: () => new Date(Date.now() + 42_000) },
  });
  for (const event of sampleHistory({
    batches: NEWEST,
    until: new Date(Date.now() - 4_000),
    running: false,
    metered: true,
  }))
    metered.events.emit(event);
  const meteredUrl = await metered.listen();
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1440, 390]) {
      const context = await browser.newContext({
        colorScheme,
        viewport: { width, height: 1_040 },
        deviceScaleFactor: width < 500 ? 2 : 1,
      });
      const tab = await context.newPage();
      for (const [name, path] of [
        ["metered", "/"],
        ["metered-batch", `/batches/${NEWEST}`],
        ["metered-nothing-new", `/batches/${NEWEST - 2}`],
      ] as const) {
        await tab.goto(meteredUrl + path);
        if (name === "metered") await tab.locator(`#credits-${NEWEST - 5} a`).hover();
        await tab.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
      await context.close();
    }
  }
  await using closed = await openStatusPage({ passwordHash: await testPasswordHash() });
  for (const event of sampleHistory({ batches: NEWEST, until: new Date(Date.now() - 4_000), running: false }))
    closed.events.emit(event);
  const closedUrl = await closed.listen();
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1440, 390]) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 700 } });
      const tab = await context.newPage();
      await tab.goto(closedUrl);
      await tab.screenshot({ path: join(folder, `login-${width}-${colorScheme}.png`) });
      // Five tries a minute are all there are.
      if (width === 390) {
        await tab.getByLabel("Password").fill("a wrong password");
        await tab.keyboard.press("Enter");
        await tab.getByRole("alert").waitFor();
        await tab.screenshot({ path: join(folder, `login-wrong-${width}-${colorScheme}.png`) });
      } else if (colorScheme === "light") {
        await tab.getByLabel("Password").fill(PASSWORD);
        await tab.keyboard.press("Enter");
        await tab.getByRole("button", { name: "Log out" }).waitFor();
        for (const narrow of [1440, 390]) {
          await tab.setViewportSize({ width: narrow, height: 700 });
          await tab.screenshot({ path: join(folder, `logged-in-${narrow}-${colorScheme}.png`) });
        }
      }
      await context.close();
    }
  }
  await using empty = await openStatusPage({ controls: { nextTick: () => new Date(Date.now() + 42_000) } });
  const url = await empty.listen();
  for (const [width, colorScheme] of [
    [1440, "light"],
    [390, "dark"],
  ] as const) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 700 } });
    const tab = await context.newPage();
    await tab.goto(url);
    await tab.screenshot({ path: join(folder, `empty-${width}-${colorScheme}.png`) });
    await context.close();
  }
} finally {
  await browser.close();
}
