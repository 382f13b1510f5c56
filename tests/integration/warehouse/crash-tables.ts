/** The tables of the crash test. */
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { manifestTable } from "../../support/manifest-table.ts";

export const CRASH_ROWS = 20_000;

export function crashTables(): readonly ManifestTable[] {
  return ["left_half", "right_half"].map((name) =>
    manifestTable({ name, columns: { id: "integer not null", note: "text" }, primaryKey: ["id"] }),
  );
}
