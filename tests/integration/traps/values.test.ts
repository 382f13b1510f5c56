/** Traps that other tools fall into with values: each test is named after one, and holds on both warehouses. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProject, WAREHOUSES, type Project } from "../../support/project.ts";

const TEXTS: readonly (string | null)[] = [
  null,
  "",
  "\\N",
  "\\.",
  "NULL",
  "null",
  '"',
  '""',
  '","',
  "''",
  "a,b",
  "\n",
  "\r",
  "\r\n",
  "\\",
  "\\n",
  "\t",
  " ",
  "\\.\n\\.",
  "end\n",
  "é e\u0301 😀 \u{10ffff} \ufeff",
  "\u0001\u001f\u007f",
];
const DECIMALS = [
  "0.10",
  "9007199254740993.00",
  "99999999999999999999999999999999999.99",
  "-0.01",
  "123456789012345678.33",
  "0.30",
];
/** Columns that hold no NaN, infinity, BC or far date, and values that are one. */
const SPECIAL: readonly (readonly [column: string, value: string])[] = [
  ["price", "NaN"],
  ["price", "Infinity"],
  ["price", "-Infinity"],
  ["at", "infinity"],
  ["at", "-infinity"],
  ["at", "0044-03-15 00:00:00+00 BC"],
  ["at", "12024-01-01 00:00:00+00"],
  ["day", "infinity"],
  ["day", "0044-03-15 BC"],
  ["day", "12024-01-01"],
];

describe.each(WAREHOUSES)("on %s", (warehouse) => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject(warehouse, {
      source: `
        CREATE TABLE texts (id int PRIMARY KEY, value text);
        CREATE TABLE lines (value text);
        CREATE TABLE decimals (id int PRIMARY KEY, value numeric(37,2), free numeric);
        CREATE TABLE special (id int PRIMARY KEY, price numeric, at timestamptz, day date)`,
      tables: `
- name: texts
  config: {meta: {primary_key: [id], sync: {mode: full_refresh}}}
  columns: [{name: id, data_type: integer}, {name: value, data_type: text}]
- name: lines
  columns: [{name: value, data_type: text}]
- name: decimals
  config: {meta: {primary_key: [id], sync: {mode: full_refresh}}}
  columns: [{name: id, data_type: integer}, {name: value, data_type: "decimal(37,2)"}, {name: free, data_type: "decimal(37,2)"}]
- name: special
  config: {meta: {primary_key: [id], sync: {mode: full_refresh}}}
  columns: [{name: id, data_type: integer}, {name: price, data_type: "decimal(10,2)"}, {name: at, data_type: timestamp_ltz}, {name: day, data_type: date}]
`,
    });
    for (const table of ["texts (id, value) SELECT i, t", "lines SELECT t"]) {
      await project.database.query(`INSERT INTO ${table} FROM unnest($1::text[]) WITH ORDINALITY AS given (t, i)`, [
        TEXTS,
      ]);
    }
    await project.database.query(
      "INSERT INTO decimals SELECT i, t::numeric, t::numeric FROM unnest($1::text[]) WITH ORDINALITY AS given (t, i)",
      [DECIMALS],
    );
    expect((await project.run()).error).toBeUndefined();
  });
  afterAll(async () => project[Symbol.asyncDispose]());

  it("NULL and '' confused, \\N as real text, quotes, newlines, backslashes", async () => {
    const rows = await project.ask("SELECT value, LENGTH(value), value IS NULL FROM stage.texts ORDER BY id");
    // DuckDB's client takes a byte order mark away only where a text begins with it.
    expect(rows).toEqual(
      TEXTS.map((text) => [text, text === null ? null : String(Array.from(text).length), String(text === null)]),
    );
    const lines = await project.ask("SELECT value FROM stage.lines");
    const sorted = (all: readonly (string | null | undefined)[]) => all.map((one) => JSON.stringify(one)).toSorted();
    expect(sorted(lines.map(([value]) => value))).toEqual(sorted(TEXTS));
  });

  it("decimals pass through floats", async () => {
    expect(await project.ask("SELECT value, free FROM stage.decimals ORDER BY id")).toEqual(
      DECIMALS.map((value) => [value, value]),
    );
    const [sums] = await project.database.query<{ sum: string }>(
      "SELECT sum(value)::text AS sum FROM decimals WHERE id <> 3",
    );
    expect(await project.ask("SELECT SUM(value) FROM stage.decimals WHERE id <> 3")).toEqual([[sums?.sum]]);
  });

  it("NUMERIC NaN/±infinity, BC and far dates become NULL or wrap", async () => {
    for (const [column, value] of SPECIAL) {
      await project.database.query(`INSERT INTO special (id, ${column}) VALUES (7, '${value}')`);
      const { status, error } = await project.run();
      expect(status, value).toBe("failed");
      expect(error).toMatchObject({
        code: "SOURCE_VALUE_INVALID",
        details: { table: "special", column, key: ["7"], value },
      });
      await project.database.query("TRUNCATE special");
    }
    expect(await project.ask("SELECT COUNT(*) FROM stage.special")).toEqual([["0"]]);
  });
});
