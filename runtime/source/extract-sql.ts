/** The SELECT and COPY statements of an extract, as text. */
import { identifier, literal } from "../core/sql.ts";
import { columnOf, type ManifestColumn, type ManifestTable } from "../manifest/manifest.ts";
import { fitOf, textFormOf, type PostgresType, type ValueCheck } from "../manifest/postgres-type.ts";
import { exactType } from "../manifest/warehouse-type.ts";
import type { Relation, RelationColumn } from "./catalogue.ts";
import { guarded } from "./value-guard.ts";

export interface ExtractSql {
  /** Output columns with their expressions. */
  readonly columns: readonly { readonly name: string; readonly sql: string; readonly quoted: boolean }[];
  readonly where: string | undefined;
}

export interface ExtractShape {
  readonly table: ManifestTable;
  readonly relation: Relation;
  readonly what: "rows" | "keys";
  readonly since?: string | undefined;
}

/** @throws RangeError if the relation lacks a column of the manifest, which preflight rules out */
export function extractSql({ table, relation, what, since }: ExtractShape): ExtractSql {
  const wanted = what === "rows" ? table.columns : table.primaryKey.map((name) => columnOf(table, name));
  const columns = wanted.map((column) => columnSql(table, relation, column));
  // A row whose only column is NULL would be a blank line, which readers of CSV skip.
  if (wanted.length === 1 && wanted[0]?.nullable) columns.push({ name: "novadrive_filler", sql: "1", quoted: false });
  return { columns, where: since === undefined ? undefined : sinceSql(table, relation, since) };
}

function columnSql(table: ManifestTable, relation: Relation, column: ManifestColumn) {
  const live = liveColumn(relation, column.name);
  const form = textFormOf(live.type, column.type);
  const value = form === "numeric" ? `${identifier(column.name)}::numeric` : identifier(column.name);
  const sql = guarded({
    table: table.name,
    column: column.name,
    value,
    output: outputOf(value, live.type, form),
    castType: form === "plain" ? live.type.name : form === "numeric" ? "numeric" : "text",
    checks: checksOf(live, column),
    primaryKey: table.primaryKey,
    hasCtid: relation.kind !== "v" && relation.kind !== "f",
    target: exactType(column.type),
  });
  return { name: column.name, sql, quoted: form === "text" || form === "hex" };
}

function checksOf(live: RelationColumn, column: ManifestColumn): readonly ValueCheck[] {
  const fit = fitOf(live.type, column.type);
  if (!fit.fits) throw new RangeError(`${column.name}: ${live.type.text} does not fit ${exactType(column.type)}`);
  return !column.nullable && !live.notNull ? [...fit.checks, { check: "not_null" }] : fit.checks;
}

function outputOf(value: string, type: PostgresType, form: ReturnType<typeof textFormOf>): string {
  if (form === "plain" || form === "numeric") return value;
  if (form === "hex") return `encode(${value}, 'hex')`;
  return type.name === "text" || type.name === "varchar" ? value : `${value}::text`;
}

/** Rows from the watermark on, and those whose cursor says nothing; the comparison is PostgreSQL's, on its own text. */
export function sinceSql(table: ManifestTable, relation: Relation, since: string): string {
  if (table.sync.cursor === undefined) throw new RangeError(`Table ${table.name} has no cursor`);
  const cursor = identifier(table.sync.cursor);
  const { type } = liveColumn(relation, table.sync.cursor);
  return `(${cursor} >= ${literal(since)}::${type.name} OR ${cursor} IS NULL)`;
}

export function liveColumn(relation: Relation, name: string): RelationColumn {
  const column = relation.columns.find((candidate) => candidate.name === name);
  if (!column) throw new RangeError(`${relation.schema}.${relation.name} has no column ${name}`);
  return column;
}

/** Heap pages `from` to `to` (exclusive); open-ended without `to`, so that nothing can lie behind the last range. */
export interface PageRange {
  readonly from: number;
  readonly to?: number | undefined;
}

export function selectSql(
  { columns, where }: ExtractSql,
  from: { readonly schema: string; readonly name: string },
  range?: PageRange,
): string {
  const list = columns.map(({ name, sql }) => `${sql} AS ${identifier(name)}`).join(", ");
  const conditions: string[] = [];
  if (range && range.from > 0) conditions.push(`ctid >= '(${range.from},0)'::tid`);
  if (range?.to !== undefined) conditions.push(`ctid < '(${range.to},0)'::tid`);
  if (where !== undefined) conditions.push(where);
  const filter = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return `SELECT ${list} FROM ${identifier(from.schema, from.name)}${filter}`;
}

/** Text columns are always quoted, so that '' and NULL differ: NULL is the unquoted empty field. */
export function copySql({ columns }: ExtractSql, select: string): string {
  const quoted = columns.filter((column) => column.quoted).map(({ name }) => identifier(name));
  const force = quoted.length === 0 ? "" : `, FORCE_QUOTE (${quoted.join(", ")})`;
  return `COPY (${select}) TO STDOUT (FORMAT csv${force})`;
}
