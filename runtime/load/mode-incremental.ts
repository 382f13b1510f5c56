/** Mode `incremental`: rows changed since the last batch are merged by key; vanished keys are deleted. */
import type { ManifestTable } from "../manifest/manifest.ts";
import type { Since } from "../source/source.ts";
import type { TablePlan } from "./table-plan.ts";

export function planIncremental({ sync }: ManifestTable, since: Since | undefined): TablePlan {
  if (sync.deletes === "ignore") return { action: "merge", since, keys: "none" };
  if (since === undefined) return { action: "merge", since, keys: "rows" };
  return { action: "merge", since, keys: sync.deleteCheck === "verify" ? "none" : "all-keys" };
}
