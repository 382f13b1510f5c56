/** Staged files into incoming tables: how a file is read exactly, and how the value that could not be read is found. */
import { identifier, literal } from "../../../core/sql.ts";
import { columnOf, type ManifestColumn, type ManifestTable } from "../../../manifest/manifest.ts";
import { isTimestamp, MAX_BINARY, MAX_VARCHAR, type WarehouseType } from "../../../manifest/warehouse-type.ts";
import type { IncomingPurpose } from "../../warehouse.ts";
import { duckdbType } from "../duckdb-type.ts";

/** The columns of a file, in its order. */
export function incomingColumns(table: ManifestTable, purpose: IncomingPurpose): readonly ManifestColumn[] {
  return purpose === "rows" ? table.columns : table.primaryKey.map((name) => columnOf(table, name));
}

/** Keys may be NULL here: `seal` finds them and names the row, which a constraint could not. */
export function createIncoming(
  target: string,
  table: ManifestTable,
  purpose: IncomingPurpose,
  attempt?: AttemptColumn,
): string {
  const columns = incomingColumns(table, purpose).map(({ name, type, nullable }) => {
    const required = !nullable && !table.primaryKey.includes(name);
    return `${identifier(name)} ${duckdbType(type)}${required ? " NOT NULL" : ""}`;
  });
  if (attempt) columns.push(`${identifier(attempt.name)} INTEGER NOT NULL`);
  return `CREATE OR REPLACE TABLE ${target} (${columns.join(", ")})`;
}

/** Tells rows of a first load that were taken in by one opening of it from those of others. */
export interface AttemptColumn {
  readonly name: string;
  /** Of this opening; those before it have lower numbers. */
  readonly number: number;
}

export interface FileToRead {
  readonly path: string;
  readonly columns: readonly ManifestColumn[];
  /** The file has one constant column more, so that a row whose only value is NULL is not a blank line. */
  readonly padded: boolean;
  /** Bytes of the reader's buffers. No row may be longer: most that are fail, but some are read wrong (DuckDB 1.5.5). */
  readonly buffer: number;
  /**
   * Whether several threads read, each from a place that it guesses to be the start of a row. Among long quoted texts the guess can fail, and
   * then the whole statement does ("The CSV Parser state machine reached an invalid state"), whatever the size of the buffers (DuckDB 1.5.5).
   */
  readonly parallel: boolean;
}

export function insertFile(target: string, file: FileToRead, attempt?: AttemptColumn): string {
  const values = file.columns.map(({ type }, index) => readValue(`c${index}`, type));
  if (attempt) values.push(String(attempt.number));
  const types = file.columns.map(({ type }) => readType(type));
  return `INSERT INTO ${target} SELECT ${values.join(", ")} FROM ${readCsv(file, types)}`;
}

/**
 * Every option is said, because DuckDB guesses those that are not; `new_line` too, or a file whose first row holds a quoted CR LF fails.
 * The default buffer is 16 lines of the maximum size: 32 MB for each thread.
 */
function readCsv(file: FileToRead, types: readonly string[]): string {
  const all = file.padded ? [...types, "VARCHAR"] : types;
  const columns = all.map((type, index) => `'c${index}': ${literal(type)}`);
  const options = [
    literal(escapeGlob(file.path)),
    "auto_detect=false",
    "header=false",
    "delim=','",
    `quote='"'`,
    `escape='"'`,
    "nullstr=''",
    "allow_quoted_nulls=false",
    String.raw`new_line='\n'`,
    `compression=${literal(file.path.endsWith(".gz") ? "gzip" : "none")}`,
    `max_line_size=${file.buffer}`,
    `buffer_size=${file.buffer}`,
    ...(file.parallel ? [] : ["parallel=false"]),
    `columns={${columns.join(", ")}}`,
  ];
  return `read_csv(${options.join(", ")})`;
}

