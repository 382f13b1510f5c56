/**
 * One batch in a process of its own, as `novadrive run` would run it; prints its seconds (the warehouse's opening and closing included), what
 * was done and used, and the process's peak memory.
 */
import { loadConfig } from "../../runtime/config/config.ts";
import { EventBus } from "../../runtime/core/events.ts";
import { runBatch } from "../../runtime/schedule/run-batch.ts";
import { Store } from "../../runtime/store/store.ts";

const config = loadConfig({ environment: process.env });
using store = Store.open({ folder: config.stateDir });
const events = new EventBus();
events.subscribe((event) => store.record(event));
/** Tables that were looked at, by a digest or by reading. */
const looked = new Set<string>();
events.subscribe((event) => {
  if (event.type !== "task_started") return;
  if (event.task.kind === "digest" || event.task.kind === "extract") looked.add(event.task.subject);
});
const startedAt = performance.now();
const result = await runBatch({ config, store, events, trigger: "command", signal: new AbortController().signal });
const seconds = (performance.now() - startedAt) / 1000;
if (result.status !== "success") throw new Error(JSON.stringify(result.error ?? result));
const sum = (what: "inserted" | "updated" | "deleted") =>
  result.tables.reduce((total, table) => total + table[what], 0);
const report = {
  seconds,
  process_seconds: performance.now() / 1000,
  peak_memory_mb: process.resourceUsage().maxRSS / 1024,
  tables: result.tables.length,
  looked_at: looked.size,
  rows: { inserted: sum("inserted"), updated: sum("updated"), deleted: sum("deleted") },
  usage: result.usage,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
