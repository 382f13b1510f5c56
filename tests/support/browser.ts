/** A real browser for tests: the Chromium that the machine has. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Path of the browser, or undefined where there is none. */
export function browserPath(): string | undefined {
  const candidates = [
    process.env["CHROMIUM_PATH"],
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ];
  return candidates.find((path) => path !== undefined && path !== "" && existsSync(path));
}

/** @throws Error that says how to get one, where the machine has none */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = browserPath();
  if (executablePath === undefined) {
    throw new Error(
      "There is no Chromium: install it (apt-get install chromium) or set CHROMIUM_PATH to its executable",
    );
  }
  return await chromium.launch({ executablePath, headless: true, args: FLAGS });
}
