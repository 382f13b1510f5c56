/** The only two ways in which a name or a value enters SQL text. Values otherwise travel as binds. */

/**
 * A name as a quoted identifier; the same form in PostgreSQL, DuckDB and Snowflake.
 *
 * @throws RangeError for an empty name or one with a NUL, which no engine can hold
 */
export function identifier(...path: readonly string[]): string {
  return path.map(quote).join(".");
}

function quote(name: string): string {
  if (name === "" || name.includes("\0")) throw new RangeError(`Not a usable SQL name: ${JSON.stringify(name)}`);
  return `"${name.replaceAll('"', '""')}"`;
}

/** How a string literal is read: PostgreSQL (standard_conforming_strings) and DuckDB take `\` as it is, Snowflake as an escape. */
export type LiteralSyntax = "standard" | "backslash-escapes";

/**
 * A value as an SQL literal: strings quoted, numbers and booleans bare, null as NULL.
 *
 * @throws RangeError for a number that is not finite, or a string with a NUL
 */
export function literal(value: string | number | bigint | boolean | null, syntax: LiteralSyntax = "standard"): string {
  if (value === null) return "NULL";
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError(`Not a usable SQL number: ${value}`);
    return String(value);
  }
  if (value.includes("\0")) throw new RangeError("A string with a NUL cannot stand in SQL");
  const escaped = syntax === "backslash-escapes" ? value.replaceAll("\\", "\\\\") : value;
  return `'${escaped.replaceAll("'", "''")}'`;
}
