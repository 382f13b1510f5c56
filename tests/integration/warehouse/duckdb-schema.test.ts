/** Stage tables follow the manifest where that is safe, and stop the batch where it is not. */
import { expect, it } from "vitest";
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import { manifestTable, type TableSketch } from "../../support/manifest-table.ts";
import { Batches } from "../../contract/warehouse-fixture.ts";

const manifestOf = (...tables: readonly ManifestTable[]) => ({ file: "manifest.yml", tables });
const sales = (columns: TableSketch["columns"]) => manifestTable({ name: "sales", columns, primaryKey: ["id"] });
const BEFORE = { id: "integer not null", price: "decimal(10,2) not null", note: "varchar(10) not null" };

it("widens, appends and relaxes columns, and keeps the rows", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  await using batches = await Batches.for(warehouse);
  await warehouse.prepare(manifestOf(sales(BEFORE)));
  await batches.publish({ table: sales(BEFORE), rows: [[1, 99999999.99, "a"]] });
  const after = sales({ id: "integer not null", price: "decimal(14,4) not null", note: "varchar(300)", extra: "date" });
  await warehouse.prepare(manifestOf(after));
  await batches.publish({ table: after, rows: [[2, 1.2345, null, { raw: "2024-01-02" }]] });
  const { columns, rows } = await warehouse.query("select * from stage.sales order by id");
  expect(columns).toEqual(["id", "price", "note", "_synced_at", "_batch_id", "extra"]);
  expect(rows.map((row) => [...row.slice(0, 3), row[5]])).toEqual([
    ["1", "99999999.9900", "a", null],
    ["2", "1.2345", null, "2024-01-02"],
  ]);
});

it("changes nothing and lists every difference when one of them is not safe", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  const other = manifestTable({ name: "other", columns: { id: "integer not null" }, primaryKey: ["id"] });
  await warehouse.prepare(manifestOf(sales(BEFORE)));
  const before = await warehouse.relations("stage");
  const after = sales({
    id: "date not null",
    price: "decimal(8,2) not null",
    note: "varchar(10)",
    more: "date",
  });
  await expect(warehouse.prepare(manifestOf(other, after))).rejects.toMatchObject({
    code: "WAREHOUSE_SCHEMA_MISMATCH",
    message: expect.stringMatching(/2 places[\s\S]*sales\.id[\s\S]*sales\.price/),
    details: { differences: { length: 2 } },
  });
  expect(await warehouse.relations("stage")).toEqual(before);
});

it("refuses a view where a stage table belongs", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  const relation = { schema: "stage", name: "sales" };
  await warehouse.materialize({ kind: "view", relation, sql: "select 1 as id", preHooks: [], postHooks: [] });
  await expect(warehouse.prepare(manifestOf(sales(BEFORE)))).rejects.toMatchObject({
    code: "WAREHOUSE_SCHEMA_MISMATCH",
    message: expect.stringContaining('DROP VIEW "stage"."sales"'),
  });
});

it("sets NOT NULL where no row is in its way, and waits where one is", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  await using batches = await Batches.for(warehouse);
  const loose = sales({ id: "integer not null", full: "text", partly: "text" });
  await warehouse.prepare(manifestOf(loose));
  await batches.publish({
    table: loose,
    rows: [
      [1, "a", "b"],
      [2, "a", null],
    ],
  });
  const strict = sales({
    id: "integer not null",
    full: "text not null",
    partly: "text not null",
    late: "text not null",
  });
  const nullable = async () =>
    (await warehouse.query("select column_name from duckdb_columns() where table_name = 'sales' and is_nullable")).rows;
  await warehouse.prepare(manifestOf(strict));
  expect(await nullable()).toEqual([["partly"], ["late"]]);
  await batches.publish({
    table: strict,
    rows: [
      [1, "a", "b", "c"],
      [2, "a", "c", "d"],
    ],
  });
  await warehouse.prepare(manifestOf(strict));
  expect(await nullable()).toEqual([]);
});

it("keeps what rows hold in columns that the manifest lacks, when they change", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  await using batches = await Batches.for(warehouse);
  const before = sales({ id: "integer not null", note: "text", "Old one": "text not null", older: "decimal(10,2)" });
  await warehouse.prepare(manifestOf(before));
  await batches.publish({
    table: before,
    rows: [
      [1, "a", "kept 1", 1.5],
      [2, "a", "kept 2", null],
      [3, "a", "kept 3", 3],
    ],
  });
  const after = sales({ id: "integer not null", note: "text" });
  expect(await warehouse.prepare(manifestOf(after))).toMatchObject([
    { kind: "stage_column_left", table: "sales", columns: ["Old one", "older"] },
  ]);
  await batches.publish({
    table: after,
    rows: [
      [1, "b"],
      [2, "a"],
      [4, "new"],
    ],
  });
  const { rows } = await warehouse.query('select id, note, "Old one", older from stage.sales order by id');
  expect(rows).toEqual([
    ["1", "b", "kept 1", "1.50"],
    ["2", "a", "kept 2", null],
    ["3", "a", "kept 3", "3.00"],
    ["4", "new", null, null],
  ]);
});

it("builds models with descriptions that DuckDB's catalogue shows", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:" });
  const model = {
    sql: "select 1 as id",
    preHooks: [],
    postHooks: [],
    description: "it's",
    columnDescriptions: { id: 'the "key"' },
  };
  await warehouse.materialize({ ...model, kind: "view", relation: { schema: "analytics", name: "v" } });
  await warehouse.materialize({ ...model, kind: "table", relation: { schema: "analytics", name: "t" } });
  const comments = await warehouse.query(
    "select view_name, comment from duckdb_views() where schema_name = 'analytics' union all select table_name, comment from duckdb_tables() where schema_name = 'analytics' order by 1",
  );
  expect(comments.rows).toEqual([
    ["t", "it's"],
    ["v", "it's"],
  ]);
  const columns = await warehouse.query("select comment from duckdb_columns() where schema_name = 'analytics'");
  expect(columns.rows).toEqual([['the "key"'], ['the "key"']]);
});
