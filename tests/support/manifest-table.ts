/** A manifest table in a line, for tests. */
import type { ManifestColumn, ManifestTable, SyncSettings } from "../../runtime/manifest/manifest.ts";
import { parseDataType } from "../../runtime/manifest/warehouse-type.ts";

export interface TableSketch {
  readonly name: string;
  /** `{id: "integer not null", note: "text"}` */
  readonly columns: Readonly<Record<string, string>>;
  readonly primaryKey?: readonly string[] | undefined;
  readonly sync?: Partial<SyncSettings> | undefined;
  readonly sourceSchema?: string | undefined;
  readonly sourceTable?: string | undefined;
}

export function manifestTable(sketch: TableSketch): ManifestTable {
  const primaryKey = sketch.primaryKey ?? [];
  return {
    name: sketch.name,
    sourceName: "stage",
    schema: "stage",
    sourceSchema: sketch.sourceSchema ?? "public",
    sourceTable: sketch.sourceTable ?? sketch.name,
    primaryKey,
    sync: { mode: "full_refresh", deletes: "hard", ...sketch.sync },
    columns: Object.entries(sketch.columns).map(([name, text]): ManifestColumn => {
      const type = parseDataType(text.replace(/ not null$/, ""));
      if (!type) throw new RangeError(`No type: ${text}`);
      return { name, type, nullable: !text.endsWith(" not null") && !primaryKey.includes(name) };
    }),
    line: 1,
  };
}
