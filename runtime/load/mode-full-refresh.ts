/** Mode `full_refresh`: the whole table is read each time. */
import type { ManifestTable } from "../manifest/manifest.ts";
import type { TablePlan } from "./table-plan.ts";

/** With a key, rows that did not change keep their `_batch_id`, so that incremental models see only real changes. */
export function planFullRefresh(table: ManifestTable): TablePlan {
  return table.primaryKey.length > 0 ? { action: "merge", keys: "rows" } : { action: "replace", keys: "none" };
}
