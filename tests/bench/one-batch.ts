/** One batch in a process of its own, as `novadrive run` would run it; prints its seconds, what it used and the process's peak memory. */
import { loadConfig } from "../../runtime/config/config.ts";
import { EventBus } from "../../runtime/core/events.ts";
import { runBatch } from "../../runtime/schedule/run-batch.ts";
import { Store } from "../../runtime/store/store.ts";

const config = loadConfig({ environment: process.env });
using store = Store.open({ folder: config.stateDir });
const events = new EventBus();
events.subscribe((event) => store.record(event));
const result = await runBatch({ config, store, events, trigger: "command", signal: new AbortController().signal });
if (result.status !== "success") throw new Error(JSON.stringify(result.error ?? result));
const report = {
  seconds: result.seconds,
  peak_memory_mb: process.resourceUsage().maxRSS / 1024,
  table: result.tables[0],
  usage: result.usage,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
