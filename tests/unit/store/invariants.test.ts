import fc from "fast-check";
import { expect, test } from "vitest";
import type { BatchEvent } from "../../../runtime/core/events.ts";
import type { TaskRef } from "../../../runtime/core/task.ts";
import { testHistory } from "../../support/history.ts";

const id = fc.integer({ min: 1, max: 5 });
const at = fc.integer({ min: 0, max: 100_000 }).map((milliseconds) => new Date(1_790_000_000_000 + milliseconds));
const task: fc.Arbitrary<TaskRef> = fc.record({
  kind: fc.constantFrom("extract", "load", "publish", "model"),
  subject: fc.constantFrom("", "vendas", "it's", "100%_\\"),
});
const attempt = fc.integer({ min: 1, max: 2 });
const rows = fc.nat(1_000_000_000_000);

/** Events in any order, also in such as cannot come: a history must not break on a bug elsewhere. */
const event: fc.Arbitrary<BatchEvent> = fc.oneof(
  fc.record({
    type: fc.constant("batch_started"),
    batchId: id,
    at,
    trigger: fc.constantFrom("schedule", "manual", "command"),
  }),
  fc.record({
    type: fc.constant("batch_finished"),
    batchId: id,
    at,
    result: fc.record({
      batch_id: id,
      status: fc.constantFrom("success", "failed", "cancelled"),
      snapshot: fc.option(fc.constant("2026-11-22T12:00:00.123456Z")),
      seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
      tables: fc.constant([]),
      models: fc.constant([]),
      tests: fc.constant([]),
    }),
  }),
  fc.record({ type: fc.constant("task_started"), batchId: id, at, task, attempt }),
  fc.record({ type: fc.constant("task_progress"), batchId: id, at, task, progress: fc.record({ rows, bytes: rows }) }),
  fc.record({
    type: fc.constant("task_finished"),
    batchId: id,
    at,
    task,
    attempt,
    status: fc.constantFrom("success", "failed"),
    seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
  }),
  fc.record({
    type: fc.constant("log"),
    batchId: id,
    at,
    level: fc.constantFrom("info", "warn", "error"),
    message: fc.string({ unit: "binary" }),
    task,
  }),
);

test("whatever comes in whatever order, the history stays consistent", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), at, (events, now) => {
      using history = testHistory();
      const store = history.open();
      for (const one of events) store.record(one);

      const known = store.batches({ limit: 100 });
      expect(known.map((batch) => batch.batch_id)).toEqual(
        known.map((batch) => batch.batch_id).toSorted((a, b) => b - a),
      );
      for (const { batch_id, status, finished_at } of known) {
        const batch = store.batch(batch_id);
        expect(finished_at === null).toBe(status === "running");
        for (const { status: taskStatus, seconds, finished_at: end } of batch?.tasks ?? []) {
          expect(seconds === null && end === null).toBe(taskStatus === "running");
          if (status !== "running") expect(taskStatus).not.toBe("running");
        }
        const lines = store.logs(batch_id, { limit: 1_000 });
        expect(lines.map((line) => line.id)).toEqual(lines.map((line) => line.id).toSorted((a, b) => a - b));
      }
      expect(store.nextBatchId(0)).toBe(Math.max(0, ...known.map((batch) => batch.batch_id)) + 1);

      const open = known.filter((batch) => batch.status === "running").map((batch) => batch.batch_id);
      expect(new Set(store.closeAbandoned(now))).toEqual(new Set(open));
      for (const { batch_id, status } of store.batches({ limit: 100 })) {
        expect(status).not.toBe("running");
        expect(store.batch(batch_id)?.tasks.some((one) => one.status === "running")).toBe(false);
      }
      const untouched = known.filter((batch) => batch.status !== "running");
      for (const batch of untouched) expect(store.batch(batch.batch_id)).toMatchObject({ ...batch });
    }),
    { numRuns: 60 },
  );
});

test("log messages come back as they were written", () => {
  using history = testHistory();
  const store = history.open();
  store.record({ type: "batch_started", batchId: 1, at: new Date(0), trigger: "manual" });
  let written = 0;
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (message) => {
      store.record({ type: "log", batchId: 1, at: new Date(0), level: "info", message });
      written++;
      expect(store.logs(1, { limit: 1 })[0]?.message).toBe(message);
    }),
    { numRuns: 100 },
  );
  expect(store.logs(1, { limit: 1_000 })).toHaveLength(written);
});
