/** First loads that outlive the process which began them: what is noted of each, and how its rows become those of one snapshot. */
import { identifier, literal } from "../../../core/sql.ts";
import type { ManifestTable } from "../../../manifest/manifest.ts";
import type { FirstLoadRequest } from "../../warehouse.ts";
import type { AttemptColumn } from "./incoming.ts";
import { FIRST_LOAD_FILES, FIRST_LOADS, INCOMING, WATERMARKS } from "./names.ts";
import type { KeyPart } from "./publish.ts";

export function readFirstLoad(table: string): string {
  return `SELECT batch_id, openings, fence FROM ${FIRST_LOADS} WHERE table_name = ${literal(table)}`;
}

export function readFirstLoadFiles(table: string): string {
  return `SELECT note, row_count FROM ${FIRST_LOAD_FILES} WHERE table_name = ${literal(table)}`;
}

export function noteFirstLoad({ batchId, table, fence }: FirstLoadRequest, openings: number): string[] {
  const values = [table.name, batchId, openings, JSON.stringify(fence)].map((value) => literal(value));
  return [
    `DELETE FROM ${FIRST_LOADS} WHERE table_name = ${literal(table.name)}`,
    `INSERT INTO ${FIRST_LOADS} (table_name, batch_id, openings, fence) VALUES (${values.join(", ")})`,
  ];
}

export function noteFirstLoadFile(table: string, note: string, rows: number): string {
  const values = [table, note, rows].map((value) => literal(value));
  return `INSERT INTO ${FIRST_LOAD_FILES} (table_name, note, row_count) VALUES (${values.join(", ")})`;
}

export function forgetFirstLoad(table: string): string[] {
  return [FIRST_LOADS, FIRST_LOAD_FILES].map((name) => `DELETE FROM ${name} WHERE table_name = ${literal(table)}`);
}

/** Those of other tables, or of ones that were published. */
export function firstLoadsToForget(tables: readonly string[]): string {
  const wanted = tables.map((name) => literal(name)).join(", ");
  const gone = tables.length === 0 ? "TRUE" : `table_name NOT IN (${wanted})`;
  return `SELECT table_name FROM ${FIRST_LOADS} WHERE ${gone} OR table_name IN (SELECT table_name FROM ${WATERMARKS})`;
}

export function firstLoadsKept(): string {
  return `SELECT table_name FROM ${FIRST_LOADS}`;
}

export function incomingTables(): string {
  return `SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ${literal(INCOMING)}`;
}

/** A name that no column of the table has. */
export function attemptColumn(table: ManifestTable): string {
  const taken = new Set(table.columns.map(({ name }) => name.toLowerCase()));
  let name = "opening";
  while (taken.has(name)) name += "_";
  return name;
}

/** The openings that have left rows and how many, the latest first. */
export function openingsWithRows(target: string, attempt: AttemptColumn): string {
  const column = identifier(attempt.name);
  return `SELECT ${column}, count(*) FROM ${target} GROUP BY ${column} ORDER BY ${column} DESC`;
}

/** Rows of earlier openings that have a key which that one has taken in as well. */
export function deleteOlder(target: string, table: ManifestTable, attempt: AttemptColumn, part: KeyPart): string {
  const column = identifier(attempt.name);
  const key = table.primaryKey.map((name) => identifier(name)).join(", ");
  const newer = `SELECT ${key} FROM ${target} WHERE ${column} = ${attempt.number} AND ${among(table, "", part)}`;
  return `DELETE FROM ${target} AS o USING (${newer}) AS n WHERE o.${column} < ${attempt.number} AND ${sameKey(table, "o", "n")} AND ${among(table, "o.", part)}`;
}

/** Rows whose key is not among `keys`. */
export function deleteAbsent(target: string, table: ManifestTable, keys: string, part: KeyPart): string {
  const there = `SELECT 1 FROM ${keys} AS k WHERE ${sameKey(table, "t", "k")} AND ${among(table, "k.", part)}`;
  return `DELETE FROM ${target} AS t WHERE ${among(table, "t.", part)} AND NOT EXISTS (${there})`;
}

function sameKey({ primaryKey }: ManifestTable, left: string, right: string): string {
  return primaryKey.map((name) => `${left}.${identifier(name)} = ${right}.${identifier(name)}`).join(" AND ");
}

function among({ primaryKey }: ManifestTable, prefix: string, { index, of }: KeyPart): string {
  return of === 1
    ? "TRUE"
    : `hash(${primaryKey.map((name) => `${prefix}${identifier(name)}`).join(", ")}) % ${of} = ${index}`;
}
