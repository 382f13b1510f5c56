/** Names that DuckDB would take for the same. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { withNamedValues } from "../../../support/snowflake/from-values.ts";
import { logicalName, physicalName, withoutMarks } from "../../../support/snowflake/names.ts";
import { templateOf } from "../../../support/snowflake/template.ts";

const name = fc.string({ minLength: 1, unit: fc.constantFrom("a", "A", "b", "B", "_", "1", " ", '"') });

it("tells names apart that differ in capitals only, and gives each back", () => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(logicalName(physicalName(a))).toBe(a);
      expect(physicalName(a).toUpperCase() === physicalName(b).toUpperCase()).toBe(a === b);
      expect(withoutMarks(`x ${physicalName(a)} y`)).toBe(`x ${a} y`);
    }),
  );
});

it("gives FROM VALUES the columns that Snowflake gives it", () => {
  expect(withNamedValues("SELECT COLUMN1 FROM VALUES (1, f(2, 3)), ('a,(', NULL) WHERE TRUE")).toBe(
    "SELECT COLUMN1 FROM (VALUES (1, f(2, 3)), ('a,(', NULL)) AS nd_values(COLUMN1, COLUMN2) WHERE TRUE",
  );
  expect(withNamedValues("INSERT INTO t VALUES (1)")).toBe("INSERT INTO t VALUES (1)");
});

it("fills a template with what it was made of", () => {
  const sql = `INSERT INTO "P"."INCOMING_7" SELECT '5f0c6f0e-6d0e-4f0a-9d54-0d3c2c7a1b11', 'plain', "C"."INCOMING_7" FROM "P"."B"`;
  const template = templateOf(sql, (schema) => schema === "P");
  expect(template.sql).not.toContain('INCOMING_7" SELECT');
  expect(template.sql).toContain("'plain'");
  expect(template.fill(template.sql)).toBe(sql);
});
