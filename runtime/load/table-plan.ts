/** What a sync mode decides for one table of a batch. */
import type { ManifestTable } from "../manifest/manifest.ts";
import type { Watermark } from "../warehouse/warehouse.ts";

export interface TablePlan {
  /** `replace`: what was read is the table. `merge`: it is added or changed by primary key. */
  readonly action: "replace" | "merge";
  /** Only rows whose cursor is at or after this value, or NULL; undefined reads the whole table. */
  readonly since?: string | undefined;
  /**
   * Where the keys come from by which vanished rows are found: the rows themselves (when the whole table was read),
   * a reading of all keys, or nowhere (rows stay although the source has deleted them).
   */
  readonly keys: "rows" | "all-keys" | "none";
}

/** Where to read on, if the watermark was taken with the cursor that the manifest names now. */
export function resumePoint(table: ManifestTable, watermark: Watermark): string | undefined {
  return watermark.cursorColumn === table.sync.cursor ? (watermark.cursor ?? undefined) : undefined;
}
