/** What a live PostgreSQL schema looks like, and how the manifest differs from it. Pure: the catalogue is read elsewhere. */
import { BATCH_ID, stageColumns, SYNCED_AT, type Manifest, type ManifestTable } from "./manifest.ts";
import { dataTypeFor, fitOf, type PostgresType } from "./postgres-type.ts";
import { exactType, parseDataType, type WarehouseType } from "./warehouse-type.ts";

export interface LiveTable {
  readonly schema: string;
  readonly name: string;
  readonly comment?: string | undefined;
  readonly columns: readonly LiveColumn[];
  /** The primary key, or another unique key whose columns are never NULL; empty if there is none. */
  readonly primaryKey: readonly string[];
  readonly foreignKeys: readonly LiveForeignKey[];
  /** A view or foreign table: it has no keys, and nothing is said of NULL. */
  readonly keyless?: true | undefined;
}

export interface LiveColumn {
  readonly name: string;
  readonly type: PostgresType;
  readonly notNull: boolean;
  readonly comment?: string | undefined;
}

export interface LiveForeignKey {
  readonly columns: readonly string[];
  readonly targetSchema: string;
  readonly targetTable: string;
  readonly targetColumns: readonly string[];
}

/** One way in which manifest and source differ. `table` is the manifest's name, or the source's for a table that it lacks. */
export type ManifestDifference = { readonly table: string } & (
  | { readonly kind: "table_new" | "table_gone" }
  | { readonly kind: "column_new"; readonly column: string; readonly source: string; readonly dataType: string }
  | { readonly kind: "column_gone" | "column_nullable"; readonly column: string }
  | {
      readonly kind: "type_changed";
      readonly column: string;
      readonly source: string;
      readonly manifest: string;
      readonly dataType: string;
    }
  | { readonly kind: "key_changed"; readonly source: readonly string[]; readonly manifest: readonly string[] }
);

export interface DiffOptions {
  readonly manifest: Manifest;
  /** The PostgreSQL schema that was read; tables of the manifest that stand elsewhere are left alone. */
  readonly schema: string;
  /** All of its tables. */
  readonly tables: readonly LiveTable[];
}

/** Differences in the order of the manifest's tables, then the new tables; empty if they agree. */
export function diffManifest({ manifest, schema, tables }: DiffOptions): readonly ManifestDifference[] {
  const here = manifest.tables.filter((table) => table.sourceSchema === schema);
  const known = new Set(here.map((table) => table.sourceTable));
  return [
    ...here.flatMap((table) => {
      const live = tables.find((candidate) => candidate.name === table.sourceTable);
      return live ? diffTable(table, live) : [{ kind: "table_gone" as const, table: table.name }];
    }),
    ...tables.filter((live) => !known.has(live.name)).map((live) => ({ kind: "table_new" as const, table: live.name })),
  ];
}

function diffTable(table: ManifestTable, live: LiveTable): ManifestDifference[] {
  const found: ManifestDifference[] = [];
  const add = (difference: ManifestDifference) => found.push(difference);
  for (const column of table.columns) {
    const now = live.columns.find((candidate) => candidate.name === column.name);
    const at = { table: table.name, column: column.name };
    if (!now) {
      add({ kind: "column_gone", ...at });
      continue;
    }
    if (heldFor(now.type, column.type) !== "all") {
      const [source, manifest, dataType] = [now.type.text, exactType(column.type), dataTypeFor(now.type)];
      add({ kind: "type_changed", ...at, source, manifest, dataType });
    }
    if (!column.nullable && !now.notNull && !live.keyless) add({ kind: "column_nullable", ...at });
  }
  for (const column of missingColumns(
    live,
    stageColumns(table).map(({ name }) => name),
  )) {
    const [source, dataType] = [column.type.text, dataTypeFor(column.type)];
    add({ kind: "column_new", table: table.name, column: column.name, source, dataType });
  }
  if (!live.keyless && live.primaryKey.toSorted().join("\0") !== table.primaryKey.toSorted().join("\0")) {
    add({ kind: "key_changed", table: table.name, source: live.primaryKey, manifest: table.primaryKey });
  }
  return found;
}

/**
 * Which values of the column the manifest's type holds. A narrower type of the same kind does not hold all (the source was widened); one that
 * somebody chose for a type without bounds (`numeric` as `decimal(38,9)`) counts as if it did: its values are checked one by one.
 */
export function heldFor(live: PostgresType, type: WarehouseType): "all" | "some" | "none" {
  const fit = fitOf(live, type);
  if (!fit.fits) return "none";
  const proven = fit.checks.every(({ check }) => check === "finite" || check === "calendar" || check === "day");
  const proposed = parseDataType(dataTypeFor(live));
  return proven || proposed?.kind !== type.kind || exactType(proposed) === exactType(type) ? "all" : "some";
}

/** Columns that can be added: a name that differs only in case, or is one of the load's own, has no place in the stage table. */
export function missingColumns<Column extends { readonly name: string }>(
  live: { readonly columns: readonly Column[] },
  present: readonly string[],
): readonly Column[] {
  const taken = new Set([SYNCED_AT, BATCH_ID, ...present.map((name) => name.toLowerCase())]);
  return live.columns.filter(({ name }) => {
    const fresh = !taken.has(name.toLowerCase());
    taken.add(name.toLowerCase());
    return fresh;
  });
}

/** One line for a person. */
export function describeDifference(difference: ManifestDifference): string {
  const { table } = difference;
  switch (difference.kind) {
    case "table_new":
      return `+ ${table}: a table that the manifest lacks`;
    case "table_gone":
      return `- ${table}: the source has it no more`;
    case "column_new":
      return `+ ${table}.${difference.column}: ${difference.source}, to be loaded as ${difference.dataType}`;
    case "column_gone":
      return `- ${table}.${difference.column}: the source has it no more`;
    case "column_nullable":
      return `~ ${table}.${difference.column}: may be NULL in the source, not in the manifest`;
    case "type_changed":
      return `~ ${table}.${difference.column}: ${difference.source} in the source, ${difference.manifest} in the manifest; write data_type: ${difference.dataType}`;
    case "key_changed":
      return `~ ${table}: the source's key is (${difference.source.join(", ")}), the manifest's (${difference.manifest.join(", ")})`;
  }
}
