/** Snowflake's errors, with the numbers, SQLSTATEs and texts that its clients see. */

export class SnowflakeError extends Error {
  override readonly name = "SnowflakeError";
  readonly code: string;
  readonly sqlState: string;

  constructor(code: string, sqlState: string, message: string) {
    super(message);
    this.code = code;
    this.sqlState = sqlState;
  }
}

const compilation = (code: string, sqlState: string, message: string): SnowflakeError =>
  new SnowflakeError(code, sqlState, `SQL compilation error:\n${message}`);

/** @param column counted from 0, as Snowflake counts it */
export const syntaxError = (line: number, column: number, unexpected: string): SnowflakeError =>
  compilation("001003", "42000", `syntax error line ${line} at position ${column} unexpected '${unexpected}'.`);

export const unknownShape = (sql: string): SnowflakeError =>
  compilation("001003", "42000", `The test server does not know the shape of this statement: ${sql.slice(0, 2000)}`);

/** https://docs.snowflake.com/en/sql-reference/parameters#multi-statement-count */
export const severalStatements = (count: number): SnowflakeError =>
  new SnowflakeError("000008", "0A000", `Actual statement count ${count} did not match the desired statement count 1.`);

export const unsupported = (what: string): SnowflakeError =>
  compilation("000002", "0A000", `Unsupported feature '${what}'.`);

export const invalidIdentifier = (line: number, column: number, name: string): SnowflakeError =>
  new SnowflakeError(
    "000904",
    "42000",
    `SQL compilation error: error line ${line} at position ${column}\ninvalid identifier '${name}'`,
  );

export const unknownFunction = (name: string): SnowflakeError =>
  compilation("002140", "42601", `Unknown function ${name}`);

/** @param kind Object, Table, View, Schema, Stage, Warehouse */
export const notFound = (kind: string, name: string): SnowflakeError =>
  compilation("002003", kind === "Schema" ? "02000" : "42S02", `${kind} '${name}' does not exist or not authorized.`);

export const alreadyExists = (name: string): SnowflakeError =>
  compilation("002002", "42710", `Object '${name}' already exists.`);

export const otherKind = (name: string, kind: string): SnowflakeError =>
  compilation("002203", "42710", `Object '${name}' already exists as ${kind}`);

/** @param what database or schema */
export const noCurrent = (what: "database" | "schema", verb: string): SnowflakeError =>
  new SnowflakeError(
    what === "database" ? "090105" : "090106",
    "22000",
    `Cannot perform ${verb}. This session does not have a current ${what}. Call 'USE ${what.toUpperCase()}', or use a qualified name.`,
  );

/** @param kind schema, table, stage, … in lower case */
export const insufficientPrivileges = (kind: string, name: string): SnowflakeError =>
  new SnowflakeError(
    "003001",
    "42501",
    `SQL access control error:\nInsufficient privileges to operate on ${kind} '${name}'.`,
  );

export const noWarehouse = (): SnowflakeError =>
  new SnowflakeError(
    "000606",
    "57P03",
    "No active warehouse selected in the current session.  Select an active warehouse with the 'use warehouse' command.",
  );

/** https://github.com/PostHog/posthog/pull/37608 quotes it. */
export const suspendedWarehouse = (name: string): SnowflakeError =>
  new SnowflakeError(
    "000608",
    "57P03",
    `Warehouse '${name}' is suspended.  Use 'alter warehouse ${name} resume;' command if you need to use it again.`,
  );

/** https://github.com/appsmithorg/appsmith/issues/39303 quotes it. */
export const quotaExceeded = (warehouse: string, monitor: string): SnowflakeError =>
  new SnowflakeError(
    "090073",
    "57014",
    `Warehouse '${warehouse}' cannot be resumed because resource monitor '${monitor}' has exceeded its quota.`,
  );

export const cancelled = (): SnowflakeError => new SnowflakeError("000604", "57014", "SQL execution canceled");

/** https://github.com/estuary/flow/issues/238 quotes it. */
export const timedOut = (seconds: number): SnowflakeError =>
  new SnowflakeError(
    "000630",
    "57014",
    `Statement reached its statement or warehouse timeout of ${seconds} second(s) and was canceled.`,
  );

export const lockTimedOut = (statement: string, table: string, transaction: string): SnowflakeError =>
  new SnowflakeError(
    "000625",
    "57014",
    `Statement '${statement}' has locked table '${table}' in transaction ${transaction} and this lock has not yet been released.`,
  );

/** https://github.com/dbt-labs/dbt-core/issues/10432 quotes it. */
export const duplicateRow = (values: string): SnowflakeError =>
  new SnowflakeError("100090", "42P18", `Duplicate row detected during DML action\nRow Values: [${values}]`);

export const divisionByZero = (): SnowflakeError => new SnowflakeError("100051", "22012", "Division by zero");

export const nullNotAllowed = (): SnowflakeError =>
  new SnowflakeError("100072", "22000", "NULL result in a non-nullable column");

export const tooLong = (value: string): SnowflakeError =>
  new SnowflakeError("100078", "22000", `String '${value}' is too long and would be truncated`);

/** COPY's own words for it: https://github.com/snowflakedb/snowflake-connector-python/issues/41. */
export const tooLongInFile = (length: number, value: string): SnowflakeError =>
  new SnowflakeError("100074", "54000", `User character length limit (${length}) exceeded by string '${value}'`);

export const notNumeric = (value: string): SnowflakeError =>
  new SnowflakeError("100038", "22018", `Numeric value '${value}' is not recognized`);

export const outOfRange = (value: string): SnowflakeError =>
  new SnowflakeError("100039", "22003", `Numeric value '${value}' is out of range`);

/** https://github.com/snowflakedb/snowpark-python/issues/2685 quotes it. */
export const outOfRepresentableRange = (type: string, value: string): SnowflakeError =>
  new SnowflakeError("100046", "22003", `Number out of representable range: type ${type}, value ${value}`);

const RECOGNIZED = {
  Timestamp: ["100035", "22007"],
  Boolean: ["100037", "22018"],
  Date: ["100040", "22007"],
  Time: ["100108", "22007"],
} as const;

export const notRecognized = (kind: keyof typeof RECOGNIZED, value: string): SnowflakeError =>
  new SnowflakeError(RECOGNIZED[kind][0], RECOGNIZED[kind][1], `${kind} '${value}' is not recognized`);

export const notHex = (value: string): SnowflakeError =>
  new SnowflakeError("100115", "22018", `The following string is not a legal hex-encoded value: '${value}'`);

/** https://github.com/transferwise/pipelinewise-target-snowflake/issues/298 quotes it. */
export const invalidJson = (reason: string): SnowflakeError =>
  new SnowflakeError("100069", "22P02", `Error parsing JSON: ${reason}`);

export const internal = (message: string): SnowflakeError =>
  new SnowflakeError("300002", "XX000", `The test server cannot go on: ${message}`);
