/**
 * Snowflake's names in DuckDB, which takes "id" and ID for the same: a name with small letters gets a mark behind it that tells which they are.
 */

const MARK = "\u2063";

/** `ID` → `ID`, `Id` → `Id⁣1`: the positions of the small letters as a number. */
export function physicalName(name: string): string {
  if (name === name.toUpperCase()) return name;
  let bits = "";
  for (const letter of name) bits += letter === letter.toUpperCase() ? "0" : "1";
  return `${name}${MARK}${BigInt(`0b${bits}`).toString(36)}`;
}

/** The name of a result's column: what has no mark was written without quotes, or in capitals. */
export function logicalName(name: string): string {
  const at = name.indexOf(MARK);
  return at === -1 ? name.toUpperCase() : name.slice(0, at);
}

/** Marks in a message of DuckDB are nothing for Snowflake's clients. */
export function withoutMarks(text: string): string {
  return text.replaceAll(new RegExp(`${MARK}[0-9a-z]+`, "g"), "");
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A relation as DuckDB knows it. */
export function physicalPath(...path: readonly string[]): string {
  return path.map((name) => quoted(physicalName(name))).join(".");
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
