/** The result of a batch: the document that `--json` prints. Other programs rely on these words. */
import type { ErrorReport } from "./errors.ts";

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
  readonly seconds: number;
  readonly status: StepStatus;
  readonly error?: ErrorReport | undefined;
}

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

export interface BatchResult {
  readonly batch_id: number;
  readonly status: Exclude<BatchStatus, "running">;
  /** The instant that all stage tables show, ISO 8601 in UTC; null if no snapshot was opened. */
  readonly snapshot: string | null;
  readonly seconds: number;
  readonly tables: readonly TableResult[];
  readonly models: readonly ModelResult[];
  readonly tests: readonly TestResult[];
  readonly error?: ErrorReport | undefined;
}
