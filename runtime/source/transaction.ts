/** The statements that begin a reader's transaction. */
import { literal } from "../core/sql.ts";

export interface TransactionLimits {
  /** Milliseconds that a statement may take; 0 for no limit. */
  readonly statementTimeout: number;
  /** Milliseconds to wait for a lock on a table. */
  readonly lockTimeout: number;
  /** server_version_num */
  readonly serverVersion: number;
}

/** Whatever the role, the database or the server set, text comes out in this one form; by SET LOCAL, which poolers forget with the transaction. */
const PINNED: Readonly<Record<string, string>> = {
  search_path: "pg_catalog",
  client_encoding: "UTF8",
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "iso_8601",
  extra_float_digits: "1",
  bytea_output: "hex",
  xmlbinary: "base64",
  quote_all_identifiers: "off",
  standard_conforming_strings: "on",
  // A policy would hide rows in silence: this turns it into an error.
  row_security: "off",
  // Compiling pays for scans of minutes only.
  jit: "off",
  idle_in_transaction_session_timeout: "0",
};

/** @param snapshot id of an exported snapshot to read in; without it the transaction takes its own at the first query */
export function beginSql(
  { statementTimeout, lockTimeout, serverVersion }: TransactionLimits,
  snapshot?: string,
): string {
  const settings: Record<string, string> = {
    ...PINNED,
    statement_timeout: String(statementTimeout),
    lock_timeout: String(lockTimeout),
    ...(serverVersion >= 170_000 ? { transaction_timeout: "0" } : {}),
  };
  return [
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    ...(snapshot === undefined ? [] : [`SET TRANSACTION SNAPSHOT ${literal(snapshot)}`]),
    ...Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${literal(value)}`),
  ].join("; ");
}
