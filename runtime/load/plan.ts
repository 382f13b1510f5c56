/** What to read of one table, and how to publish it: decided from the manifest and the last watermark alone. */
import type { ManifestTable } from "../manifest/manifest.ts";
import type { Watermark } from "../warehouse/warehouse.ts";
import { planAppend } from "./mode-append.ts";
import { planFullRefresh } from "./mode-full-refresh.ts";
import { planIncremental } from "./mode-incremental.ts";

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

/**
 * @param watermark of the last published batch; undefined if the table was never loaded
 * @param fullRefresh whether the user asked to load everything anew
 */
export function planTable(table: ManifestTable, watermark: Watermark | undefined, fullRefresh: boolean): TablePlan {
  if (fullRefresh || !watermark) return { action: "replace", keys: "none" };
  switch (table.sync.mode) {
    case "full_refresh":
      return planFullRefresh(table);
    case "append":
      return planAppend(table, watermark);
    case "incremental":
      return planIncremental(table, watermark);
  }
}

/** Where to read on, if the watermark was taken with the cursor that the manifest names now. */
export function resumePoint(table: ManifestTable, watermark: Watermark): string | undefined {
  return watermark.cursorColumn === table.sync.cursor ? (watermark.cursor ?? undefined) : undefined;
}
