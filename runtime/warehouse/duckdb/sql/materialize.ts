/** The statements that build a model. `select` is SQL that DuckDB understands already. */
import { identifier, literal } from "../../../core/sql.ts";
import type { Relation } from "../../warehouse.ts";

/** Where the rows of an incremental model wait to be merged; temporary tables belong to one connection. */
const RESULT = identifier("temp", "main", "nd_result");

export type RelationKind = "table" | "view";

function relationText({ schema, name }: Relation): string {
  return identifier(schema, name);
}

export function createSchema(schema: string): string {
  return `CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`;
}

/** Kind of the relation, if it is there. */
export function findRelation({ schema, name }: Relation): string {
  const where = (column: string): string =>
    `database_name = current_database() AND lower(schema_name) = lower(${literal(schema)}) AND lower(${column}) = lower(${literal(name)})`;
  return [
    `SELECT 'table' FROM duckdb_tables() WHERE ${where("table_name")}`,
    `SELECT 'view' FROM duckdb_views() WHERE ${where("view_name")}`,
  ].join(" UNION ALL ");
}

export function dropRelation(kind: RelationKind, relation: Relation): string {
  return `DROP ${kind.toUpperCase()} ${relationText(relation)}`;
}

/** Text before the SELECT: places that the engine names are counted from its start. */
export function createRelationPrefix(kind: RelationKind, relation: Relation): string {
  return `CREATE OR REPLACE ${kind.toUpperCase()} ${relationText(relation)} AS `;
}

export function createResultPrefix(): string {
  return `CREATE OR REPLACE TEMPORARY TABLE ${RESULT} AS `;
}

export function dropResult(): string {
  return `DROP TABLE IF EXISTS ${RESULT}`;
}

export function countRelation(relation: Relation): string {
  return `SELECT count(*) FROM ${relationText(relation)}`;
}

export function resultColumns(): string {
  return `SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'temp' AND table_name = 'nd_result' ORDER BY column_index`;
}

/** One key of the result that is NULL, or that several rows share. */
export function findBadKey(uniqueKey: readonly string[]): string {
  const keys = uniqueKey.map((name) => identifier(name));
  const isNull = keys.map((key) => `${key} IS NULL`).join(" OR ");
  const text = keys.map((key) => `coalesce(CAST(${key} AS VARCHAR), 'NULL')`).join(" || ', ' || ");
  return `SELECT ${text}, count(*), bool_or(${isNull}) FROM ${RESULT} GROUP BY ${keys.join(", ")} HAVING count(*) > 1 OR bool_or(${isNull}) LIMIT 1`;
}

export function insertResult(relation: Relation): string {
  return `INSERT INTO ${relationText(relation)} SELECT * FROM ${RESULT}`;
}

/** Equal rows stay untouched. */
export function mergeResult(relation: Relation, columns: readonly string[], uniqueKey: readonly string[]): string {
  const keys = new Set(uniqueKey.map((name) => name.toLowerCase()));
  const names = columns.map((name) => identifier(name));
  const others = columns.filter((name) => !keys.has(name.toLowerCase())).map((name) => identifier(name));
  const on = uniqueKey.map((name) => `t.${identifier(name)} = r.${identifier(name)}`).join(" AND ");
  const update =
    others.length === 0
      ? []
      : [
          `WHEN MATCHED AND (${others.map((name) => `t.${name} IS DISTINCT FROM r.${name}`).join(" OR ")})`,
          `THEN UPDATE SET ${others.map((name) => `${name} = r.${name}`).join(", ")}`,
        ];
  return [
    `MERGE INTO ${relationText(relation)} AS t USING ${RESULT} AS r ON ${on}`,
    ...update,
    `WHEN NOT MATCHED THEN INSERT (${names.join(", ")}) VALUES (${names.map((name) => `r.${name}`).join(", ")})`,
  ].join(" ");
}

export interface Descriptions {
  readonly kind: RelationKind;
  readonly relation: Relation;
  /** Columns that there are. */
  readonly columns: readonly string[];
  readonly description?: string | undefined;
  readonly columnDescriptions?: Readonly<Record<string, string>> | undefined;
}

/** Descriptions of columns that the model does not have are left out: they are the documentation's mistake, not the data's. */
export function commentRelation({
  kind,
  relation,
  columns,
  description,
  columnDescriptions = {},
}: Descriptions): string[] {
  const target = relationText(relation);
  const there = new Map(columns.map((name) => [name.toLowerCase(), name]));
  const ofColumns = Object.entries(columnDescriptions).flatMap(([name, text]) => {
    const column = there.get(name.toLowerCase());
    return column === undefined ? [] : [`COMMENT ON COLUMN ${target}.${identifier(column)} IS ${literal(text)}`];
  });
  const ofRelation =
    description === undefined ? [] : [`COMMENT ON ${kind.toUpperCase()} ${target} IS ${literal(description)}`];
  return [...ofRelation, ...ofColumns];
}
