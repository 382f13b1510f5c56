import { execFile, fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import type { BatchEvent } from "../../../runtime/core/events.ts";
import type { TaskRef } from "../../../runtime/core/task.ts";
import type { Store } from "../../../runtime/store/store.ts";
import { testHistory } from "../../support/history.ts";
import { generator, sampleBatch, sampleHistory, type SampleOutcome } from "../../support/sample-history.ts";

const START = new Date("2026-11-22T12:00:00.000Z");
const EXTRACT: TaskRef = { kind: "extract", subject: "vendas" };

function after(seconds: number): Date {
  return new Date(START.getTime() + seconds * 1000);
}

function fill(store: Store, batchId: number, outcome: SampleOutcome, startedAt = after(batchId * 60)): void {
  for (const event of sampleBatch({
    batchId,
    startedAt,
    outcome,
    trigger: "schedule",
    random: generator(batchId),
    first: batchId === 1,
  })) {
    store.record(event);
  }
}

function log(batchId: number, message: string, task?: TaskRef): BatchEvent {
  return { type: "log", batchId, at: START, level: "info", message, task };
}

test("a batch is given back with its tasks and results, in the words of the JSON contract", () => {
  using history = testHistory();
  const store = history.open();
  fill(store, 1, "success");
  const batch = store.batch(1);
  expect(batch).toMatchObject({
    batch_id: 1,
    status: "success",
    trigger: "schedule",
    tables_failed: 0,
    tests_failed: 0,
  });
  expect(batch?.tables.find((table) => table.name === "vendas")).toMatchObject({
    mode: "incremental",
    rows_read: 62_000,
    inserted: 62_000,
    updated: 0,
    deleted: 0,
    rows_total: 62_000,
    status: "success",
  });
  expect(batch?.models).toHaveLength(18);
  expect(batch?.models.find((model) => model.name === "stg_vendas")).toMatchObject({
    materialized: "view",
    rows: null,
  });
  expect(batch?.tests.every((test) => test.status === "pass")).toBe(true);
  expect(batch?.tasks.filter((task) => task.subject === "vendas").map((task) => task.kind)).toEqual([
    "watermark",
    "extract",
    "load",
  ]);
  expect(batch?.rows_read).toBe(batch?.tables.reduce((sum, table) => sum + table.rows_read, 0));
});

test("errors come back as they were reported; those of a newer program as INTERNAL", () => {
  using history = testHistory();
  const store = history.open();
  const error = new NovaError("SOURCE_VALUE_INVALID", "Too long", { details: { table: "vendas", key: 7 } }).report();
  store.record({ type: "batch_started", batchId: 1, at: START, trigger: "manual" });
  store.record({ type: "task_started", batchId: 1, at: START, task: EXTRACT, attempt: 1 });
  store.record({
    type: "task_finished",
    batchId: 1,
    at: after(1),
    task: EXTRACT,
    attempt: 1,
    status: "failed",
    seconds: 1,
    error,
  });
  expect(store.batch(1)?.tasks[0]?.error).toEqual(error);

  using database = new DatabaseSync(history.file);
  database.exec(`UPDATE task_attempts SET error = json_set(error, '$.code', 'OF_TOMORROW')`);
  expect(store.batch(1)?.tasks[0]?.error).toEqual({ ...error, code: "INTERNAL" });
});

test("the next batch is behind what the warehouse and the history know", () => {
  using history = testHistory();
  const store = history.open();
  expect(store.nextBatchId(0)).toBe(1);
  expect(store.nextBatchId(41)).toBe(42);
  fill(store, 50, "success");
  expect(store.nextBatchId(41)).toBe(51);
  expect(store.nextBatchId(60)).toBe(61);
});

test("progress and log lines are seen at once by a reader of the same store", () => {
  using history = testHistory();
  const store = history.open();
  store.record({ type: "batch_started", batchId: 1, at: START, trigger: "manual" });
  store.record({ type: "task_started", batchId: 1, at: START, task: EXTRACT, attempt: 1 });
  for (const rows of [10, 20, 30]) {
    store.record({
      type: "task_progress",
      batchId: 1,
      at: START,
      task: EXTRACT,
      progress: { rows, bytes: rows * 100 },
    });
  }
  store.record(log(1, "reading", EXTRACT));
  expect(store.batch(1)?.tasks).toMatchObject([{ status: "running", rows: 30, bytes: 3_000 }]);
  expect(store.logs(1, { limit: 10 })).toMatchObject([{ message: "reading", task: "vendas/extract" }]);
});

test("another process sees log lines soon, though nothing else happens", async () => {
  using history = testHistory();
  const store = history.open();
  store.record({ type: "batch_started", batchId: 1, at: START, trigger: "manual" });
  using other = new DatabaseSync(history.file, { readOnly: true });
  const lines = () => other.prepare("SELECT message FROM logs").all();
  store.record(log(1, "on my way"));
  expect(lines()).toEqual([]);
  await expect.poll(lines, { timeout: 10_000 }).toEqual([{ message: "on my way" }]);
});

test("log lines are filtered by task or by what the tasks are about, and read on from a line", () => {
  using history = testHistory();
  const store = history.open();
  store.record({ type: "batch_started", batchId: 1, at: START, trigger: "manual" });
  store.record(log(1, "a", EXTRACT));
  store.record(log(1, "b", { kind: "load", subject: "vendas" }));
  store.record(log(1, "c", { kind: "load", subject: "vendas_old" }));
  store.record(log(1, "d"));
  store.record(log(1, "e", { kind: "publish", subject: "" }));
  const messages = (request: { task?: string; after?: number }) =>
    store.logs(1, { limit: 10, ...request }).map((line) => line.message);
  expect(messages({})).toEqual(["a", "b", "c", "d", "e"]);
  expect(messages({ task: "vendas" })).toEqual(["a", "b"]);
  expect(messages({ task: "vendas/load" })).toEqual(["b"]);
  expect(messages({ task: "publish" })).toEqual(["e"]);
  expect(messages({ task: "%" })).toEqual([]);
  const [, second] = store.logs(1, { limit: 10 });
  expect(messages({ after: second?.id ?? 0 })).toEqual(["c", "d", "e"]);
  expect(store.logs(1, { limit: 2 }).map((line) => line.message)).toEqual(["d", "e"]);
  expect(store.logs(1, { limit: 2, after: 0 }).map((line) => line.message)).toEqual(["a", "b"]);
});

test("a batch that logs without end fills neither disk nor memory, and says so", () => {
  using history = testHistory();
  const store = history.open();
  store.record({ type: "batch_started", batchId: 1, at: START, trigger: "manual" });
  for (let line = 0; line < 20_050; line++) store.record(log(1, `line ${line}`));
  const lines = store.logs(1, { limit: 100_000 });
  expect(lines).toHaveLength(20_000);
  expect(lines.at(-1)).toMatchObject({ level: "warn", message: expect.stringContaining("not kept") });
});

test("the end of a batch closes the tasks that still run, and late events change nothing", () => {
  using history = testHistory();
  const store = history.open();
  store.record({ type: "batch_started", batchId: 1, at: START, trigger: "manual" });
  store.record({ type: "task_started", batchId: 1, at: after(1), task: EXTRACT, attempt: 1 });
  const result = {
    batch_id: 1,
    status: "cancelled",
    snapshot: null,
    seconds: 3,
    tables: [],
    models: [],
    tests: [],
  } as const;
  store.record({ type: "batch_finished", batchId: 1, at: after(3), result });
  const closed = store.batch(1);
  expect(closed?.tasks).toMatchObject([{ status: "cancelled", seconds: 2 }]);
  store.record({
    type: "task_finished",
    batchId: 1,
    at: after(4),
    task: EXTRACT,
    attempt: 1,
    status: "success",
    seconds: 3,
  });
  store.record({ type: "task_started", batchId: 1, at: after(4), task: EXTRACT, attempt: 2 });
  store.record({ type: "batch_finished", batchId: 1, at: after(5), result: { ...result, status: "success" } });
  store.record({ type: "batch_started", batchId: 1, at: after(6), trigger: "schedule" });
  expect(store.batch(1)).toEqual(closed);
});

test("a load that starts again within its batch keeps both runs of a task", () => {
  using history = testHistory();
  const store = history.open();
  store.record({ type: "batch_started", batchId: 1, at: START, trigger: "manual" });
  for (const status of ["failed", "success"] as const) {
    store.record({ type: "task_started", batchId: 1, at: START, task: EXTRACT, attempt: 1 });
    store.record({ type: "task_finished", batchId: 1, at: after(1), task: EXTRACT, attempt: 1, status, seconds: 1 });
  }
  expect(store.batch(1)?.tasks.map((task) => task.status)).toEqual(["failed", "success"]);
});

test("the state of a table is its latest result; its freshness that of the last one that succeeded", () => {
  using history = testHistory();
  const store = history.open();
  fill(store, 1, "success");
  fill(store, 2, "success");
  const vendas = store.tables().find((table) => table.name === "vendas");
  expect(vendas).toMatchObject({
    batch_id: 2,
    status: "success",
    changed_batch_id: 2,
    loaded_as_of: store.batch(2)?.snapshot,
  });
  const estados = store.tables().find((table) => table.name === "estados");
  expect(estados).toMatchObject({
    batch_id: 2,
    rows_total: 27,
    changed_batch_id: 1,
    changed_inserted: 27,
    changed_updated: 0,
  });

  store.record({ type: "batch_started", batchId: 3, at: after(500), trigger: "schedule" });
  const error = new NovaError("SOURCE_PERMISSION", "vendas may not be read").report();
  store.record({
    type: "table_finished",
    batchId: 3,
    at: after(501),
    result: {
      name: "vendas",
      mode: "incremental",
      rows_read: 0,
      inserted: 0,
      updated: 0,
      deleted: 0,
      bytes: 0,
      seconds: 1,
      status: "failed",
      error,
    },
  });
  expect(store.tables().find((table) => table.name === "vendas")).toMatchObject({
    batch_id: 3,
    status: "failed",
    error: { code: "SOURCE_PERMISSION" },
    loaded_as_of: store.batch(2)?.snapshot,
  });
  expect(store.tables().find((table) => table.name === "clientes")).toMatchObject({ batch_id: 2, status: "success" });
});

test("a table that left the project is forgotten after a while", () => {
  using history = testHistory();
  const store = history.open();
  const load = (batchId: number, name: string) => {
    store.record({ type: "batch_started", batchId, at: after(batchId), trigger: "schedule" });
    store.record({
      type: "table_finished",
      batchId,
      at: after(batchId),
      result: {
        name,
        mode: "append",
        rows_read: 1,
        inserted: 1,
        updated: 0,
        deleted: 0,
        bytes: 1,
        seconds: 1,
        status: "success",
      },
    });
  };
  load(1, "old");
  load(2, "new");
  expect(store.tables().map((table) => table.name)).toEqual(["new", "old"]);
  for (let id = 3; id <= 31; id++) load(id, "new");
  expect(store.tables().map((table) => table.name)).toEqual(["new"]);
});

test("only the last batches are kept, with all that belongs to them", () => {
  using history = testHistory();
  const store = history.open({ keep: 3 });
  for (let id = 1; id <= 6; id++) fill(store, id, "success");
  expect(store.batches({ limit: 10 }).map((batch) => batch.batch_id)).toEqual([6, 5, 4]);
  expect(store.batch(3)).toBeUndefined();
  expect(store.logs(3, { limit: 10 })).toEqual([]);
  expect(store.nextBatchId(0)).toBe(7);
  using database = new DatabaseSync(history.file);
  for (const table of ["task_attempts", "table_results", "model_results", "test_results", "logs"]) {
    expect(database.prepare(`SELECT min(batch_id) AS oldest FROM ${table}`).get()).toEqual({ oldest: 4 });
  }
});

test("pages of batches follow each other without gap or repetition", () => {
  using history = testHistory();
  const store = history.open();
  for (const event of sampleHistory({ batches: 7, until: START, running: false })) store.record(event);
  const first = store.batches({ limit: 3 });
  const second = store.batches({ limit: 3, before: first.at(-1)?.batch_id });
  const third = store.batches({ limit: 3, before: second.at(-1)?.batch_id });
  expect([first, second, third].flat().map((batch) => batch.batch_id)).toEqual([7, 6, 5, 4, 3, 2, 1]);
  expect(store.neighbours(4)).toEqual({ previous: 3, next: 5 });
  expect(store.neighbours(1)).toEqual({ previous: undefined, next: 2 });
});

test("figures count what is over, and take the middle of the durations", () => {
  using history = testHistory();
  const store = history.open();
  expect(store.stats()).toEqual({ batches: 0, succeeded: 0, failed: 0, median_seconds: null, last_success_at: null });
  const finish = (batchId: number, status: "success" | "failed", seconds: number) => {
    store.record({ type: "batch_started", batchId, at: after(batchId), trigger: "schedule" });
    store.record({
      type: "batch_finished",
      batchId,
      at: after(batchId + 1),
      result: { batch_id: batchId, status, snapshot: null, seconds, tables: [], models: [], tests: [] },
    });
  };
  finish(1, "success", 4);
  finish(2, "failed", 1);
  finish(3, "success", 2);
  finish(4, "success", 10);
  store.record({ type: "batch_started", batchId: 5, at: after(9), trigger: "schedule" });
  expect(store.stats()).toEqual({
    batches: 4,
    succeeded: 3,
    failed: 1,
    median_seconds: 3,
    last_success_at: after(5).toISOString(),
  });
});

test("a tick is claimed once, and an older one not at all", () => {
  using history = testHistory();
  const [one, other] = [history.open(), history.open()];
  const tick = (seconds: number) => ({ schedule: "* * * * *", tick: after(seconds) });
  expect(one.claimTick(tick(60))).toBe(true);
  expect(other.claimTick(tick(60))).toBe(false);
  expect(other.claimTick(tick(120))).toBe(true);
  expect(one.claimTick(tick(60))).toBe(false);
  expect(one.claimTick({ ...tick(60), schedule: "0 * * * *" })).toBe(true);
});

test("processes that race for ticks get each tick once", async () => {
  using history = testHistory();
  const script = `
    import { Store } from ${JSON.stringify(new URL("../../../runtime/store/store.ts", import.meta.url).href)};
    using store = Store.open({ folder: process.argv[1] });
    const won = [];
    for (let tick = 0; tick < 60; tick++) if (store.claimTick({ schedule: "s", tick: new Date(tick * 1000) })) won.push(tick);
    console.log(JSON.stringify(won));
  `;
  const run = async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--input-type=module-typescript",
      "-e",
      script,
      history.folder,
    ]);
    return JSON.parse(stdout) as number[];
  };
  const won = (await Promise.all([run(), run(), run()])).flat();
  expect(new Set(won).size).toBe(won.length);
  expect(won).toContain(59);
});

