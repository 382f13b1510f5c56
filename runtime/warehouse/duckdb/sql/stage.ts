/** Stage tables: how they are made from the manifest, and what has to change when the manifest has. */
import { rewindWatermark } from "./bookkeeping.ts";
import { identifier, literal } from "../../../core/sql.ts";
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

/** Compares by name, without regard to case and to order: columns that were appended stand behind those that the load adds. */
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
    if (!before && column.nullable) {
      alter(`ADD COLUMN ${columnDefinition(column)}`);
      statements.push(...columnComment(target, column), rewindWatermark(table.name));
    } else if (!before) {
      differences.push(
        `${table.name}.${column.name} is new and NOT NULL, but rows that are there already have no value for it: make it nullable in the manifest, or DROP TABLE ${target} to load the table anew`,
      );
    } else {
      const type = duckdbType(column.type);
      if (before.type !== type && widens(before.type, type)) alter(`ALTER COLUMN ${name} TYPE ${type}`);
      else if (before.type !== type) {
        differences.push(
          `${table.name}.${column.name} is ${exactTypeOf(before.type)} in the warehouse and ${exactType(column.type)} in the manifest: correct data_type, or DROP TABLE ${target} to load the table anew`,
        );
      } else if (column.nullable && !before.nullable) alter(`ALTER COLUMN ${name} DROP NOT NULL`);
      else if (!column.nullable && before.nullable && before.hasNulls === true) {
        differences.push(
          `${table.name}.${column.name} is NOT NULL in the manifest, but has NULLs in the warehouse: make it nullable in the manifest, or DROP TABLE ${target} to load the table anew`,
        );
      } else if (!column.nullable && before.nullable) alter(`ALTER COLUMN ${name} SET NOT NULL`);
    }
  }
  for (const extra of found.values()) {
    if (extra.nullable) continue;
    differences.push(
      `${table.name}.${extra.name} is NOT NULL in the warehouse and not in the manifest: add it to the manifest, or run ALTER TABLE ${target} DROP COLUMN ${identifier(extra.name)}`,
    );
  }
  return { statements, differences };
}

/** Which of the columns that are to become NOT NULL hold a NULL; one row of booleans. */
export function findNulls(table: ManifestTable, columns: readonly string[]): string {
  const asked = columns.map((column) => `count(*) > count(${identifier(column)})`);
  return `SELECT ${asked.join(", ")} FROM ${stageTable(table)}`;
}