/** A path is a pattern to read_csv. */
function escapeGlob(path: string): string {
  return path.replaceAll(/[*?[]/g, "[$&]");
}

/**
 * What the CSV reader itself may convert. Not decimals, which it rounds ('1.239' to 1.24), nor dates and timestamps: a timestamp with zone
 * that is out of range or BC becomes NULL without an error, a BC date loses its BC (DuckDB 1.5.5). Reading those as text and casting them
 * costs nothing that could be measured. Integers are converted by the reader although it rounds '1.5' to 2: the check costs a third more
 * time, and no integer type of PostgreSQL has such a value.
 */
function readType(type: WarehouseType): string {
  const direct = type.kind === "boolean" || type.kind === "float" || type.kind === "time";
  return direct || duckdbType(type) === "BIGINT" ? duckdbType(type) : "VARCHAR";
}

function readValue(column: string, type: WarehouseType): string {
  const wrong = misfit(column, type);
  const value = readType(type) === duckdbType(type) ? column : converted(column, type);
  if (wrong === undefined) return value;
  if (isTimestamp(type)) {
    return `CASE ${whenSent(column, type)} WHEN ${wrong} THEN error('misfit') ELSE ${value} END`;
  }
  const usual = usuallyFits(column, type);
  const first = usual === undefined ? "" : `WHEN ${usual} THEN ${value} `;
  return `CASE ${first}WHEN ${wrong} THEN error('misfit') ELSE ${value} END`;
}

/** What nearly every value shows cheaply, so that the whole check is made for the others only: it would cost half as much as the reading. */
function usuallyFits(column: string, type: WarehouseType): string | undefined {
  if (type.kind === "number") {
    return `strlen(${column}) - strpos(${column}, '.') = ${type.scale} AND NOT contains(${column}, 'e')`;
  }
  if (type.kind === "varchar") return `strlen(${column}) <= ${type.length}`;
  return type.kind === "date" ? `strlen(${column}) = 10` : undefined;
}

function converted(column: string, type: WarehouseType): string {
  return type.kind === "binary" ? `unhex(${column})` : `CAST(${column} AS ${duckdbType(type)})`;
}

/** Microseconds from 1970 to 2000. */
const EPOCH = 946_684_800_000_000n;

/**
 * Timestamps as PostgreSQL sends them: `\x` and the sixteen digits of a number of 64 bits. From year 1 to 9999 the first two are 00 to 03, or ff
 * before 2000; whatever else begins with `\x` is no timestamp that a stage table takes.
 */
function whenSent(column: string, type: WarehouseType): string {
  const make = duckdbType(type) === "TIMESTAMP" ? "make_timestamp" : "make_timestamptz";
  // The first digit is left out, so that the number is never negative.
  const digits = `CAST('0x' || substr(${column}, 4) AS BIGINT)`;
  const later = `starts_with(${column}, ${literal(String.raw`\x0`)}) AND ${column} < ${literal(String.raw`\x04`)}`;
  const before = `starts_with(${column}, ${literal(String.raw`\xff`)})`;
  return `WHEN ${later} THEN ${make}(${digits} + ${EPOCH}) WHEN ${before} THEN ${make}(${digits} + ${EPOCH - (1n << 60n)})`;
}

/** What DuckDB would take, but change or keep beyond the column's type. */
function misfit(column: string, type: WarehouseType): string | undefined {
  switch (type.kind) {
    case "number":
      if (duckdbType(type) === "BIGINT") return undefined;
      return `contains(${column}, 'e') OR (contains(${column}, '.') AND length(rtrim(${column}, '0')) - strpos(${column}, '.') > ${type.scale})`;
    case "varchar":
      return type.length === MAX_VARCHAR ? undefined : `length(${column}) > ${type.length}`;
    case "binary": {
      const odd = `length(${column}) % 2 = 1`;
      return type.length === MAX_BINARY ? odd : `${odd} OR length(${column}) > ${2 * type.length}`;
    }
    case "date":
      return `contains(${column}, 'BC') OR contains(${column}, 'inf')`;
    case "timestamp_ltz":
    case "timestamp_ntz":
    case "timestamp_tz":
      // `infinity` is shorter than any timestamp or date; BC is refused by the cast.
      return `strlen(${column}) < 10`;
    case "float":
    case "boolean":
    case "time":
    case "variant":
      return undefined;
  }
}

/** Finds the first value that `insertFile` could not take: row of the file, column, text, key. Slow, for the error message only. */
export function findMisfit(file: FileToRead, table: ManifestTable): string {
  const checks = file.columns.map((column, index) => {
    const text = `c${index}`;
    const wrong = [`(${text} IS NOT NULL AND ${tried(text, column.type)} IS NULL)`];
    const beyond = misfit(text, column.type);
    if (beyond !== undefined) wrong.push(`coalesce(${beyond}, FALSE)`);
    if (!column.nullable && !table.primaryKey.includes(column.name)) wrong.push(`${text} IS NULL`);
    return { column, text, wrong: wrong.join(" OR ") };
  });
  const keys = table.primaryKey.map((name) => `c${file.columns.findIndex((column) => column.name === name)}`);
  const when = (value: (check: (typeof checks)[number]) => string): string =>
    `CASE ${checks.map((check) => `WHEN ${check.wrong} THEN ${value(check)}`).join(" ")} END`;
  const key = keys.length === 0 || keys.includes("c-1") ? "NULL" : `concat_ws(', ', ${keys.join(", ")})`;
  const types = file.columns.map(() => "VARCHAR");
  return [
    `SELECT row, ${when(({ column }) => literal(column.name))}, left(${when(({ text }) => text)}, 80), ${key}`,
    `FROM (SELECT row_number() OVER () AS row, * FROM ${readCsv({ ...file, parallel: false }, types)})`,
    `WHERE ${checks.map(({ wrong }) => `(${wrong})`).join(" OR ")} ORDER BY row LIMIT 1`,
  ].join(" ");
}

function tried(column: string, type: WarehouseType): string {
  if (type.kind === "binary") return `CASE WHEN regexp_full_match(lower(${column}), '([0-9a-f]{2})*') THEN TRUE END`;
  if (isTimestamp(type)) {
    return `CASE ${whenSent(column, type)} ELSE TRY_CAST(${column} AS ${duckdbType(type)}) END`;
  }
  return `TRY_CAST(${column} AS ${duckdbType(type)})`;
}

export function countRows(target: string): string {
  return `SELECT count(*) FROM ${target}`;
}

/** Their number, and for each column of the key how many have a value in it. */
export function countRowsAndKeys(target: string, primaryKey: readonly string[]): string {
  return `SELECT ${["*", ...primaryKey.map((name) => identifier(name))].map((what) => `count(${what})`).join(", ")} FROM ${target}`;
}

/** One key that has a NULL in it. */
export function findNullKey(target: string, primaryKey: readonly string[]): string {
  const keys = primaryKey.map((name) => identifier(name));
  return `SELECT ${keys.map(asText).join(", ")} FROM ${target} WHERE ${keys.map((key) => `${key} IS NULL`).join(" OR ")} LIMIT 1`;
}

/** One key that several rows share, and how many. */
export function findDuplicateKey(target: string, primaryKey: readonly string[]): string {
  const keys = primaryKey.map((name) => identifier(name));
  return `SELECT count(*), ${keys.map(asText).join(", ")} FROM ${target} GROUP BY ${keys.join(", ")} HAVING count(*) > 1 LIMIT 1`;
}

function asText(column: string): string {
  return `CAST(${column} AS VARCHAR)`;
}
