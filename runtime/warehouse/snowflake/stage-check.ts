/** Whether a stage table is what the manifest says; the infrastructure program makes and changes it, never the runtime. */
import { stageColumns, type ManifestColumn, type ManifestTable } from "../../manifest/manifest.ts";
import { namedColumns, type Warning } from "../../core/warning.ts";
import { exactType, parseLiveType, type WarehouseType } from "../../manifest/warehouse-type.ts";

/** A column as DESCRIBE shows it. */
export interface LiveColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

export interface StageComparison {
  /** What the load cannot work with. */
  readonly differences: readonly string[];
  /** Columns that the manifest does not have, and that the load does not write. */
  readonly extra: readonly string[];
}

/** By name, whatever the order: columns are appended at the end. @param live undefined if there is no such table */
export function compareStageTable(table: ManifestTable, live: readonly LiveColumn[] | undefined): StageComparison {
  if (!live)
    return { differences: [`${table.name} does not exist in schema ${table.schema.toUpperCase()}`], extra: [] };
  const found = new Map(live.map((column) => [column.name, column]));
  const differences: string[] = [];
  for (const column of stageColumns(table)) {
    const there = found.get(column.name.toUpperCase());
    found.delete(column.name.toUpperCase());
    differences.push(...compareColumn(table, column, there));
  }
  const extra = [...found.values()];
  for (const { name, nullable } of extra) {
    if (!nullable) differences.push(`${table.name}.${name} is NOT NULL in the warehouse, and not in the manifest`);
  }
  return { differences, extra: extra.filter(({ nullable }) => nullable).map(({ name }) => name) };
}

/** What is to be said of columns that the manifest does not have. */
export function leftColumns(table: ManifestTable, left: readonly string[]): readonly Warning[] {
  if (left.length === 0) return [];
  return [
    {
      kind: "stage_column_left",
      table: table.name,
      columns: left,
      message: `The stage table ${table.name} has ${namedColumns(left)} that the manifest lacks: rows keep the value that they have there until the table is loaded anew, and new ones have none.`,
      remedy: "Add it to the manifest again, or let it go with `pulumi up`, once sql/manifest.lock.json allows that.",
    },
  ];
}

function compareColumn(table: ManifestTable, column: ManifestColumn, live: LiveColumn | undefined): readonly string[] {
  const label = `${table.name}.${column.name}`;
  if (!live) return [`${label} is missing in the warehouse`];
  const differences: string[] = [];
  const type = parseLiveType(live.type);
  if (!type || !holds(type, column.type)) {
    differences.push(`${label} is ${live.type} in the warehouse and ${exactType(column.type)} in the manifest`);
  }
  if (column.nullable && !live.nullable) {
    differences.push(`${label} is NOT NULL in the warehouse and nullable in the manifest`);
  }
  return differences;
}

/** Whether every value of the one type is, unchanged, a value of the other. */
function holds(live: WarehouseType, wanted: WarehouseType): boolean {
  if (live.kind === "number" && wanted.kind === "number") {
    return live.scale === wanted.scale && live.precision >= wanted.precision;
  }
  if ((live.kind === "varchar" && wanted.kind === "varchar") || (live.kind === "binary" && wanted.kind === "binary")) {
    return live.length >= wanted.length;
  }
  if (isTime(live) && isTime(wanted)) return live.kind === wanted.kind && live.precision >= wanted.precision;
  return live.kind === wanted.kind;
}

type TimeType = Extract<WarehouseType, { readonly kind: "time" | "timestamp_ltz" | "timestamp_ntz" | "timestamp_tz" }>;

function isTime(type: WarehouseType): type is TimeType {
  return type.kind === "time" || type.kind.startsWith("timestamp_");
}
