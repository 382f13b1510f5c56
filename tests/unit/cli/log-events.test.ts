import { Writable } from "node:stream";
import { pino } from "pino";
import { expect, test } from "vitest";
import { logEvents } from "../../../runtime/cli/output/log-events.ts";
import { EventBus } from "../../../runtime/core/events.ts";

test("the log says what a batch used, where it is billed", () => {
  const lines: string[] = [];
  const stream = new Writable({
    write(line, _, done) {
      lines.push(JSON.parse(String(line)).msg);
      done();
    },
  });
  const events = new EventBus();
  logEvents(events, pino(stream));
  const result = {
    batch_id: 3,
    status: "success",
    snapshot: null,
    seconds: 1,
    tables: [],
    models: [],
    tests: [],
  } as const;
  const usage = { statements: 2, warehouse_seconds: 1, bytes_staged: 10, rows_staged: 1, credits: 0.5 };
  events.emit({ type: "batch_finished", batchId: 3, at: new Date(), result: { ...result, usage } });
  events.emit({ type: "batch_finished", batchId: 4, at: new Date(), result });
  expect(lines).toEqual(["batch 3: 2 statements · 1.00 s of warehouse time · 10 B staged · about 0.5 credits"]);
});
