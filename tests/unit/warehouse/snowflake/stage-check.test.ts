import { expect, it } from "vitest";
import { stageTableColumns } from "../../../../runtime/manifest/stage-table.ts";
import { compareStageTable, type LiveColumn } from "../../../../runtime/warehouse/snowflake/stage-check.ts";
import { manifestTable } from "../../../support/manifest-table.ts";

const table = manifestTable({
  name: "sales",
  columns: {
    id: "integer not null",
    price: "decimal(10,2)",
    note: "varchar(20)",
    at: "timestamp_ltz",
    raw: "binary(8)",
  },
  primaryKey: ["id"],
});

const live = (changes: Readonly<Record<string, Partial<LiveColumn> | undefined>> = {}): readonly LiveColumn[] =>
  stageTableColumns(table).flatMap(({ name, type, nullable }) => {
    if (!(name in changes)) return [{ name, type, nullable }];
    return changes[name] === undefined ? [] : [{ name, type, nullable, ...changes[name] }];
  });

it("agrees with what the infrastructure program makes, in whatever order", () => {
  expect(compareStageTable(table, live())).toEqual({ differences: [], extra: [] });
  expect(compareStageTable(table, live().toReversed())).toEqual({ differences: [], extra: [] });
});

it.each([
  ["a wider number", { PRICE: { type: "NUMBER(12,2)" } }],
  ["a longer text", { NOTE: { type: "VARCHAR(255)" } }],
  ["a longer binary", { RAW: { type: "BINARY(8388608)" } }],
  ["a nullable column where the manifest has NOT NULL", { ID: { nullable: true } }],
])("takes %s", (_, changes) => {
  expect(compareStageTable(table, live(changes)).differences).toEqual([]);
});

it.each([
  ["a missing column", { NOTE: undefined }, "sales.note is missing in the warehouse"],
  ["a missing column of the load", { _BATCH_ID: undefined }, "sales._batch_id is missing in the warehouse"],
  [
    "a shorter number",
    { PRICE: { type: "NUMBER(8,2)" } },
    "sales.price is NUMBER(8,2) in the warehouse and NUMBER(10,2) in the manifest",
  ],
  [
    "another scale",
    { PRICE: { type: "NUMBER(12,4)" } },
    "sales.price is NUMBER(12,4) in the warehouse and NUMBER(10,2) in the manifest",
  ],
  [
    "a shorter text",
    { NOTE: { type: "VARCHAR(10)" } },
    "sales.note is VARCHAR(10) in the warehouse and VARCHAR(20) in the manifest",
  ],
  [
    "another kind of time",
    { AT: { type: "TIMESTAMP_NTZ(9)" } },
    "sales.at is TIMESTAMP_NTZ(9) in the warehouse and TIMESTAMP_LTZ(9) in the manifest",
  ],
  [
    "fewer digits of a second",
    { AT: { type: "TIMESTAMP_LTZ(3)" } },
    "sales.at is TIMESTAMP_LTZ(3) in the warehouse and TIMESTAMP_LTZ(9) in the manifest",
  ],
  [
    "NOT NULL where the manifest allows NULL",
    { NOTE: { nullable: false } },
    "sales.note is NOT NULL in the warehouse and nullable in the manifest",
  ],
  [
    "an unknown type",
    { AT: { type: "GEOGRAPHY" } },
    "sales.at is GEOGRAPHY in the warehouse and TIMESTAMP_LTZ(9) in the manifest",
  ],
])("names %s", (_, changes, difference) => {
  expect(compareStageTable(table, live(changes)).differences).toEqual([difference]);
});

it("reports columns that the manifest does not know, and refuses those that may not stay NULL", () => {
  const added = [...live(), { name: "OLD", type: "DATE", nullable: true }];
  expect(compareStageTable(table, added)).toEqual({ differences: [], extra: ["OLD"] });
  const required = [...live(), { name: "OLD", type: "DATE", nullable: false }];
  expect(compareStageTable(table, required).differences).toEqual([
    "sales.OLD is NOT NULL in the warehouse, and not in the manifest",
  ]);
});

it("names a table that is not there", () => {
  expect(compareStageTable(table, undefined).differences).toEqual(["sales does not exist in schema STAGE"]);
});