test("a batch that a killed process left running is closed as abandoned, with all that it had recorded", async () => {
  using history = testHistory();
  const child: ChildProcess = fork(new URL("dying-process.ts", import.meta.url).pathname, [history.folder], {
    stdio: "ignore",
  });
  await once(child, "message");
  using other = new DatabaseSync(history.file, { readOnly: true });
  await expect.poll(() => other.prepare("SELECT count(*) AS tasks FROM task_attempts").get()).toEqual({ tasks: 2 });
  child.kill("SIGKILL");
  await once(child, "exit");

  const store = history.open();
  expect(store.runningBatchId()).toBe(2);
  const at = new Date(START.getTime() + 3_600_000);
  expect(store.closeAbandoned(at)).toEqual([2]);
  expect(store.batch(2)).toMatchObject({
    status: "failed",
    finished_at: at.toISOString(),
    seconds: 5,
    error: { code: "BATCH_ABANDONED" },
    tasks: [{ status: "success" }, { status: "failed", error: { code: "BATCH_ABANDONED" } }],
  });
  expect(store.batch(1)).toMatchObject({ status: "success" });
  expect(store.runningBatchId()).toBeUndefined();
  expect(store.closeAbandoned(at)).toEqual([]);
  expect(store.nextBatchId(0)).toBe(3);
});

