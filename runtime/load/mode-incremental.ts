/** Mode `incremental`: rows changed since the watermark are merged by key; vanished keys are deleted. */
import type { ManifestTable } from "../manifest/manifest.ts";
import type { Watermark } from "../warehouse/warehouse.ts";
import { resumePoint, type TablePlan } from "./table-plan.ts";

export function planIncremental(table: ManifestTable, watermark: Watermark): TablePlan {
  const since = resumePoint(table, watermark);
  if (table.sync.deletes === "ignore") return { action: "merge", since, keys: "none" };
  return { action: "merge", since, keys: since === undefined ? "rows" : "all-keys" };
}
