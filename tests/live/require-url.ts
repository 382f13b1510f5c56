/** Stops the run before its first suite if it has no account: one message instead of one for each suite. */
import { liveUrl } from "./live-url.ts";

export function setup(): void {
  try {
    liveUrl();
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    process.exit(1);
  }
}
