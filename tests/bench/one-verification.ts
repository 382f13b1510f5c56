/** One verification in a process of its own, as `novadrive verify` would run it; prints its seconds, whether all is equal, and its peak memory. */
import { loadConfig } from "../../runtime/config/config.ts";
import { EventBus } from "../../runtime/core/events.ts";
import { runVerification } from "../../runtime/schedule/run-verification.ts";
import { Store } from "../../runtime/store/store.ts";

const config = loadConfig({ environment: process.env });
using store = Store.open({ folder: config.stateDir });
const { signal } = new AbortController();
const startedAt = performance.now();
const { equal } = await runVerification({ config, store, events: new EventBus(), signal });
const report = {
  equal,
  seconds: (performance.now() - startedAt) / 1000,
  process_seconds: performance.now() / 1000,
  peak_memory_mb: process.resourceUsage().maxRSS / 1024,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
