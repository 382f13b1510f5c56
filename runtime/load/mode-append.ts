/** Mode `append`: rows are only ever added at the source; each batch reads from the last one's fence on. */
import type { Since } from "../source/source.ts";
import type { TablePlan } from "./table-plan.ts";

/** Rows at the fence itself are read again and merged by key: a strict comparison would lose those that share its value. */
export function planAppend(since: Since | undefined): TablePlan {
  return { action: "merge", since, keys: "none" };
}
