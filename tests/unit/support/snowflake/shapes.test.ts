/** The closed set of the test server: what has one form, and what has not. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokenize } from "../../../support/snowflake/lexer.ts";
import { shapeOf, ShapeSet, statementsIn } from "../../../support/snowflake/shapes.ts";

const STATEMENTS = join(import.meta.dirname, "../../warehouse/snowflake/statements");

const name = fc.string({ minLength: 1, maxLength: 12 }).map((text) => `"${text.replaceAll('"', '""')}"`);
const text = fc.string({ maxLength: 12 }).map((value) => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`);
const number = fc.oneof(fc.integer().map(String), fc.constantFrom("0.5", "1e10", "NULL", "TRUE"));
const value = fc.oneof(text, number);
const names = fc.array(name, { minLength: 1, maxLength: 6 });

describe("a shape", () => {
  it("does not depend on names and values", () => {
    fc.assert(
      fc.property(name, name, value, (table, column, given) => {
        expect(shapeOf(`SELECT ${column} FROM "S".${table} WHERE ${column} = ${given}`)).toBe(
          shapeOf('SELECT "A" FROM "S"."T" WHERE "A" = 1'),
        );
      }),
    );
  });

  it("does not depend on how many columns, keys, rows and tables there are", () => {
    const insert = (columns: readonly string[], rows: number): string =>
      `INSERT INTO "S"."T" (${columns.join(", ")}) SELECT ${columns.map((column) => `TO_DOUBLE(${column})`).join(", ")} FROM VALUES ${Array.from({ length: rows }, () => `(${columns.map(() => "1").join(", ")})`).join(", ")}`;
    const merge = (keys: readonly string[]): string =>
      `MERGE INTO "T" AS T USING "R" AS R ON ${keys.map((key) => `T.${key} = R.${key}`).join(" AND ")} WHEN MATCHED AND (${keys.map((key) => `T.${key} IS DISTINCT FROM R.${key}`).join(" OR ")}) THEN DELETE`;
    const counts = (tables: readonly string[]): string =>
      tables.map((table, at) => `SELECT ${at} AS N, COUNT(*) FROM ${table}`).join(" UNION ALL ");
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 5 }), (several, rows) => {
        expect(shapeOf(insert(several, rows))).toBe(shapeOf(insert(['"A"'], 1)));
        expect(shapeOf(merge(several))).toBe(shapeOf(merge(['"A"'])));
        expect(shapeOf(counts(several))).toBe(shapeOf(counts(['"A"'])));
      }),
    );
  });

  it("depends on everything else", () => {
    const shapes = [
      'SELECT "A" FROM "T"',
      'SELECT DISTINCT "A" FROM "T"',
      'SELECT "A", COUNT(*) FROM "T"',
      'SELECT "A" FROM "T" LIMIT 1',
      'SELECT "A" FROM "T" WHERE "A" = 1',
      'SELECT "A" FROM "T" WHERE "A" <> 1',
      'SELECT "A" FROM "T" WHERE NOT "A" = 1',
      'SELECT UPPER("A") FROM "T"',
      'DELETE FROM "T"',
      'DELETE FROM "T" WHERE "A" = 1',
      'TRUNCATE TABLE "T"',
      'DROP TABLE "T"',
      'DROP TABLE IF EXISTS "T"',
      'DROP VIEW IF EXISTS "T"',
    ].map((sql) => shapeOf(sql));
    expect(new Set(shapes).size).toBe(shapes.length);
  });

  it("is the same whatever stands in strings, comments and names", () => {
    const sql = String.raw`SELECT 'it''s \'quoted\' -- no comment', $$a ' b$$, "a -- b" /* , "X" */ FROM "T" -- WHERE "A" = 1`;
    expect(shapeOf(sql)).toBe(shapeOf(`SELECT 'a', "B" FROM "T"`));
  });
});

describe("a set of shapes", () => {
  const set = new ShapeSet([
    'INSERT INTO "S"."T" ("A", "B") SELECT "A", PARSE_JSON("B"), 7 FROM "I"',
    'CREATE OR REPLACE VIEW "A"."V" ("ID" COMMENT \'x\', "N") COPY GRANTS AS\nselect 1',
  ]);

  it("takes fewer forms in a list than it knows, and no new one", () => {
    expect(set.has('INSERT INTO "S"."T" ("A") SELECT "A", 7 FROM "I"')).toBe(true);
    expect(set.has('INSERT INTO "S"."T" ("A", "B", "C") SELECT PARSE_JSON("C"), "A", PARSE_JSON("B") FROM "I"')).toBe(
      true,
    );
    expect(set.has('INSERT INTO "S"."T" ("A") SELECT UPPER("A") FROM "I"')).toBe(false);
    expect(set.has('INSERT OVERWRITE INTO "S"."T" ("A") SELECT "A" FROM "I"')).toBe(false);
  });

  it("takes any query behind the prefix of a known CREATE … AS", () => {
    expect(
      set.hasPrefix('CREATE OR REPLACE VIEW "A"."W" ("N") COPY GRANTS AS\nwith x as (select 1 as y) select * from x'),
    ).toBe(true);
    expect(set.hasPrefix('CREATE OR REPLACE VIEW "A"."W" COPY GRANTS AS select 1')).toBe(false);
    expect(set.hasPrefix('CREATE VIEW "A"."W" ("N") COPY GRANTS AS select 1')).toBe(false);
    expect(set.hasPrefix("select 1")).toBe(false);
  });
});

describe("the files of statements", () => {
  it("are read statement by statement, without comments", () => {
    const text = "-- a link\n\nSELECT 1;\n\n-- another\nSELECT ';',\n  2;\n";
    expect(statementsIn(text)).toEqual(["SELECT 1", "SELECT ';',\n  2"]);
  });

  it("all fit the set that they make", () => {
    const set = ShapeSet.read(STATEMENTS);
    const statements = readdirSync(STATEMENTS).flatMap((file) =>
      statementsIn(readFileSync(join(STATEMENTS, file), "utf8")),
    );
    expect(statements.length).toBeGreaterThan(30);
    expect(statements.filter((sql) => !set.has(sql))).toEqual([]);
  });
});

describe("tokens", () => {
  it("are the whole text, in order", () => {
    const piece = fc.oneof(
      name,
      text,
      number,
      fc.constantFrom("SELECT", "::", "<>", "(", ")", ",", "-- c\n", "/* x */", " ", "@stage/a/", "$$x$$"),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const sql = pieces.join(" ");
        for (const token of tokenize(sql)) expect(sql.startsWith(token.text, token.start)).toBe(true);
        const written = tokenize(sql).map((token) => token.text);
        expect(written.join("").length).toBeLessThanOrEqual(sql.length);
      }),
    );
  });

  it("give strings and names as they are meant", () => {
    const sql = String.raw`'it''s', 'a\\b\'c\n', $$raw \n$$, "a""b", Mixed_1`;
    expect(
      tokenize(sql)
        .filter(({ text: written }) => written !== ",")
        .map(({ value: meant }) => meant),
    ).toEqual(["it's", "a\\b'c\n", String.raw`raw \n`, 'a"b', "MIXED_1"]);
  });
});
