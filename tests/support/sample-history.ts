/** A run history that looks like a dealership's: for screenshots, and for tests that need a page with something on it. */
import type { ErrorReport } from "../../runtime/core/errors.ts";
import type { BatchEvent, BatchTrigger } from "../../runtime/core/events.ts";
import type { BatchResult, ModelResult, TableResult, TestResult, WarehouseUsage } from "../../runtime/core/result.ts";
import type { TaskRef } from "../../runtime/core/task.ts";
import type { VerificationRecord } from "../../runtime/store/verifications.ts";

/** Rows after the first load. */
const TABLES: readonly (readonly [name: string, rows: number, bytesPerRow: number])[] = [
  ["cidades", 27, 58],
  ["clientes", 61_870, 121],
  ["concessionarias", 27, 74],
  ["estados", 27, 66],
  ["veiculos", 10, 92],
  ["vendas", 62_000, 104],
  ["vendedores", 135, 70],
];

const MODELS: readonly (readonly [name: string, kind: ModelResult["materialized"], rows: number | null])[] = [
  ...TABLES.map(([name]) => [`stg_${name}`, "view", null] as const),
  ["dim_cidades", "table", 27],
  ["dim_clientes", "table", 61_870],
  ["dim_concessionarias", "table", 27],
  ["dim_estados", "table", 27],
  ["dim_veiculos", "table", 10],
  ["dim_vendedores", "table", 135],
  ["fct_vendas", "incremental", 62_000],
  ["analise_vendas_concessionaria", "table", 27],
  ["analise_vendas_temporal", "table", 49],
  ["analise_vendas_veiculo", "table", 10],
  ["analise_vendas_vendedor", "table", 135],
];

const TESTS: readonly string[] = [
  ...TABLES.flatMap(([name]) => [`source_unique_stage_${name}_id_${name}`, `source_not_null_stage_${name}_id_${name}`]),
  ..."vendas,clientes vendas,veiculos vendas,vendedores vendas,concessionarias clientes,concessionarias vendedores,concessionarias concessionarias,cidades cidades,estados"
    .split(" ")
    .map((pair) => pair.split(","))
    .map(([from, to]) => `source_relationships_stage_${from}_id_${to}__id_${to}__source_stage_${to}_`),
  ...["cidade", "cliente", "concessionaria", "estado", "veiculo", "vendedor"].flatMap((name) => [
    `unique_dim_${name}s_${name}_id`,
    `not_null_dim_${name}s_${name}_id`,
  ]),
  "unique_fct_vendas_venda_id",
  "not_null_fct_vendas_venda_id",
  "valor_pago_within_list_price",
];

const PRICE_ERROR: ErrorReport = {
  code: "TEST_FAILED",
  message:
    "Test valor_pago_within_list_price found 3 rows that break its rule: sales above the list price or below 95 % of it",
  remedy:
    "Read them with `novadrive test --select valor_pago_within_list_price`, and correct the prices in the source.",
};

const SOURCE_ERROR: ErrorReport = {
  code: "SOURCE_UNREACHABLE",
  message: "No connection to db.novadrive.example:5432 could be made: connect ECONNREFUSED 10.0.3.17:5432",
  remedy:
    "Check that the server runs, and that its firewall admits this machine: `pg_isready -h db.novadrive.example`.",
};

const LOCK_ERROR: ErrorReport = {
  code: "SOURCE_LOCK_TIMEOUT",
  message: "Table public.vendas was locked for longer than 10 s",
  remedy: "Run again when the schema change that holds the lock is over.",
};

export type SampleOutcome =
  | "success"
  | "test failed"
  | "source down"
  | "retried"
  | "cancelled"
  | "nothing new"
  | "running";

export interface SampleBatchOptions {
  readonly batchId: number;
  readonly startedAt: Date;
  readonly outcome: SampleOutcome;
  readonly trigger: BatchTrigger;
  /** Number in [0, 1). */
  readonly random: () => number;
  /** Whether it loads everything. */
  readonly first: boolean;
  /** Whether the warehouse is billed by use. */
  readonly metered?: boolean | undefined;
}

