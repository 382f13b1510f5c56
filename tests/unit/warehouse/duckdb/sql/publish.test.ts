import { expect, it } from "vitest";
import {
  deleteChanged,
  deleteVanished,
  insertAll,
  insertMissing,
  recordVanished,
} from "../../../../../runtime/warehouse/duckdb/sql/publish.ts";
import { incomingTable } from "../../../../../runtime/warehouse/duckdb/sql/names.ts";
import { writeModelBuild, writeWatermark } from "../../../../../runtime/warehouse/duckdb/sql/bookkeeping.ts";
import { manifestTable } from "../../../../support/manifest-table.ts";

const table = manifestTable({
  name: "vendas",
  columns: { id: "integer not null", name: "text" },
  primaryKey: ["id"],
});
const batch = { id: 7, snapshot: "2025-01-02T03:04:05.678901Z" };
const incoming = incomingTable(7, table, "rows");

it("names an incoming table by batch, purpose and table", () => {
  expect(incoming).toBe('"pipeline_incoming"."7 rows stage.vendas"');
});

it("inserts", () => {
  expect(insertAll(table, incoming, batch)).toBe(
    `INSERT INTO "stage"."vendas" ("id", "name", "_synced_at", "_batch_id") SELECT "id", "name", CAST('2025-01-02T03:04:05.678901Z' AS TIMESTAMPTZ), 7 FROM ${incoming}`,
  );
});

it("takes out changed rows, and puts in those that are missing then", () => {
  expect(deleteChanged(table, incoming)).toBe(
    `DELETE FROM "stage"."vendas" AS s USING ${incoming} AS i WHERE s."id" = i."id" AND (s."name" IS DISTINCT FROM i."name")`,
  );
  expect(insertMissing(table, incoming, batch)).toBe(
    `INSERT INTO "stage"."vendas" ("id", "name", "_synced_at", "_batch_id") SELECT "id", "name", CAST('2025-01-02T03:04:05.678901Z' AS TIMESTAMPTZ), 7 FROM ${incoming} AS i WHERE NOT EXISTS (SELECT 1 FROM (SELECT j."id" FROM ${incoming} AS j JOIN "stage"."vendas" AS s ON s."id" = j."id") AS t WHERE t."id" = i."id")`,
  );
});

it("changes no row of a table of nothing but its key", () => {
  const onlyKey = manifestTable({ name: "k", columns: { id: "integer not null" }, primaryKey: ["id"] });
  expect(deleteChanged(onlyKey, incoming)).toBeUndefined();
});

it("writes vanished keys down and deletes them by the same condition", () => {
  const keys = incomingTable(7, table, "keys");
  const condition = `WHERE NOT EXISTS (SELECT 1 FROM ${keys} AS k WHERE s."id" = k."id")`;
  expect(deleteVanished({ table, keys, batch })).toBe(`DELETE FROM "stage"."vendas" AS s ${condition}`);
  expect(recordVanished({ table, keys, batch })).toBe(
    `INSERT INTO "pipeline"."deleted_keys" (batch_id, table_name, key) SELECT 7, 'vendas', CAST(json_array(s."id") AS VARCHAR) FROM "stage"."vendas" AS s ${condition}`,
  );
});

it("compares keys in parts that together are all of them", () => {
  const keys = incomingTable(7, table, "keys");
  expect(deleteVanished({ table, keys, batch, part: { index: 1, of: 4 } })).toBe(
    `DELETE FROM "stage"."vendas" AS s WHERE hash(s."id") % 4 = 1 AND NOT EXISTS (SELECT 1 FROM ${keys} AS k WHERE s."id" = k."id" AND hash(k."id") % 4 = 1)`,
  );
});

it("writes each part of a key in the form that is the same in every engine", () => {
  const wide = manifestTable({
    name: "wide",
    columns: {
      a: "decimal(10,2) not null",
      b: "timestamp_ltz not null",
      c: "timestamp_ntz not null",
      d: "binary not null",
      e: "text not null",
    },
    primaryKey: ["a", "b", "c", "d", "e"],
  });
  expect(recordVanished({ table: wide, keys: incoming, batch })).toContain(
    `json_array(CAST(s."a" AS VARCHAR), strftime(s."b", '%Y-%m-%d %H:%M:%S.%f+00'), strftime(s."c", '%Y-%m-%d %H:%M:%S.%f'), lower(hex(s."d")), CAST(s."e" AS VARCHAR))`,
  );
});

it("replaces a watermark, quoting what is in it", () => {
  const watermark = { batchId: 7, cursor: "it's", cursorColumn: null, fence: { a: "b" } };
  expect(writeWatermark("o'neil", watermark)).toEqual([
    `DELETE FROM "pipeline"."watermarks" WHERE table_name = 'o''neil'`,
    `INSERT INTO "pipeline"."watermarks" (table_name, batch_id, cursor_value, cursor_column, fence) VALUES ('o''neil', 7, 'it''s', NULL, '{"a":"b"}')`,
  ]);
});

it("notes for a model the last batch that its own transaction sees", () => {
  expect(writeModelBuild("fct")).toEqual([
    `DELETE FROM "pipeline"."model_builds" WHERE model = 'fct'`,
    `INSERT INTO "pipeline"."model_builds" (model, batch_id, built_at) SELECT 'fct', coalesce(max(batch_id), 0), get_current_timestamp() FROM "pipeline"."batches"`,
  ]);
});
