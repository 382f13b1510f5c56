/** Records one whole batch and half of another, says so, and waits to be killed. Times are those that store.test.ts expects. */
import { setInterval } from "node:timers";
import { Store } from "../../../runtime/store/store.ts";

const folder = process.argv[2] ?? "";
const store = Store.open({ folder });
const at = (seconds: number) => new Date(Date.parse("2026-11-22T12:00:00.000Z") + seconds * 1000);

store.record({ type: "batch_started", batchId: 1, at: at(0), trigger: "schedule" });
const result = {
  batch_id: 1,
  status: "success",
  snapshot: null,
  seconds: 1,
  tables: [],
  models: [],
  tests: [],
} as const;
store.record({ type: "batch_finished", batchId: 1, at: at(1), result });

const batchId = 2;
store.record({ type: "batch_started", batchId, at: at(60), trigger: "schedule" });
store.record({ type: "task_started", batchId, at: at(61), task: { kind: "open", subject: "" }, attempt: 1 });
store.record({
  type: "task_finished",
  batchId,
  at: at(62),
  task: { kind: "open", subject: "" },
  attempt: 1,
  status: "success",
  seconds: 1,
});
store.record({ type: "log", batchId, at: at(65), level: "info", message: "last sign of life" });
store.record({ type: "task_started", batchId, at: at(64), task: { kind: "extract", subject: "vendas" }, attempt: 1 });
process.send?.("half way");
setInterval(() => {}, 1_000);