/** The events of one batch, in the order of time. A running one stops in the middle of its loads. */
export function* sampleBatch(options: SampleBatchOptions): Generator<BatchEvent> {
  const { batchId, startedAt, outcome, trigger, random, first, metered = false } = options;
  let clock = startedAt.getTime();
  // A source and a warehouse have their slow minutes.
  const pace = 0.75 + random() * 0.5 + (random() < 0.08 ? 2.5 * random() : 0);
  const slow = (first ? 14 : 1) * pace;
  const at = (milliseconds = 0) => new Date(clock + milliseconds);
  const log = (message: string, task?: TaskRef, level: "info" | "warn" | "error" = "info"): BatchEvent => ({
    type: "log",
    batchId,
    at: at(),
    level,
    message,
    task,
  });
  const started = (task: TaskRef, from = 0, attempt = 1): BatchEvent => ({
    type: "task_started",
    batchId,
    at: at(from),
    task,
    attempt,
  });
  const finished = (task: TaskRef, from: number, to: number, attempt = 1, error?: ErrorReport): BatchEvent => ({
    type: "task_finished",
    batchId,
    at: at(to),
    task,
    attempt,
    status: error ? "failed" : "success",
    seconds: Math.round(to - from) / 1000,
    error,
  });
  const end = (status: BatchResult["status"], results: Partial<BatchResult>): BatchEvent => ({
    type: "batch_finished",
    batchId,
    at: at(),
    result: {
      batch_id: batchId,
      status,
      snapshot: null,
      seconds: (clock - startedAt.getTime()) / 1000,
      tables: [],
      models: [],
      tests: [],
      ...(metered && { usage: usageOf(results.tables ?? []) }),
      ...results,
    },
  });

  yield { type: "batch_started", batchId, at: at(), trigger };
  yield log(`Batch ${batchId} starts: 7 tables, 18 models, ${TESTS.length} tests`);
  const open: TaskRef = { kind: "open", subject: "" };
  yield started(open);
  if (outcome === "source down") {
    yield finished(open, 0, 8, 1, SOURCE_ERROR);
    yield log(`${SOURCE_ERROR.message}; the next attempt follows in 60 s`, open, "warn");
    clock += 60_000;
    yield started(open, 0, 2);
    yield finished(open, 0, 9, 2, SOURCE_ERROR);
    clock += 12;
    yield log(SOURCE_ERROR.message, open, "error");
    yield end("failed", { error: SOURCE_ERROR });
    return;
  }
  const opening = 30 + random() * 25;
  yield finished(open, 0, opening);
  clock += Math.round(opening);
  const snapshot = at().toISOString().replace("Z", "417Z");
  yield { type: "snapshot_opened", batchId, at: at(), snapshot };
  yield log(`Snapshot opened, all tables are read as of ${snapshot}`, open);

  if (outcome === "nothing new") {
    const tables = TABLES.map(([name, rows], index): TableResult => {
      const counts = { rows_read: 0, inserted: 0, updated: 0, deleted: 0, bytes: 0 };
      return {
        name,
        mode: "incremental",
        ...counts,
        rows_total: rows,
        seconds: 0.01 + index / 1000,
        status: "success",
      };
    });
    for (const [index, { name, seconds }] of tables.entries()) {
      const digest: TaskRef = { kind: "digest", subject: name };
      yield started(digest, index * 8);
      yield log(`nothing new since batch ${batchId - 1}`, digest);
      yield finished(digest, index * 8, index * 8 + seconds * 1000);
    }
    clock += 80;
    yield log(`nothing new since batch ${batchId - 1}: no model needs to be built`);
    const models = MODELS.map(([name, materialized]): ModelResult => {
      return { name, materialized, status: "skipped", rows: null, seconds: 0 };
    });
    const tests = TESTS.map((name): TestResult => ({ name, status: "skipped", failures: 0, seconds: 0 }));
    yield end("success", { snapshot, tables, models, tests });
    return;
  }

  let longest = 0;
  const tables: TableResult[] = [];
  for (const [index, [name, rows, width]] of TABLES.entries()) {
    const changing = name === "vendas" || name === "clientes" || (name === "veiculos" && random() < 0.1);
    const few = name === "veiculos" ? 2 : 14;
    const read = first ? rows : changing ? 1 + Math.floor(random() * few) : 0;
    const size = read * width;
    const begin = index * 22 + random() * 10;
    const extractTime = (25 + random() * 40 + rows / 900) * (rows > 1000 ? slow : pace);
    const loadTime = (12 + random() * 14 + read / 800) * (rows > 1000 ? slow / (first ? 2 : 1) : pace);
    const extract: TaskRef = { kind: "extract", subject: name };
    const load: TaskRef = { kind: "load", subject: name };
    const watermark: TaskRef = { kind: "watermark", subject: name };
    yield started(watermark, begin);
    yield finished(watermark, begin, begin + 6);
    yield started(extract, begin + 6);
    if (outcome === "retried" && name === "vendas") {
      yield finished(extract, begin + 6, 10_040, 1, LOCK_ERROR);
      clock += 10_050;
      yield log(`${LOCK_ERROR.message}; the next attempt follows in 1 s`, extract, "warn");
      clock += 1_000;
      yield started(extract, 0, 2);
    }
    const attempt = outcome === "retried" && name === "vendas" ? 2 : 1;
    if (outcome === "running" && rows > 1000) {
      const so = Math.floor(rows * (name === "vendas" ? 0.44 : 0.71));
      yield {
        type: "task_progress",
        batchId,
        at: at(begin + 300),
        task: extract,
        progress: { rows: so, bytes: so * width },
      };
      continue;
    }
    yield { type: "task_progress", batchId, at: at(begin + 30), task: extract, progress: { rows: read, bytes: size } };
    yield finished(extract, begin + 6, begin + 6 + extractTime, attempt);
    yield log(`${read} rows, ${size} bytes in one file`, extract);
    yield started(load, begin + 6 + extractTime);
    yield finished(load, begin + 6 + extractTime, begin + 6 + extractTime + loadTime);
    longest = Math.max(longest, begin + 6 + extractTime + loadTime);
    const deleted = first || read < 8 ? 0 : 1;
    const updated = first ? 0 : name === "veiculos" ? read : Math.floor(read / 4);
    tables.push({
      name,
      mode: "incremental",
      rows_read: read,
      inserted: read - updated,
      updated,
      deleted,
      rows_total: rows + (first || !changing || name === "veiculos" ? 0 : batchId * 6),
      bytes: size,
      seconds: Math.round(extractTime + loadTime) / 1000,
      status: "success",
    });
  }
  if (outcome === "running") return;
  clock += Math.round(longest) + 4;
  if (outcome === "cancelled") {
    yield log("Told to stop: the batch is rolled back", undefined, "warn");
    yield end("cancelled", {
      snapshot,
      error: {
        code: "BATCH_CANCELLED",
        message: "The process was told to stop (SIGTERM)",
        remedy: "Run again; nothing of it was published.",
      },
    });
    return;
  }
  const publish: TaskRef = { kind: "publish", subject: "" };
  const publishing = (50 + random() * 30) * Math.min(slow, 5);
  yield started(publish);
  yield finished(publish, 0, publishing);
  clock += Math.round(publishing);
  yield log("Published: 7 tables in one transaction", publish);
  for (const result of tables) yield { type: "table_finished", batchId, at: at(), result };

  const models: ModelResult[] = [];
  for (const [index, [name, materialized, rows]] of MODELS.entries()) {
    const task: TaskRef = { kind: "model", subject: name };
    const from = index < 7 ? index * 5 : (index - 7) * 14 + 30;
    const took =
      materialized === "view" ? 6 + random() * 4 : (18 + random() * 20 + (rows ?? 0) / 1500) * (first ? 3 : pace);
    yield started(task, from);
    yield finished(task, from, from + took);
    longest = from + took;
    const written = materialized === "incremental" && !first ? 1 + Math.floor(random() * 12) : rows;
    const result: ModelResult = {
      name,
      materialized,
      status: "success",
      rows: written,
      seconds: Math.round(took) / 1000,
    };
    models.push(result);
    yield { type: "model_finished", batchId, at: at(from + took), result };
  }
  clock += Math.round(longest) + 5;
  yield log("18 models are built");

  const tests: TestResult[] = [];
  for (const [index, name] of TESTS.entries()) {
    const task: TaskRef = { kind: "test", subject: name };
    const from = index * 4;
    const took = 4 + random() * 6;
    const error = outcome === "test failed" && name === "valor_pago_within_list_price" ? PRICE_ERROR : undefined;
    yield started(task, from);
    yield finished(task, from, from + took, 1, error);
    if (error) yield log(error.message, task, "error");
    const result: TestResult = {
      name,
      status: error ? "fail" : "pass",
      failures: error ? 3 : 0,
      seconds: Math.round(took) / 1000,
      error,
    };
    tests.push(result);
    yield { type: "test_finished", batchId, at: at(from + took), result };
  }
  clock += TESTS.length * 4 + 12;
  yield log(`${TESTS.length} tests have run`);
  yield end(outcome === "test failed" ? "failed" : "success", { snapshot, tables, models, tests });
}

