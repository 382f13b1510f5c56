/** Mode `append`: rows are only ever added at the source; each batch reads from the watermark on. */
import type { ManifestTable } from "../manifest/manifest.ts";
import type { Watermark } from "../warehouse/warehouse.ts";
import { resumePoint, type TablePlan } from "./table-plan.ts";

/** Rows at the watermark itself are read again and merged by key: a strict comparison would lose those that share its value. */
export function planAppend(table: ManifestTable, watermark: Watermark): TablePlan {
  return { action: "merge", since: resumePoint(table, watermark), keys: "none" };
}
