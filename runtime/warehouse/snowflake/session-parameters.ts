/** What every session of ours has set, whatever the account's or the user's defaults are. The driver's login cannot carry it. */
import { literal } from "../../core/sql.ts";
import type { Statement } from "./statement.ts";

/** https://docs.snowflake.com/en/sql-reference/parameters */
const PARAMETERS: Readonly<Record<string, string | number | boolean>> = {
  // Meaning of SQL
  AUTOCOMMIT: true,
  ERROR_ON_NONDETERMINISTIC_MERGE: true,
  ERROR_ON_NONDETERMINISTIC_UPDATE: true,
  MULTI_STATEMENT_COUNT: 1,
  QUOTED_IDENTIFIERS_IGNORE_CASE: false,
  TIMESTAMP_TYPE_MAPPING: "TIMESTAMP_NTZ",
  TIMEZONE: "UTC",
  TRANSACTION_ABORT_ON_ERROR: false,
  TWO_DIGIT_CENTURY_START: 1970,
  WEEK_OF_YEAR_POLICY: 0,
  WEEK_START: 0,
  // Text into values
  BINARY_INPUT_FORMAT: "HEX",
  DATE_INPUT_FORMAT: "AUTO",
  TIME_INPUT_FORMAT: "AUTO",
  TIMESTAMP_INPUT_FORMAT: "AUTO",
  // Values into text
  BINARY_OUTPUT_FORMAT: "HEX",
  DATE_OUTPUT_FORMAT: "YYYY-MM-DD",
  TIME_OUTPUT_FORMAT: "HH24:MI:SS.FF6",
  TIMESTAMP_OUTPUT_FORMAT: "YYYY-MM-DD HH24:MI:SS.FF6",
  TIMESTAMP_LTZ_OUTPUT_FORMAT: "YYYY-MM-DD HH24:MI:SS.FF6TZH",
  TIMESTAMP_NTZ_OUTPUT_FORMAT: "YYYY-MM-DD HH24:MI:SS.FF6",
  TIMESTAMP_TZ_OUTPUT_FORMAT: "YYYY-MM-DD HH24:MI:SS.FF6TZH",
  // Else a setting of the account could cut what is read of watermarks.
  ROWS_PER_RESULTSET: 0,
  STRICT_JSON_OUTPUT: true,
  // Limits, in seconds
  LOCK_TIMEOUT: 600,
  STATEMENT_TIMEOUT_IN_SECONDS: 14_400,
  STATEMENT_QUEUED_TIMEOUT_IN_SECONDS: 1800,
  // A client that has died should not leave its statement running, and its transaction open, for hours.
  ABORT_DETACHED_QUERY: true,
};

/** The first statement of every session. */
export function sessionParameters(): Statement {
  const settings = Object.entries(PARAMETERS).map(
    ([name, value]) => `${name} = ${literal(value, "backslash-escapes")}`,
  );
  return { sql: `ALTER SESSION SET\n  ${settings.join(",\n  ")}`, step: "prepare", metered: false };
}
