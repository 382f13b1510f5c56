import { expect, test } from "vitest";
import type { Relation } from "../../../runtime/source/catalogue.ts";
import { copySql, extractSql, selectSql } from "../../../runtime/source/extract-sql.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const column = (name: string, type: string, options: { modifier?: number; notNull?: boolean } = {}) => ({
  name,
  number: 1,
  type: { name: type, modifier: options.modifier ?? -1, text: type },
  notNull: options.notNull ?? true,
  comment: null,
});

const RELATION: Relation = {
  oid: 1,
  schema: "public",
  name: "vendas",
  kind: "r",
  comment: null,
  schemaUsage: true,
  readable: true,
  filtered: false,
  columns: [
    column("id_vendas", "int4"),
    column("sigla", "bpchar", { modifier: 6 }),
    column('no"te', "text", { notNull: false }),
    column("data_atualizacao", "timestamptz", { notNull: false }),
  ],
  uniqueKeys: [],
};

const TABLE = manifestTable({
  name: "vendas",
  columns: { id_vendas: "integer", sigla: "char(2)", 'no"te': "text", data_atualizacao: "timestamp_ltz" },
  primaryKey: ["id_vendas"],
  sync: { mode: "incremental", cursor: "data_atualizacao" },
});

test("columns that fit by their types are read as they are; others say what to refuse", () => {
  const sql = extractSql({ table: TABLE, relation: RELATION, what: "rows" });
  expect(copySql(sql, selectSql(sql, RELATION))).toBe(
    `COPY (SELECT "id_vendas" AS "id_vendas", "sigla"::text AS "sigla", ` +
      `CASE WHEN octet_length("no""te") <= 16777216 THEN "no""te" WHEN "no""te" IS NULL THEN NULL ` +
      `ELSE ('novadrive:' || json_build_object('table', 'vendas', 'column', 'no"te', 'target', 'VARCHAR(16777216)', ` +
      `'columns', '["id_vendas"]'::json, 'key', ARRAY[left("id_vendas"::text, 80)], 'value', left("no""te", 80))::text)` +
      `::integer::text::text END AS "no""te", ` +
      `CASE WHEN "data_atualizacao" >= '0001-01-01'::timestamptz AND "data_atualizacao" < '10000-01-01'::timestamptz ` +
      `THEN "data_atualizacao" WHEN "data_atualizacao" IS NULL THEN NULL ` +
      `ELSE ('novadrive:' || json_build_object('table', 'vendas', 'column', 'data_atualizacao', 'target', 'TIMESTAMP_LTZ(9)', ` +
      `'columns', '["id_vendas"]'::json, 'key', ARRAY[left("id_vendas"::text, 80)], 'value', left("data_atualizacao"::text, 80))::text)` +
      `::integer::text::timestamptz END AS "data_atualizacao" ` +
      `FROM "public"."vendas") TO STDOUT (FORMAT csv, FORCE_QUOTE ("sigla", "no""te"))`,
  );
});

test("keys are those of the primary key, without a list of quoted columns that would be empty", () => {
  const sql = extractSql({ table: TABLE, relation: RELATION, what: "keys" });
  expect(copySql(sql, selectSql(sql, RELATION))).toBe(
    'COPY (SELECT "id_vendas" AS "id_vendas" FROM "public"."vendas") TO STDOUT (FORMAT csv)',
  );
});

test("a range of pages and the cursor's predicate stand side by side, the last range without an end", () => {
  const from = "2024-01-01 00:00:00.5+00' OR '1";
  const sql = extractSql({ table: TABLE, relation: RELATION, what: "keys", since: { by: "cursor", from } });
  const since = `("data_atualizacao" >= '2024-01-01 00:00:00.5+00'' OR ''1'::timestamptz OR "data_atualizacao" IS NULL)`;
  const select = 'SELECT "id_vendas" AS "id_vendas" FROM "public"."vendas" WHERE';
  expect(selectSql(sql, RELATION, { from: 0, to: 8 })).toBe(`${select} ctid < '(8,0)'::tid AND ${since}`);
  expect(selectSql(sql, RELATION, { from: 8 })).toBe(`${select} ctid >= '(8,0)'::tid AND ${since}`);
});

test("NULL where the manifest has none is refused like a value that does not fit", () => {
  const table = manifestTable({ name: "vendas", columns: { id_vendas: "integer not null" } });
  const columnsOfRelation = RELATION.columns.map((one) => ({ ...one, notNull: false }));
  const { columns } = extractSql({ table, relation: { ...RELATION, columns: columnsOfRelation }, what: "rows" });
  expect(columns).toHaveLength(1);
  expect(columns[0]?.sql).toMatch(
    /^CASE WHEN NOT \("id_vendas" IS NULL\) THEN "id_vendas" ELSE \('novadrive:' .*ARRAY\[ctid::text\]/,
  );
});
