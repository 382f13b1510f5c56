/** What to read of one table, and how to publish it: decided from the manifest and how far the last batch had read. */
import type { ManifestTable } from "../manifest/manifest.ts";
import type { Since } from "../source/source.ts";
import { planAppend } from "./mode-append.ts";
import { planFullRefresh } from "./mode-full-refresh.ts";
import { planIncremental } from "./mode-incremental.ts";
import type { TablePlan } from "./table-plan.ts";

/** Everything anew: the first load of a table, and what the user asked to load again. */
export const LOAD_ANEW: TablePlan = { action: "replace", keys: "none" };

/** Everything anew, and the keys of rows that are gone written down, for models that follow them. */
export const planReplacing = ({ primaryKey }: ManifestTable): TablePlan => ({
  action: "replace",
  keys: primaryKey.length > 0 ? "rows" : "none",
});

/** @param since which rows may differ from what was published last; undefined if all may */
export function planTable(table: ManifestTable, since: Since | undefined): TablePlan {
  switch (table.sync.mode) {
    case "full_refresh":
      return planFullRefresh(table);
    case "append":
      return planAppend(since);
    case "incremental":
      return planIncremental(table, since);
  }
}
