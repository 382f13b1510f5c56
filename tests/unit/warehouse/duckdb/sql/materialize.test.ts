import { expect, it } from "vitest";
import {
  commentRelation,
  createRelationPrefix,
  findBadKey,
  mergeResult,
} from "../../../../../runtime/warehouse/duckdb/sql/materialize.ts";

const relation = { schema: "analytics", name: "fct" };

it("creates or replaces", () => {
  expect(createRelationPrefix("view", relation)).toBe('CREATE OR REPLACE VIEW "analytics"."fct" AS ');
  expect(createRelationPrefix("table", relation)).toBe('CREATE OR REPLACE TABLE "analytics"."fct" AS ');
});

it("merges by the key whatever its case, and leaves equal rows untouched", () => {
  expect(mergeResult(relation, ["ID", "b", "c"], ["id"])).toBe(
    'MERGE INTO "analytics"."fct" AS t USING "temp"."main"."nd_result" AS r ON t."id" = r."id" ' +
      'WHEN MATCHED AND (t."b" IS DISTINCT FROM r."b" OR t."c" IS DISTINCT FROM r."c") THEN UPDATE SET "b" = r."b", "c" = r."c" ' +
      'WHEN NOT MATCHED THEN INSERT ("ID", "b", "c") VALUES (r."ID", r."b", r."c")',
  );
});

it("finds a key that is shared or NULL", () => {
  expect(findBadKey(["a", "b"])).toBe(
    `SELECT coalesce(CAST("a" AS VARCHAR), 'NULL') || ', ' || coalesce(CAST("b" AS VARCHAR), 'NULL'), count(*), bool_or("a" IS NULL OR "b" IS NULL) FROM "temp"."main"."nd_result" GROUP BY "a", "b" HAVING count(*) > 1 OR bool_or("a" IS NULL OR "b" IS NULL) LIMIT 1`,
  );
});

it("describes the columns that there are", () => {
  const comments = commentRelation({
    kind: "view",
    relation,
    columns: ["ID"],
    description: "it's",
    columnDescriptions: { id: "key", nope: "x" },
  });
  expect(comments).toEqual([
    `COMMENT ON VIEW "analytics"."fct" IS 'it''s'`,
    `COMMENT ON COLUMN "analytics"."fct"."ID" IS 'key'`,
  ]);
});