/** Of an X-Small, which is up for 60 s at least each time. */
function usageOf(tables: readonly TableResult[]): WarehouseUsage {
  const rows = tables.reduce((sum, table) => sum + table.rows_read, 0);
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  if (rows === 0) return { statements: 0, warehouse_seconds: 0, bytes_staged: 0, rows_staged: 0, credits: 0 };
  const seconds = Math.round(4_200 + rows / 9) / 1000;
  return {
    statements: 78,
    warehouse_seconds: seconds,
    bytes_staged: Math.round(bytes / 4),
    rows_staged: rows,
    credits: (seconds + 60) / 3600,
  };
}

export interface SampleHistoryOptions {
  readonly batches: number;
  /** Start of the newest batch. */
  readonly until: Date;
  /** Whether the newest batch is still running. */
  readonly running: boolean;
  /** Whether the warehouse is billed by use; then nothing is new in some of the batches. */
  readonly metered?: boolean | undefined;
  readonly seed?: number | undefined;
}

/** Events of a whole history, one batch a minute, with a few that did not go well. */
export function* sampleHistory({
  batches,
  until,
  running,
  metered,
  seed = 7,
}: SampleHistoryOptions): Generator<BatchEvent> {
  const random = generator(seed);
  for (let batchId = 1; batchId <= batches; batchId++) {
    const newest = batchId === batches;
    const back = batches - batchId;
    const outcome: SampleOutcome =
      newest && running
        ? "running"
        : back === 1 || back === 9
          ? "test failed"
          : back === 21 || back === 22
            ? "source down"
            : back === 33
              ? "retried"
              : back === 41
                ? "cancelled"
                : metered && batchId > 1 && (back % 5 === 2 || back % 7 === 3)
                  ? "nothing new"
                  : "success";
    yield* sampleBatch({
      batchId,
      startedAt: new Date(until.getTime() - back * 60_000),
      outcome,
      trigger: back % 17 === 3 ? "manual" : "schedule",
      random,
      first: batchId === 1,
      metered,
    });
  }
}

/** mulberry32: small, and the same everywhere. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** All tables are proven but one, in which two prices differ. */
export function sampleVerification(at: Date): VerificationRecord {
  const tables = TABLES.map(([name, rows]) => {
    const equal = name !== "clientes";
    return {
      name,
      rows_source: rows,
      rows_stage: rows,
      rows_changed_since: 0,
      equal,
      differences: equal ? [] : [{ key_from: 60_133, key_to: 60_790, columns: ["endereco"] }],
      seconds: 0.2,
    };
  });
  return { at, snapshot: at.toISOString(), tables };
}
