/** A table whose primary key is another than that by which its rows were published: no merge could tell which row is which. */
import { NovaError } from "../core/errors.ts";
import { namedColumns, type Warning } from "../core/warning.ts";
import { keepsDeleted, type ManifestTable } from "../manifest/manifest.ts";
import type { TablePlan } from "./table-plan.ts";

export interface OtherKey {
  readonly plan: TablePlan;
  /** To be published as: rows that vanished are recorded by the former key, which is what models have seen so far. */
  readonly table: ManifestTable;
  readonly warning: Warning;
}

/**
 * The table is replaced, in one transaction as ever.
 *
 * @throws NovaError LOAD_KEY_CHANGED where the stage table also holds rows that the source has deleted: replacing it would lose them
 */
export function planOtherKey(table: ManifestTable, former: readonly string[]): OtherKey {
  const { name, primaryKey } = table;
  const change = `The primary key of ${name} was (${former.join(", ")}) and is (${primaryKey.join(", ")})`;
  if (keepsDeleted(table) || (table.sync.mode !== "full_refresh" && table.sync.deletes === "ignore")) {
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
    warning: {
      kind: "key_changed",
      table: name,
      columns: primaryKey,
      message: `${change}: the table is loaded anew, and from the next batch on pipeline.deleted_keys names its rows by ${primaryKey.length === 0 ? "nothing" : namedColumns(primaryKey)}.`,
      remedy: `Incremental models that follow its deleted keys have to be built anew once: \`novadrive run --full-refresh\`.`,
    },
  };
}
