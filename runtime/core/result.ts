/** The result of a batch: the document that `--json` prints. Other programs rely on these words. */
import type { ErrorReport } from "./errors.ts";
import type { Warning } from "./warning.ts";

export type BatchStatus = "running" | "success" | "failed" | "cancelled";
type StepStatus = "success" | "failed" | "skipped";

export interface TableResult {
  readonly name: string;
  readonly mode: "full_refresh" | "append" | "incremental";
  readonly rows_read: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  /** Rows in the stage table after the batch, where the loader counted them. */
  readonly rows_total?: number | undefined;
  readonly bytes: number;
  /**
   * By column: values of the rows read that did not fit the column's type, and were loaded as its `on_misfit` says. Absent if there were none.
   */
  readonly misfits?: Misfits | undefined;
  readonly seconds: number;
  readonly status: StepStatus;
  readonly error?: ErrorReport | undefined;
}

/** Counts by column. */
export type Misfits = Readonly<Record<string, number>>;

export interface ModelResult {
  readonly name: string;
  readonly status: StepStatus;
  /** Rows written, or null where the warehouse does not say (views). */
  readonly rows: number | null;
  readonly materialized?: "view" | "table" | "incremental" | undefined;
  readonly seconds: number;
  readonly error?: ErrorReport | undefined;
}

export interface TestResult {
  readonly name: string;
  readonly status: "pass" | "fail" | "warn" | "error" | "skipped";
  /** Rows that break the rule. */
  readonly failures: number;
  readonly seconds: number;
  readonly error?: ErrorReport | undefined;
}

/** What a batch used of a warehouse that is billed by use. */
export interface WarehouseUsage {
  /** Sent, whether they need the warehouse or not. */
  readonly statements: number;
  /** Seconds in which at least one statement ran on the warehouse. */
  readonly warehouse_seconds: number;
  /** Compressed. */
  readonly bytes_staged: number;
  readonly rows_staged: number;
  /**
   * Estimated: credits an hour of the warehouse's size × the seconds that it was up for the batch, the wait before it suspends itself
   * included, at least 60 for each time it resumes. Null where the size is not known. Less is billed if others use the warehouse at the same time.
   */
  readonly credits: number | null;
}

export interface BatchResult {
  readonly batch_id: number;
  readonly status: Exclude<BatchStatus, "running">;
  /** The instant that all stage tables show, ISO 8601 in UTC; null if no snapshot was opened. */
  readonly snapshot: string | null;
  readonly seconds: number;
  readonly tables: readonly TableResult[];
  readonly models: readonly ModelResult[];
  readonly tests: readonly TestResult[];
  /** What stops nothing, but wants attention: the source has moved away from the manifest. Absent if there is none. */
  readonly warnings?: readonly Warning[] | undefined;
  /** Absent where nothing is billed (DuckDB). */
  readonly usage?: WarehouseUsage | undefined;
  readonly error?: ErrorReport | undefined;
}

/**
 * Whether a batch was over as soon as it had looked at the source: nothing was new, so every model and test was skipped. (Where something has
 * failed, what depends on it is skipped too, but then the batch is no success.)
 */
export function foundNothingNew({
  status,
  models,
  tests,
}: {
  readonly status: BatchStatus;
  readonly models: readonly { readonly status: string }[];
  readonly tests: readonly { readonly status: string }[];
}): boolean {
  const steps = [...models, ...tests];
  return status === "success" && steps.length > 0 && steps.every((step) => step.status === "skipped");
}
