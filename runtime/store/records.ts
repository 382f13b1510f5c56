/** What the history gives back: the words of the `--json` contract, and the rows of SQLite read into them. */
import type { SQLOutputValue } from "node:sqlite";
import { z } from "zod";
import { ERROR_CODES, type ErrorCodeName } from "../core/error-codes.ts";
import type { ErrorReport } from "../core/errors.ts";
import type { Misfits, WarehouseUsage } from "../core/result.ts";

type Row = Record<string, SQLOutputValue>;

const code = z.custom<ErrorCodeName>((value) => typeof value === "string" && Object.hasOwn(ERROR_CODES, value));
const report = z.object({
  // A code that this program does not know was written by a newer one.
  code: code.catch("INTERNAL"),
  message: z.string(),
  remedy: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** JSON text → ErrorReport; the key is left out where the column is NULL, as in the contract. */
const error = z
  .string()
  .nullable()
  .transform((text): ErrorReport | undefined => (text === null ? undefined : report.parse(JSON.parse(text))));

const count = z.number().int();

/** JSON text → counts by column. */
const misfits = z
  .string()
  .nullable()
  .transform((text): Misfits | undefined =>
    text === null ? undefined : z.record(z.string(), count).parse(JSON.parse(text)),
  );

const warningList = z.array(
  z.object({
    // A kind that this program does not know was written by a newer one.
    kind: z.string(),
    table: z.string().optional(),
    columns: z.array(z.string()).optional(),
    message: z.string(),
    remedy: z.string(),
  }),
);
/** JSON text → warnings; as in the contract, the key is left out where there are none. */
const warnings = z
  .string()
  .nullable()
  .transform((text): WarningRecord[] | undefined => (text === null ? undefined : warningList.parse(JSON.parse(text))));

export type WarningRecord = z.infer<typeof warningList>[number];

const time = z.string();
const seconds = z.number().nullable();

const batchRow = z.object({
  batch_id: count,
  trigger: z.enum(["schedule", "manual", "command"]),
  status: z.enum(["running", "success", "failed", "cancelled"]),
  snapshot: z.string().nullable(),
  started_at: time,
  finished_at: time.nullable(),
  seconds,
  rows_read: count,
  inserted: count,
  updated: count,
  deleted: count,
  bytes: count,
  tables_failed: count,
  models_failed: count,
  tests_failed: count,
  statements: count.nullable(),
  warehouse_seconds: seconds,
  bytes_staged: count.nullable(),
  rows_staged: count.nullable(),
  credits: z.number().nullable(),
  warnings,
  error,
});

/** As in the contract, what was used stands under `usage`, which is left out where nothing is billed. */
const batchSummary = batchRow.transform(
  ({ statements, warehouse_seconds, bytes_staged, rows_staged, credits, ...batch }) => {
    if (statements === null) return batch;
    const usage: WarehouseUsage = {
      statements,
      warehouse_seconds: warehouse_seconds ?? 0,
      bytes_staged: bytes_staged ?? 0,
      rows_staged: rows_staged ?? 0,
      credits,
    };
    return { ...batch, usage };
  },
);

const taskAttempt = z.object({
  id: count,
  kind: z.enum(["open", "digest", "prepare", "watermark", "extract", "load", "publish", "model", "test", "verify"]),
  subject: z.string(),
  attempt: count,
  status: z.enum(["running", "success", "failed", "cancelled"]),
  started_at: time,
  finished_at: time.nullable(),
  seconds,
  rows: count.nullable(),
  bytes: count.nullable(),
  error,
});

const tableRecord = z.object({
  name: z.string(),
  mode: z.enum(["full_refresh", "append", "incremental"]),
  rows_read: count,
  inserted: count,
  updated: count,
  deleted: count,
  rows_total: count.nullable(),
  bytes: count,
  misfits,
  seconds: z.number(),
  status: z.enum(["success", "failed", "skipped"]),
  error,
});

const modelRecord = z.object({
  name: z.string(),
  status: z.enum(["success", "failed", "skipped"]),
  materialized: z.enum(["view", "table", "incremental"]).nullable(),
  rows: count.nullable(),
  seconds: z.number(),
  error,
});

const testRecord = z.object({
  name: z.string(),
  status: z.enum(["pass", "fail", "warn", "error", "skipped"]),
  failures: count,
  seconds: z.number(),
  error,
});

/** Where a result of the latest kind comes from. */
const origin = { batch_id: count, at: time };

const tableStateRow = tableRecord.extend({
  ...origin,
  rows_known: count.nullable(),
  /** The instant in the source that the stage table shows: its freshness. Null if it was never loaded. */
  loaded_as_of: time.nullable(),
  /** The last batch that changed a row, and how many; null if none is remembered. */
  changed_batch_id: count.nullable(),
  changed_at: time.nullable(),
  changed_inserted: count.nullable(),
  changed_updated: count.nullable(),
  changed_deleted: count.nullable(),
});
/** The rows are those that were counted last. */
const tableState = tableStateRow.transform(({ rows_known, ...state }) => ({ ...state, rows_total: rows_known }));
const modelState = modelRecord.extend(origin);
const testState = testRecord.extend(origin);

const logLine = z.object({
  id: count,
  at: time,
  level: z.enum(["info", "warn", "error"]),
  /** As `taskId` writes it; null for a line of the whole batch. */
  task: z.string().nullable(),
  message: z.string(),
});

const stats = z.object({
  batches: count,
  succeeded: count,
  failed: count,
  median_seconds: seconds,
  last_success_at: time.nullable(),
});

export type BatchSummary = Omit<
  z.infer<typeof batchRow>,
  "statements" | "warehouse_seconds" | "bytes_staged" | "rows_staged" | "credits"
> & { readonly usage?: WarehouseUsage | undefined };
export type TaskAttempt = z.infer<typeof taskAttempt>;
export type TableRecord = z.infer<typeof tableRecord>;
export type ModelRecord = z.infer<typeof modelRecord>;
export type TestRecord = z.infer<typeof testRecord>;
export type TableState = z.infer<typeof tableState>;
export type ModelState = z.infer<typeof modelState>;
export type TestState = z.infer<typeof testState>;
export type LogLine = z.infer<typeof logLine>;
export type StoreStats = z.infer<typeof stats>;

/** One batch with everything that is known of it: a superset of the document that `--json` prints. */
export interface BatchRecord extends BatchSummary {
  readonly tasks: readonly TaskAttempt[];
  readonly tables: readonly TableRecord[];
  readonly models: readonly ModelRecord[];
  readonly tests: readonly TestRecord[];
}

function reader<T>(schema: z.ZodType<T>): (row: Row) => T {
  return (row) => schema.parse(row);
}

export const toBatchSummary: (row: Row) => BatchSummary = reader(batchSummary);
export const toTaskAttempt = reader(taskAttempt);
export const toTableRecord = reader(tableRecord);
export const toModelRecord = reader(modelRecord);
export const toTestRecord = reader(testRecord);
export const toTableState = reader(tableState);
export const toModelState = reader(modelState);
export const toTestState = reader(testState);
export const toLogLine = reader(logLine);
export const toStats = reader(stats);
