/** Files onto the stage and into incoming tables, and how the value that did not fit is found. */
import { resolve } from "node:path";
import { columnOf, type ManifestColumn, type ManifestTable } from "../../../manifest/manifest.ts";
import { exactType, MAX_BINARY, MAX_VARCHAR, type WarehouseType } from "../../../manifest/warehouse-type.ts";
import type { IncomingPurpose } from "../../warehouse.ts";
import type { Statement } from "../statement.ts";
import { name, stagePath, value } from "./names.ts";

const TEXT = `VARCHAR(${MAX_VARCHAR})`;
/** Takes the constant that stands behind a single nullable column. */
const PADDING = name("nd_padding");

/** The columns of a file, in its order. */
export function incomingColumns(table: ManifestTable, purpose: IncomingPurpose): readonly ManifestColumn[] {
  return purpose === "rows" ? table.columns : table.primaryKey.map((column) => columnOf(table, column));
}

export interface IncomingShape {
  readonly table: ManifestTable;
  readonly columns: readonly ManifestColumn[];
  /** Quoted name of the table that takes the rows. */
  readonly target: string;
}

/**
 * Types that are read as text and converted when they are published. COPY would take them, but not as we need it: `Infinity` is written `inf`
 * (https://docs.snowflake.com/en/sql-reference/data-types-numeric#special-values), and what COPY makes of JSON in a CSV field is not
 * documented.
 */
export function isReadAsText(type: WarehouseType): boolean {
  return type.kind === "float" || type.kind === "variant";
}

/**
 * Transient: https://docs.snowflake.com/en/user-guide/tables-temp-transient; without Time Travel, which nobody needs of rows on their way in.
 * Keys may be NULL here: the check finds them and names the row, which a constraint could not.
 */
export function createIncomingTable({ table, columns, target }: IncomingShape): Statement {
  const definitions = columns.map(({ name: column, type, nullable }) => {
    const required = !nullable && !table.primaryKey.includes(column);
    return `${name(column)} ${isReadAsText(type) ? TEXT : exactType(type)}${required ? " NOT NULL" : ""}`;
  });
  return createTransient(table, target, [...definitions, ...paddingDefinition(columns)]);
}

/** Takes everything as text, to find out what the typed table refused. */
export function createTextTable({ table, columns, target }: IncomingShape): Statement {
  const definitions = columns.map(({ name: column }) => `${name(column)} ${TEXT}`);
  return createTransient(table, target, [...definitions, ...paddingDefinition(columns)]);
}

function createTransient(table: ManifestTable, target: string, definitions: readonly string[]): Statement {
  return {
    sql: `CREATE TRANSIENT TABLE ${target} (${definitions.join(", ")}) DATA_RETENTION_TIME_IN_DAYS = 0`,
    step: "stage",
    subject: table.name,
    metered: false,
  };
}

function paddingDefinition(columns: readonly ManifestColumn[]): string[] {
  return isPadded(columns) ? [`${PADDING} ${TEXT}`] : [];
}

function isPadded(columns: readonly ManifestColumn[]): boolean {
  return columns.length === 1 && columns.some(({ nullable }) => nullable);
}

/** https://docs.snowflake.com/en/sql-reference/sql/put. A plain file is compressed on the way; the driver (3.3) does not take SOURCE_COMPRESSION = NONE. */
export function putFile(table: ManifestTable, path: string, folder: string): Statement {
  const compression = path.endsWith(".gz") ? "SOURCE_COMPRESSION = GZIP AUTO_COMPRESS = FALSE" : "AUTO_COMPRESS = TRUE";
  return {
    sql: `PUT ${value(`file://${resolve(path)}`)} ${stagePath(folder)} ${compression} OVERWRITE = TRUE`,
    step: "stage",
    subject: table.name,
    metered: false,
  };
}

/**
 * The files as PostgreSQL's COPY writes them (see Incoming.add). Every option whose default would change a value is said:
 * https://docs.snowflake.com/en/sql-reference/sql/copy-into-table#type-csv
 *
 * - a quoted "" is an empty text, an unquoted empty field is NULL, and `\N` a text: EMPTY_FIELD_AS_NULL, NULL_IF = ()
 * - `\` is itself: ESCAPE and ESCAPE_UNENCLOSED_FIELD
 * - timestamps and times come with and without a fraction, with and without an offset: AUTO knows these forms
 */
const FILE_FORMAT = [
  "TYPE = CSV",
  "COMPRESSION = GZIP",
  String.raw`RECORD_DELIMITER = '\n'`,
  "FIELD_DELIMITER = ','",
  "MULTI_LINE = TRUE",
  "SKIP_HEADER = 0",
  "SKIP_BLANK_LINES = FALSE",
  "DATE_FORMAT = 'YYYY-MM-DD'",
  "TIME_FORMAT = AUTO",
  "TIMESTAMP_FORMAT = AUTO",
  "BINARY_FORMAT = HEX",
  "ESCAPE = NONE",
  "ESCAPE_UNENCLOSED_FIELD = NONE",
  "TRIM_SPACE = FALSE",
  `FIELD_OPTIONALLY_ENCLOSED_BY = '"'`,
  "NULL_IF = ()",
  "ERROR_ON_COLUMN_COUNT_MISMATCH = TRUE",
  "REPLACE_INVALID_CHARACTERS = FALSE",
  "EMPTY_FIELD_AS_NULL = TRUE",
  "SKIP_BYTE_ORDER_MARK = FALSE",
  "ENCODING = 'UTF8'",
].join(" ");

