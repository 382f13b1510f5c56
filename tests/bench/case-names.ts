/** The cases by name, with what the help says of each. */

export const CASES = {
  first: "first load of the sales: one table of nine columns; the other cases on the sales begin with it too",
  unchanged:
    "then nothing new: at level 0 nothing at all has happened on the server, at level 1 something elsewhere in the database",
  cursor:
    "then 10,000 changed rows, found by the cursor's index, deletes deferred (detect: cursor, delete_check: verify)",
  "cursor-deletes":
    "then 10,000 changed rows, 100 of them deleted, found by the cursor's index and by sums of all keys (detect: cursor, the default of large tables)",
  scan: "then 10,000 changed rows, 100 of them deleted, found by one scan of the table (detect: scan)",
  verify: "then a verification of every row and column of both sides",
  wide: "first load of a table of 50 columns of ten types, with a tenth of the rows",
  tables: "first load of 7 and of 200 small tables, then nothing new at both levels",
  staging:
    "extract, gzip and PUT by the driver to a server on this machine that stands in for Snowflake and writes nothing but the statements' replies",
  big: "first load of a table like the sales with four times the rows; only if named",
} as const;

export type CaseName = keyof typeof CASES;

export const CASE_NAMES = Object.keys(CASES).filter((name) => isCase(name));
/** What is not affordable each time has to be asked for. */
export const USUAL_CASES = CASE_NAMES.filter((name) => name !== "big");

export function isCase(name: string): name is CaseName {
  return Object.hasOwn(CASES, name);
}
