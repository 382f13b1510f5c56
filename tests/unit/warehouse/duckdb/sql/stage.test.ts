import { expect, it } from "vitest";
import {
  changeStageTable,
  createStageTable,
  type LiveColumn,
} from "../../../../../runtime/warehouse/duckdb/sql/stage.ts";
import { rewindWatermark } from "../../../../../runtime/warehouse/duckdb/sql/bookkeeping.ts";
import { manifestTable } from "../../../../support/manifest-table.ts";

const table = manifestTable({
  name: "vendas",
  columns: { id: "integer not null", "odd name": "varchar(10)", price: "decimal(10,2) not null" },
  primaryKey: ["id"],
});

const LIVE: readonly LiveColumn[] = [
  { name: "id", type: "BIGINT", nullable: false },
  { name: "odd name", type: "VARCHAR", nullable: true },
  { name: "price", type: "DECIMAL(10,2)", nullable: false },
  { name: "_synced_at", type: "TIMESTAMP WITH TIME ZONE", nullable: false },
  { name: "_batch_id", type: "BIGINT", nullable: false },
];

const live = (name: string, change: Partial<LiveColumn>): LiveColumn[] =>
  LIVE.map((column) => (column.name === name ? { ...column, ...change } : column));

it("creates a stage table with its own and the loader's columns, and their descriptions", () => {
  const described = {
    ...table,
    description: "One row per sale.",
    columns: table.columns.map((column) =>
      column.name === "id" ? { ...column, description: "It's the key." } : column,
    ),
  };
  expect(createStageTable(described)).toEqual([
    'CREATE TABLE "stage"."vendas" ("id" BIGINT NOT NULL, "odd name" VARCHAR, "price" DECIMAL(10,2) NOT NULL, "_synced_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_batch_id" BIGINT NOT NULL)',
    `COMMENT ON TABLE "stage"."vendas" IS 'One row per sale.'`,
    `COMMENT ON COLUMN "stage"."vendas"."id" IS 'It''s the key.'`,
    `COMMENT ON COLUMN "stage"."vendas"."_synced_at" IS 'Snapshot time of the batch that last wrote the row.'`,
    `COMMENT ON COLUMN "stage"."vendas"."_batch_id" IS 'Batch that last wrote the row.'`,
  ]);
});

it("has nothing to do for a table that agrees", () => {
  expect(changeStageTable(table, LIVE)).toEqual({ statements: [], differences: [], left: [] });
});

it("appends a new nullable column", () => {
  const change = changeStageTable(
    table,
    LIVE.filter(({ name }) => name !== "odd name"),
  );
  expect(change).toEqual({
    statements: ['ALTER TABLE "stage"."vendas" ADD COLUMN "odd name" VARCHAR', rewindWatermark("vendas")],
    differences: [],
    left: [],
  });
});

it.each<[string, readonly LiveColumn[], string[]]>([
  ["widens a decimal", live("price", { type: "DECIMAL(8,2)" }), ['ALTER COLUMN "price" TYPE DECIMAL(10,2)']],
  ["lifts NOT NULL", live("odd name", { nullable: false }), ['ALTER COLUMN "odd name" DROP NOT NULL']],
  ["makes a text of what was none", live("odd name", { type: "BIGINT" }), ['ALTER COLUMN "odd name" TYPE VARCHAR']],
  ["waits with NOT NULL until no NULL is left", live("price", { nullable: true, hasNulls: true }), []],
  ["sets NOT NULL", live("price", { nullable: true, hasNulls: false }), ['ALTER COLUMN "price" SET NOT NULL']],
])("%s in place", (_what, columns, changes) => {
  expect(changeStageTable(table, columns)).toEqual({
    statements: changes.map((change) => `ALTER TABLE "stage"."vendas" ${change}`),
    differences: [],
    left: [],
  });
});

it("lists every difference that it will not change, each with what to do", () => {
  const { statements, differences, left } = changeStageTable(table, [
    { name: "ID", type: "VARCHAR", nullable: false },
    { name: "price", type: "DECIMAL(12,2)", nullable: true, hasNulls: true },
    { name: "_batch_id", type: "BIGINT", nullable: false },
    { name: "left over", type: "DATE", nullable: false },
    { name: "harmless", type: "DATE", nullable: true },
  ]);
  expect(statements).toEqual([
    'ALTER TABLE "stage"."vendas" ADD COLUMN "odd name" VARCHAR',
    rewindWatermark("vendas"),
    'ALTER TABLE "stage"."vendas" ALTER COLUMN "left over" DROP NOT NULL',
  ]);
  expect(left).toEqual(["left over", "harmless"]);
  expect(differences).toEqual([
    'vendas.id is VARCHAR(16777216) in the warehouse and NUMBER(38,0) in the manifest: correct data_type, or DROP TABLE "stage"."vendas" to load the table anew',
    'vendas.price is NUMBER(12,2) in the warehouse and NUMBER(10,2) in the manifest: correct data_type, or DROP TABLE "stage"."vendas" to load the table anew',
    'vendas._synced_at is missing, by which the load knows its rows: DROP TABLE "stage"."vendas" to load the table anew',
  ]);
});
