/** The SELECT and COPY statements of an extract, as text. */
import { identifier } from "../core/sql.ts";
import { columnOf, type ManifestColumn, type ManifestTable } from "../manifest/manifest.ts";
import {
  countedChecks,
  fitOf,
  isNullSql,
  textFormOf,
  textSql,
  valueSql,
  type ValueCheck,
} from "../manifest/postgres-type.ts";
import { exactType, isTimestamp } from "../manifest/warehouse-type.ts";
import { liveColumn, type Relation, type RelationColumn } from "./catalogue.ts";
import { sinceSql, versionSql } from "./since-sql.ts";
import type { Since } from "./source.ts";
import { counting, fitting, guarded, type GuardedColumn } from "./value-guard.ts";

export interface ExtractSql {
  /** Output columns with their expressions. */
  readonly columns: readonly ExtractColumn[];
  readonly where: string | undefined;
}

interface ExtractColumn {
  readonly name: string;
  readonly sql: string;
  readonly quoted: boolean;
  /** The setting in which PostgreSQL counts the values that did not fit, where the manifest allows them. */
  readonly counter?: string | undefined;
}

export interface ExtractShape {
  readonly table: ManifestTable;
  readonly relation: Relation;
  readonly what: "rows" | "keys";
  readonly since?: Since | undefined;
  /** Whether values that do not fit, and are let through, are counted in settings, which have to hold numbers. */
  readonly counted?: boolean | undefined;
  /** As in StagedFileFormat. */
  readonly binaryTimestamps?: boolean | undefined;
}

/** @throws RangeError if the relation lacks a column of the manifest, which preflight rules out */
export function extractSql({
  table,
  relation,
  what,
  since,
  counted = false,
  binaryTimestamps = false,
}: ExtractShape): ExtractSql {
  const wanted = what === "rows" ? table.columns : table.primaryKey.map((name) => columnOf(table, name));
  const columns = wanted.map((column, index) =>
    columnSql(
      shapeOf({ table, relation, column, binaryTimestamps }),
      column,
      counted ? `novadrive.misfits_${index}` : undefined,
    ),
  );
  // A row whose only column is NULL would be a blank line, which readers of CSV skip.
  if (wanted.length === 1 && wanted[0]?.nullable) columns.push({ name: "novadrive_filler", sql: "1", quoted: false });
  return { columns, where: since === undefined ? undefined : sinceSql(table, relation, since) };
}

interface ColumnShape extends GuardedColumn {
  readonly live: RelationColumn;
  readonly quoted: boolean;
}

interface ColumnOf extends Pick<ExtractShape, "table" | "relation"> {
  readonly column: ManifestColumn;
  readonly binaryTimestamps: boolean;
}

function shapeOf({ table, relation, column, binaryTimestamps }: ColumnOf): ColumnShape {
  const live = liveColumn(relation, column.name);
  const value = valueSql(identifier(column.name), live.type);
  const valueType = live.type.name === "money" ? "numeric" : live.type.name;
  const text = textSql(value, live.type);
  const form = textFormOf(column.type);
  const sent = binaryTimestamps && isTimestamp(column.type) ? `${valueType}_send(${value})` : undefined;
  return {
    live,
    quoted: form !== "plain",
    table: table.name,
    column: column.name,
    value,
    valueType,
    isNull: isNullSql(value, live.type),
    text,
    output: sent ?? (form === "text" ? text : form === "hex" ? `encode(${value}, 'hex')` : value),
    outputType: sent !== undefined ? "bytea" : form === "plain" ? valueType : "text",
    checks: checksOf(live, column),
    primaryKey: table.primaryKey,
    hasCtid: relation.kind !== "v" && relation.kind !== "f",
    target: exactType(column.type),
  };
}

function columnSql(shape: ColumnShape, { name, onMisfit }: ManifestColumn, counter: string | undefined): ExtractColumn {
  const { quoted, live, checks } = shape;
  if (onMisfit === "null" && checks.length > 0) {
    if (counter === undefined) return { name, quoted, sql: fitting(shape) };
    return { name, quoted, counter, sql: counting(shape, counter, "NULL") };
  }
  const sql = guarded(shape);
  const natural = onMisfit === "text" ? countedChecks(live.type) : [];
  if (natural.length === 0 || counter === undefined) return { name, quoted, sql };
  return { name, quoted, counter, sql: counting({ ...shape, checks: natural, output: sql }, counter, sql) };
}

function checksOf(live: RelationColumn, column: ManifestColumn): readonly ValueCheck[] {
  const fit = fitOf(live.type, column.type);
  if (!fit.fits) throw new RangeError(`${column.name}: ${live.type.text} does not fit ${exactType(column.type)}`);
  return !column.nullable && !live.notNull ? [...fit.checks, { check: "not_null" }] : fit.checks;
}

/** Heap pages `from` to `to` (exclusive); open-ended without `to`, so that nothing can lie behind the last range. */
export interface PageRange {
  readonly from: number;
  readonly to?: number | undefined;
}

/** @param since only row versions of this transaction (xid8) and later ones */
export function selectSql(
  { columns, where }: ExtractSql,
  from: { readonly schema: string; readonly name: string },
  range?: PageRange,
  since?: string,
): string {
  const list = columns.map(({ name, sql }) => `${sql} AS ${identifier(name)}`).join(", ");
  const conditions: string[] = [];
  if (range && range.from > 0) conditions.push(`ctid >= '(${range.from},0)'::tid`);
  if (range?.to !== undefined) conditions.push(`ctid < '(${range.to},0)'::tid`);
  if (since !== undefined) conditions.push(versionSql(since));
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
