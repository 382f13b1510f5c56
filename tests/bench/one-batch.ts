/** One batch in a process of its own, as `novadrive run` would run it; prints its seconds and the process's peak memory. */
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
const peakMemoryMb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ seconds: result.seconds, peakMemoryMb, table: result.tables[0] })}\n`);