/** All files of the folder in one statement: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table */
export function copyFiles({ table, columns, target }: IncomingShape, folder: string): Statement {
  const names = columns.map(({ name: column }) => name(column));
  const all = isPadded(columns) ? [...names, PADDING] : names;
  return {
    sql: `COPY INTO ${target} (${all.join(", ")}) FROM ${stagePath(folder)} FILE_FORMAT = (${FILE_FORMAT}) ON_ERROR = ABORT_STATEMENT PURGE = FALSE TRUNCATECOLUMNS = FALSE`,
    step: "load",
    subject: table.name,
    metered: true,
  };
}

/** One key that has a NULL in it, or that several rows share: rows, rows with NULL, the key's values. */
export function findBadKey({ table, target }: IncomingShape): Statement {
  const keys = table.primaryKey.map((column) => name(column));
  const isNull = `COUNT_IF(${keys.map((key) => `${key} IS NULL`).join(" OR ")})`;
  const texts = table.primaryKey.map((column) => asText(name(column), columnOf(table, column).type));
  return {
    sql: `SELECT COUNT(*), ${isNull}, ${texts.join(", ")} FROM ${target} GROUP BY ${keys.join(", ")} HAVING COUNT(*) > 1 OR ${isNull} > 0 ORDER BY 2 DESC LIMIT 1`,
    step: "check",
    subject: table.name,
    metered: true,
  };
}

function asText(column: string, type: WarehouseType): string {
  return isReadAsText(type) ? column : `TO_VARCHAR(${column})`;
}

/** The first row (of those that hold texts) with a value that its column cannot hold: column, value, key. */
export function findMisfit({ table, columns, target }: IncomingShape, checked: readonly ManifestColumn[]): Statement {
  const checks = checked.map((column) => ({
    column: name(column.name),
    label: value(column.name),
    wrong: misfit(table, column),
  }));
  const cases = (result: (check: (typeof checks)[number]) => string): string =>
    `CASE ${checks.map((check) => `WHEN ${check.wrong} THEN ${result(check)}`).join(" ")} END`;
  const there = new Set(columns.map((column) => column.name));
  const keys = table.primaryKey
    .filter((column) => there.has(column))
    .map((column) => `COALESCE(TO_VARCHAR(${name(column)}), 'NULL')`);
  const key = keys.length === 0 ? "NULL" : `CONCAT_WS(', ', ${keys.join(", ")})`;
  return {
    sql: [
      `SELECT ${cases(({ label }) => label)}, LEFT(${cases(({ column }) => column)}, 80), ${key}`,
      `FROM ${target} WHERE ${checks.map(({ wrong }) => `(${wrong})`).join(" OR ")} LIMIT 1`,
    ].join(" "),
    step: "check",
    subject: table.name,
    metered: true,
  };
}

/** For a column that holds the text. */
function misfit(table: ManifestTable, { name: own, type, nullable }: ManifestColumn): string {
  const column = name(own);
  const required = !nullable && !table.primaryKey.includes(own);
  const wrong = wrongText(column, type);
  return required ? `${column} IS NULL OR ${wrong}` : wrong;
}

/** NULL of a TRY_ function on a text that is none: https://docs.snowflake.com/en/sql-reference/functions/try_cast */
function wrongText(column: string, type: WarehouseType): string {
  const refused = (attempt: string): string => `${column} IS NOT NULL AND ${attempt} IS NULL`;
  switch (type.kind) {
    case "number":
      return refused(`TRY_TO_NUMBER(${column}, ${type.precision}, ${type.scale})`);
    case "varchar":
      return `LENGTH(${column}) > ${type.length}`;
    case "float":
      return refused(`TRY_TO_DOUBLE(${readFloat(column)})`);
    case "boolean":
      return refused(`TRY_TO_BOOLEAN(${column})`);
    case "date":
      return refused(`TRY_TO_DATE(${column}, 'YYYY-MM-DD')`);
    case "time":
      return refused(`TRY_TO_TIME(${column})`);
    case "timestamp_ltz":
    case "timestamp_ntz":
    case "timestamp_tz":
      return refused(`TRY_TO_${type.kind.toUpperCase()}(${column})`);
    case "binary": {
      const long = type.length === MAX_BINARY ? "" : ` OR LENGTH(${column}) > ${2 * type.length}`;
      return `${refused(`TRY_TO_BINARY(${column}, 'HEX')`)}${long}`;
    }
    case "variant":
      // Says what is wrong with a text that is no JSON: https://docs.snowflake.com/en/sql-reference/functions/check_json
      return `CHECK_JSON(${column}) IS NOT NULL`;
  }
}

/** PostgreSQL's text of a float in the form that Snowflake reads. */
function readFloat(column: string): string {
  return `REPLACE(${column}, 'Infinity', 'inf')`;
}

/** An incoming column as the stage table's value. */
export function convertedColumn({ name: own, type }: ManifestColumn): string {
  const column = name(own);
  if (type.kind === "float") return `TO_DOUBLE(${readFloat(column)})`;
  return type.kind === "variant" ? `PARSE_JSON(${column})` : column;
}
