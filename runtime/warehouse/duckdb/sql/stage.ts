/** Stage tables: how they are made from the manifest, and what has to change when the manifest has. */
import { rewindWatermark } from "./bookkeeping.ts";
import { identifier, literal } from "../../../core/sql.ts";
import { namedColumns, type Warning } from "../../../core/warning.ts";
import { stageColumns, type ManifestColumn, type ManifestTable } from "../../../manifest/manifest.ts";
import { exactType } from "../../../manifest/warehouse-type.ts";
import { duckdbType, exactTypeOf, widens } from "../duckdb-type.ts";
import { stageTable } from "./names.ts";

/** A column as DuckDB's catalogue shows it. */
export interface LiveColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  /** Whether it holds a NULL. Only asked where the manifest now says NOT NULL. */
  readonly hasNulls?: boolean | undefined;
}

export interface StageChange {
  /** Statements that bring the table in line with the manifest. */
  readonly statements: readonly string[];
  /** What cannot be brought in line, each with what to do. */
  readonly differences: readonly string[];
  /** Columns that the manifest does not have. They keep what they hold. */
  readonly left: readonly string[];
}

export function createStageTable(table: ManifestTable): string[] {
  const columns = stageColumns(table).map((column) => columnDefinition(column));
  return [`CREATE TABLE ${stageTable(table)} (${columns.join(", ")})`, ...comments(table, stageColumns(table))];
}

function columnDefinition({ name, type, nullable }: ManifestColumn): string {
  return `${identifier(name)} ${duckdbType(type)}${nullable ? "" : " NOT NULL"}`;
}

function comments(table: ManifestTable, columns: readonly ManifestColumn[]): string[] {
  const target = stageTable(table);
  const ofTable =
    table.description === undefined ? [] : [`COMMENT ON TABLE ${target} IS ${literal(table.description)}`];
  return [...ofTable, ...columns.flatMap((column) => columnComment(target, column))];
}

function columnComment(target: string, { name, description }: ManifestColumn): string[] {
  return description === undefined
    ? []
    : [`COMMENT ON COLUMN ${target}.${identifier(name)} IS ${literal(description)}`];
}

/**
 * Compares by name, without regard to case and to order: columns that were appended stand behind those that the load adds.
 *
 * NOT NULL waits until no row is in its way: the batch that reads a changed table whole comes after this.
 */
export function changeStageTable(table: ManifestTable, live: readonly LiveColumn[]): StageChange {
  const target = stageTable(table);
  const statements: string[] = [];
  const differences: string[] = [];
  const found = new Map(live.map((column) => [column.name.toLowerCase(), column]));
  const alter = (change: string): void => void statements.push(`ALTER TABLE ${target} ${change}`);
  for (const column of stageColumns(table)) {
    const before = found.get(column.name.toLowerCase());
    found.delete(column.name.toLowerCase());
    const name = identifier(column.name);
    if (!before && table.columns.includes(column)) {
      alter(`ADD COLUMN ${columnDefinition({ ...column, nullable: true })}`);
      statements.push(...columnComment(target, column), rewindWatermark(table.name));
    } else if (!before) {
      differences.push(
        `${table.name}.${column.name} is missing, by which the load knows its rows: DROP TABLE ${target} to load the table anew`,
      );
    } else {
      const type = duckdbType(column.type);
      // A text holds whatever was there; the batch that follows writes it as PostgreSQL does.
      if (before.type !== type && (widens(before.type, type) || type === "VARCHAR"))
        alter(`ALTER COLUMN ${name} TYPE ${type}`);
      else if (before.type !== type) {
        differences.push(
          `${table.name}.${column.name} is ${exactTypeOf(before.type)} in the warehouse and ${exactType(column.type)} in the manifest: correct data_type, or DROP TABLE ${target} to load the table anew`,
        );
      } else if (column.nullable && !before.nullable) alter(`ALTER COLUMN ${name} DROP NOT NULL`);
      else if (!column.nullable && before.nullable && before.hasNulls !== true)
        alter(`ALTER COLUMN ${name} SET NOT NULL`);
    }
  }
  for (const { name, nullable } of found.values()) {
    if (!nullable) alter(`ALTER COLUMN ${identifier(name)} DROP NOT NULL`);
  }
  return { statements, differences, left: [...found.values()].map(({ name }) => name) };
}

/** What is to be said of columns that the manifest does not have. */
export function leftColumns(table: ManifestTable, left: readonly string[]): readonly Warning[] {
  if (left.length === 0) return [];
  const drop = left.map((name) => `ALTER TABLE ${stageTable(table)} DROP COLUMN ${identifier(name)};`);
  return [
    {
      kind: "stage_column_left",
      table: table.name,
      columns: left,
      message: `The stage table ${table.name} has ${namedColumns(left)} that the manifest lacks: rows keep the value that they have there until the table is loaded anew, and new ones have none.`,
      remedy: `Add it to the manifest again, or let it go in the warehouse: ${drop.join(" ")}`,
    },
  ];
}

/** Which of the columns that are to become NOT NULL hold a NULL; one row of booleans. */
export function findNulls(table: ManifestTable, columns: readonly string[]): string {
  const asked = columns.map((column) => `count(*) > count(${identifier(column)})`);
  return `SELECT ${asked.join(", ")} FROM ${stageTable(table)}`;
}
