/** Values that DuckDB's CSV reader would change or lose without a word. */
import { expect, it } from "vitest";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { Batches, raw } from "../../contract/warehouse-fixture.ts";

it.each([
  ["digits beyond the scale, which would be rounded", "decimal(10,2)", "1.239"],
  ["a number with an exponent", "decimal(10,2)", "1e-3"],
  ["a timestamp BC, which would become NULL", "timestamp_ltz", "0044-03-15 00:00:00+00 BC"],
  ["a timestamp out of range, which would become NULL", "timestamp_ltz", "294276-12-31 23:59:59.999999+00"],
  ["a date BC, which would lose its BC", "date", "0044-03-15 BC"],
  ["an infinite timestamp", "timestamp_ltz", "infinity"],
  ["one as PostgreSQL sends it", "timestamp_ltz", String.raw`\x7fffffffffffffff`],
  ["a far one as PostgreSQL sends it", "timestamp_ntz", String.raw`\x0400000000000000`],
  ["one BC as PostgreSQL sends it", "timestamp_ntz", String.raw`\xfeffffffffffffff`],
  ["an infinite date", "date", "-infinity"],
  ["half a byte", "binary", '"abc"'],
  ["an integer beyond 64 bits", "integer", "9223372036854775808"],
])("refuses %s", async (_what, type, text) => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  await using batches = await Batches.for(warehouse);
  const table = manifestTable({ name: "t", columns: { id: "integer not null", value: type }, primaryKey: ["id"] });
  await warehouse.prepare({ file: "manifest.yml", tables: [table] });
  await expect(
    batches.publish({
      table,
      rows: [
        [1, null],
        [2, raw(text)],
      ],
    }),
  ).rejects.toMatchObject({
    code: "WAREHOUSE_VALUE_INVALID",
    details: { table: "t", column: "value", key: "2" },
  });
});

it("takes timestamps as PostgreSQL sends them, from year 1 to 9999, beside those in text", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  await using batches = await Batches.for(warehouse);
  const table = manifestTable({
    name: "t",
    columns: { id: "integer not null", zoned: "timestamp_ltz", bare: "timestamp_ntz" },
    primaryKey: ["id"],
  });
  await warehouse.prepare({ file: "manifest.yml", tables: [table] });
  /** Microseconds since 2000, as `timestamp_send` has them. */
  const values = [
    ["ff1fe2ffc59c6000", "0001-01-01 00:00:00.000000"],
    ["ffffffffffffffff", "1999-12-31 23:59:59.999999"],
    ["0000000000000000", "2000-01-01 00:00:00.000000"],
    ["0002ab8c0db62001", "2023-10-25 16:52:47.232001"],
    ["0380e70b913b7fff", "9999-12-31 23:59:59.999999"],
  ] as const;
  const sent = values.map(([digits], index) => [index, raw(`\\x${digits}`), raw(`\\x${digits}`)]);
  await batches.publish({ table, rows: [...sent, [9, raw("2024-02-29 01:02:03.5+00"), null]] });
  expect(await batches.rows("select zoned, bare from stage.t order by id")).toEqual([
    ...values.map(([, value]) => [`${value}+00`, value]),
    ["2024-02-29 01:02:03.500000+00", null],
  ]);
});

it("takes trailing zeros beyond the scale, which change nothing", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  await using batches = await Batches.for(warehouse);
  const table = manifestTable({
    name: "t",
    columns: { id: "integer not null", value: "decimal(10,2)" },
    primaryKey: ["id"],
  });
  await warehouse.prepare({ file: "manifest.yml", tables: [table] });
  await batches.publish({
    table,
    rows: [
      [1, raw("1.2300")],
      [2, raw("-0.000")],
      [3, raw("100")],
    ],
  });
  expect(await batches.rows("select value from stage.t order by id")).toEqual([["1.23"], ["0.00"], ["100.00"]]);
});

it("names the row of the file where the table has no key", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  await using batches = await Batches.for(warehouse);
  const table = manifestTable({ name: "t", columns: { a: "text", b: "decimal(4,1)" } });
  await warehouse.prepare({ file: "manifest.yml", tables: [table] });
  const rows = [
    ["x\ny", 1],
    ["z", 2],
    ["w", raw("12345")],
  ] as const;
  await expect(batches.publish({ table, action: "replace", rows })).rejects.toMatchObject({
    code: "WAREHOUSE_VALUE_INVALID",
    message: "t.b cannot hold '12345' in row 3 of a staged file.",
  });
});
