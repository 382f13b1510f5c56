import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { WarehouseUsage } from "../../../runtime/core/result.ts";
import { MIGRATIONS } from "../../../runtime/store/schema.ts";
import type { Store } from "../../../runtime/store/store.ts";
import { testHistory } from "../../support/history.ts";
import { generator, sampleBatch, type SampleOutcome } from "../../support/sample-history.ts";

const USAGE: WarehouseUsage = {
  statements: 41,
  warehouse_seconds: 12.4,
  bytes_staged: 3_100_000,
  rows_staged: 62_000,
  credits: 0.0201,
};

function fill(store: Store, batchId: number, outcome: SampleOutcome, metered = true): void {
  const startedAt = new Date(Date.UTC(2026, 10, 22, 12, batchId));
  const batch = { batchId, startedAt, outcome, trigger: "schedule", random: generator(batchId), first: batchId === 1 };
  for (const event of sampleBatch({ ...batch, trigger: "schedule", metered })) store.record(event);
}

function record(store: Store, batchId: number, usage: WarehouseUsage | undefined): void {
  const at = new Date();
  store.record({ type: "batch_started", batchId, at, trigger: "command" });
  const result = {
    batch_id: batchId,
    status: "failed",
    snapshot: null,
    seconds: 1,
    tables: [],
    models: [],
    tests: [],
  } as const;
  store.record({ type: "batch_finished", batchId, at, result: { ...result, ...(usage && { usage }) } });
}

test("what a batch used is given back as it was told, whether or not the batch went well", () => {
  using history = testHistory();
  const store = history.open();
  record(store, 1, USAGE);
  record(store, 2, { ...USAGE, credits: null });
  record(store, 3, undefined);
  expect(store.batch(1)?.usage).toEqual(USAGE);
  expect(store.batch(2)?.usage).toEqual({ ...USAGE, credits: null });
  expect(store.batch(3)).not.toHaveProperty("usage");
  expect(store.batches({ limit: 3 }).map(({ usage }) => usage?.statements)).toEqual([undefined, 41, 41]);
});

test("a history of the version before is taken over, with batches of which no cost is known", () => {
  using history = testHistory();
  {
    using database = new DatabaseSync(history.file);
    database.exec(`${MIGRATIONS[0]}; PRAGMA user_version = 1;
      INSERT INTO batches (id, trigger, status, started_at, seconds) VALUES (7, 'command', 'success', '2026-11-22T12:00:00.000Z', 2)`);
  }
  const store = history.open();
  expect(store.batch(7)).toMatchObject({ batch_id: 7, status: "success", seconds: 2 });
  expect(store.batch(7)).not.toHaveProperty("usage");
  record(store, 8, USAGE);
  expect(store.batch(8)?.usage).toEqual(USAGE);
});

test("models and tests stand as they last were built, however many batches found nothing new since", () => {
  using history = testHistory();
  const store = history.open();
  fill(store, 1, "success");
  for (let batch = 2; batch < 50; batch++) fill(store, batch, "nothing new");
  const results = [...store.models(), ...store.tests()];
  expect(results).toHaveLength(18 + 37);
  expect(new Set(results.map(({ batch_id, status }) => `${batch_id} ${status}`))).toEqual(
    new Set(["1 success", "1 pass"]),
  );
  expect(store.tables().map(({ loaded_as_of, changed_batch_id }) => [loaded_as_of, changed_batch_id])).toEqual(
    store.tables().map(() => [store.batch(49)?.snapshot, 1]),
  );
});

test("what was skipped because something failed is shown as skipped", () => {
  using history = testHistory();
  const store = history.open();
  fill(store, 1, "success");
  const at = new Date();
  store.record({ type: "batch_started", batchId: 2, at, trigger: "command" });
  const model = { name: "fct_vendas", status: "skipped", rows: null, seconds: 0 } as const;
  const failed = { ...model, name: "stg_vendas", status: "failed" } as const;
  const result = { batch_id: 2, status: "failed", snapshot: null, seconds: 1, tables: [], tests: [] } as const;
  store.record({ type: "batch_finished", batchId: 2, at, result: { ...result, models: [failed, model] } });
  const states = new Map(store.models().map(({ name, status, batch_id }) => [name, `${batch_id} ${status}`]));
  expect(states.get("fct_vendas")).toBe("2 skipped");
  expect(states.get("stg_vendas")).toBe("2 failed");
  expect(states.get("dim_estados")).toBe("1 success");
});

test("a model that was never built is shown as skipped", () => {
  using history = testHistory();
  const store = history.open();
  fill(store, 3, "nothing new");
  expect(new Set(store.models().map(({ status }) => status))).toEqual(new Set(["skipped"]));
});

test("what models and tests last came to is kept when older batches go, though hundreds found nothing new since", () => {
  using history = testHistory();
  const store = history.open({ keep: 3 });
  fill(store, 1, "success");
  fill(store, 2, "success");
  for (let batch = 3; batch < 12; batch++) fill(store, batch, "nothing new");
  expect(store.batches({ limit: 20 }).map(({ batch_id }) => batch_id)).toEqual([11, 10, 9, 2]);
  expect(new Set(store.models().map(({ batch_id, status }) => `${batch_id} ${status}`))).toEqual(
    new Set(["2 success"]),
  );
});

test("a table that was not counted again, because nothing was new, has the rows that were counted last", () => {
  using history = testHistory();
  const store = history.open();
  const at = new Date();
  const base = { status: "success", snapshot: null, seconds: 1, models: [], tests: [] } as const;
  const table = {
    name: "t",
    mode: "append",
    rows_read: 0,
    inserted: 0,
    updated: 0,
    deleted: 0,
    bytes: 0,
    seconds: 0,
  } as const;
  const finish = (batch_id: number, changes: { status: "success" | "failed"; rows_total?: number }) => {
    store.record({ type: "batch_started", batchId: batch_id, at, trigger: "command" });
    const result = { ...base, batch_id, tables: [{ ...table, ...changes }] };
    store.record({ type: "batch_finished", batchId: batch_id, at, result });
    return store.tables()[0]?.rows_total;
  };
  expect(finish(1, { status: "success", rows_total: 7 })).toBe(7);
  expect(finish(2, { status: "success" })).toBe(7);
  expect(finish(3, { status: "success", rows_total: 9 })).toBe(9);
  expect(finish(4, { status: "success" })).toBe(9);
  expect(finish(5, { status: "failed" })).toBe(null);
});
