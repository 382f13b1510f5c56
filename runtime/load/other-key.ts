/** A table whose primary key is another than that by which its rows were published: no merge could tell which row is which. */
import { NovaError } from "../core/errors.ts";
import { namedColumns, type Warning } from "../core/warning.ts";
import { keepsRows, type ManifestTable } from "../manifest/manifest.ts";
import { planReplacing } from "./plan.ts";
import type { FormerKey } from "./scope.ts";
import type { TablePlan } from "./table-plan.ts";

export interface OtherKey {
  /** undefined: as ever. */
  readonly plan?: TablePlan | undefined;
  /** To be published as: rows that vanished are recorded by the former key, which is what models have seen so far. */
  readonly table: ManifestTable;
  readonly warning?: Warning | undefined;
}

/** Whether the key has the same columns as before: it tells rows apart alike. */
export const isReordered = (former: FormerKey, { primaryKey }: ManifestTable): boolean =>
  former !== "unknown" && former.toSorted().join("\0") === primaryKey.toSorted().join("\0");

/**
 * The table is replaced, in one transaction as ever.
 *
 * @throws NovaError LOAD_KEY_CHANGED where the stage table also holds rows that the source has deleted: replacing it would lose them
 */
export function planOtherKey(table: ManifestTable, former: FormerKey): OtherKey {
  const { name, primaryKey } = table;
  // By the key that may be the former one, too: so no row stands there twice, whatever it was.
  if (former === "unknown") return keepsRows(table) ? { table } : { table, plan: planReplacing(table) };
  const change = `The primary key of ${name} was (${former.join(", ")}) and is (${primaryKey.join(", ")})`;
  const warning = (what: string, remedy: string): Warning => ({
    kind: "key_changed",
    table: name,
    columns: primaryKey,
    message: `${change}: ${what}`,
    remedy,
  });
  if (isReordered(former, table)) {
    return {
      table,
      warning: warning(
        "from this batch on pipeline.deleted_keys has its values in that order.",
        "Look at models that take a value out of its deleted keys.",
      ),
    };
  }
  if (keepsRows(table)) {
    throw new NovaError(
      "LOAD_KEY_CHANGED",
      `${change}: its stage table keeps rows that the source has deleted, which the new key cannot tell apart.`,
      {
        remedy: `\`novadrive run --full-refresh --table ${name}\` loads it anew, with the rows only that the source has now.`,
        details: { table: name },
      },
    );
  }
  const still = former.length > 0 && former.every((column) => table.columns.some((one) => one.name === column));
  return {
    plan: { action: "replace", keys: still ? "rows" : "none" },
    table: still ? { ...table, primaryKey: former } : table,
    warning: warning(
      `the table is loaded anew, and from the next batch on pipeline.deleted_keys names its rows by ${primaryKey.length === 0 ? "nothing" : namedColumns(primaryKey)}.`,
      `Incremental models that follow its deleted keys have to be built anew once: \`novadrive run --full-refresh\`.`,
    ),
  };
}
