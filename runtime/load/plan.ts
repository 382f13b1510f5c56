/** What to read of one table, and how to publish it: decided from the manifest and the last watermark alone. */
import type { ManifestTable } from "../manifest/manifest.ts";
import type { Watermark } from "../warehouse/warehouse.ts";
import { planAppend } from "./mode-append.ts";
import { planFullRefresh } from "./mode-full-refresh.ts";
import { planIncremental } from "./mode-incremental.ts";
import type { TablePlan } from "./table-plan.ts";

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
