/** What the verification of one table is given. */
import type { ManifestTable } from "../manifest/manifest.ts";
import type { SourceSnapshot } from "../source/source.ts";
import type { Warehouse, Watermark } from "../warehouse/warehouse.ts";

/** Rows of both sides that are held at a time, some 1 KB each. */
export const ROWS_AT_A_TIME = 20_000;

export interface VerifyTableOptions {
  readonly table: ManifestTable;
  readonly snapshot: SourceSnapshot;
  readonly warehouse: Warehouse;
  /** Of the last batch. */
  readonly watermark: Watermark;
  readonly signal: AbortSignal;
  readonly progress: (rows: number) => void;
  readonly log: (message: string, level?: "info" | "warn") => void;
}
