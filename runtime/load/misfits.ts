/** What is said in the log of values that did not fit their columns, and were let through by the manifest. */
import type { Misfits } from "../core/result.ts";
import { columnOf, type ManifestTable } from "../manifest/manifest.ts";
import { exactType } from "../manifest/warehouse-type.ts";

/** `3 values of price do not fit NUMBER(10,2), and are NULL in the warehouse (on_misfit: null)`; one line a column. */
export function describeMisfits(table: ManifestTable, misfits: Misfits): string[] {
  return Object.entries(misfits).map(([name, count]) => {
    const { type, onMisfit } = columnOf(table, name);
    const [values, fit, are] = count === 1 ? ["value", "does not fit", "is"] : ["values", "do not fit", "are"];
    return onMisfit === "text"
      ? `${count} ${values} of ${name} ${are} kept as text that no other type of the warehouse can hold (on_misfit: text)`
      : `${count} ${values} of ${name} ${fit} ${exactType(type)}, and ${are} NULL in the warehouse (on_misfit: null)`;
  });
}
