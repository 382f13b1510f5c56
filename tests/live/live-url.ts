/** Where the account is that the live suites run in. */

/** @throws Error with what to set, if it is not */
export function liveUrl(): string {
  const url = process.env["SNOWFLAKE_TEST_URL"];
  if (url) return url;
  throw new Error(
    "Set SNOWFLAKE_TEST_URL=snowflake://<org>-<account>/<database>?warehouse=…&role=…&user=…&private_key=<file>: " +
      "an account in which the role may CREATE DATABASE. Everything happens in a database of its own, which is dropped at the end.",
  );
}