test("a history that cannot be written stops no batch, and tells why", () => {
  using history = testHistory();
  const errors: NovaError[] = [];
  const store = history.open({ onError: (error) => errors.push(error) });
  using database = new DatabaseSync(history.file);
  database.exec("DROP TABLE batches");
  expect(() => store.record({ type: "batch_started", batchId: 1, at: START, trigger: "manual" })).not.toThrow();
  expect(errors).toMatchObject([{ code: "STORE_UNREADABLE", message: expect.stringContaining(history.folder) }]);
  expect(() => store.batches({ limit: 1 })).toThrow(expect.objectContaining({ code: "STORE_UNREADABLE" }));
});

test("an event that cannot be recorded does not take the others along", () => {
  using history = testHistory();
  const errors: NovaError[] = [];
  const store = history.open({ onError: (error) => errors.push(error) });
  store.record({ type: "batch_started", batchId: 1, at: START, trigger: "manual" });
  store.record(log(1, "before"));
  store.record({ type: "task_started", batchId: 1, at: START, task: EXTRACT, attempt: 1.5 });
  const result = {
    batch_id: 1,
    status: "success",
    snapshot: null,
    seconds: 1,
    tables: [],
    models: [],
    tests: [],
  } as const;
  store.record({ type: "batch_finished", batchId: 1, at: after(1), result });
  expect(store.batch(1)).toMatchObject({ status: "success", tasks: [] });
  expect(store.logs(1, { limit: 10 })).toHaveLength(1);
  expect(errors).toMatchObject([{ code: "STORE_UNREADABLE" }]);
});

test("what another process writes is noticed", () => {
  using history = testHistory();
  const [one, other] = [history.open(), history.open()];
  const before = one.foreignVersion();
  fill(one, 1, "success");
  expect(one.foreignVersion()).toBe(before);
  fill(other, 2, "success");
  expect(one.foreignVersion()).not.toBe(before);
});
