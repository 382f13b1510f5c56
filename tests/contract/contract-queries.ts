/** Contract: queries in Snowflake's dialect, and the one text form of their values. */
import { expect, it } from "vitest";
import { manifestTable } from "../support/manifest-table.ts";
import type { Suite } from "./warehouse-contract.ts";

const FORMS: readonly (readonly [sql: string, text: string | null])[] = [
  ["null::integer", null],
  ["12", "12"],
  ["(-12.50)::decimal(10,2)", "-12.50"],
  ["0.05::decimal(10,2)", "0.05"],
  ["0.1::float + 0.2::float", "0.30000000000000004"],
  ["1e21::float", "1e+21"],
  ["3::float", "3"],
  ["true", "true"],
  ["false", "false"],
  ["''", ""],
  ["'2024-01-02'::date", "2024-01-02"],
  ["'03:04:05'::time", "03:04:05.000000"],
  ["'2024-01-02 03:04:05.6'::timestamp_ntz", "2024-01-02 03:04:05.600000"],
  ["'2024-01-02 03:04:05+02:00'::timestamp_ltz", "2024-01-02 01:04:05.000000+00"],
  [`parse_json('{"b": 1, "a": [true, null]}')`, '{"a":[true,null],"b":1}'],
];

export function describeQueries(suite: () => Suite): void {
  it.each(FORMS)("gives %s as %j", async (sql, text) => {
    expect(await suite().batches.rows(`select ${sql}`)).toEqual([[text]]);
  });

  it("gives the columns' names, and no row for none", async () => {
    const { columns, rows } = await suite().batches.warehouse.query('select 1 as "Mixed Case", 2 as "b" where 1 = 0');
    expect(columns).toEqual(["Mixed Case", "b"]);
    expect(rows).toEqual([]);
  });

  it("sorts NULL last, and first when descending", async () => {
    const values = "select * from (values (1), (null), (2)) as v(x) order by x";
    expect((await suite().batches.rows(values)).flat()).toEqual(["1", "2", null]);
    expect((await suite().batches.rows(`${values} desc`)).flat()).toEqual([null, "2", "1"]);
  });

  it("says where SQL cannot be read", async () => {
    const failing = suite().batches.warehouse.query("select 1\nfrom stage.t\nwhere x = = 2");
    await expect(failing).rejects.toMatchObject({
      code: "MODEL_SQL_FAILED",
      details: expect.objectContaining({ line: 3, column: 11 }),
    });
  });

  it("says where a name is unknown", async () => {
    const { batches, prepare } = suite();
    await prepare(manifestTable({ name: "known", columns: { id: "integer not null" }, primaryKey: ["id"] }));
    const column = batches.warehouse.query("select id, -- nope\n  'nope', nope from stage.known");
    await expect(column).rejects.toMatchObject({
      code: "MODEL_SQL_FAILED",
      details: { line: 2, column: 11, token: "nope" },
    });
    const relation = batches.warehouse.query("select id\nfrom stage.unknown_table");
    await expect(relation).rejects.toMatchObject({ code: "MODEL_SQL_FAILED", details: { line: 2 } });
  });

  it("stops at once when it is told to", async () => {
    const stop = new AbortController();
    const reason = new Error("stopped by the test");
    const many = "table(generator(rowcount => 1000000))";
    const endless = suite().batches.warehouse.query(
      `select count(*) from ${many} as a cross join ${many} as b cross join ${many} as c`,
      {
        signal: stop.signal,
      },
    );
    setTimeout(() => stop.abort(reason), 50);
    await expect(endless).rejects.toBe(reason);
    expect(await suite().batches.rows("select 1")).toEqual([["1"]]);
    await expect(suite().batches.warehouse.query("select 1", { signal: stop.signal })).rejects.toBe(reason);
  });

  it("runs several queries at once", async () => {
    const results = await Promise.all(Array.from({ length: 8 }, (_, i) => suite().batches.rows(`select ${i}`)));
    expect(results.flat(2)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7"]);
  });

  it("lists the relations of a schema in order, with their columns", async () => {
    const { batches, prepare } = suite();
    await prepare(
      manifestTable({
        name: "zebra",
        columns: { id: "integer not null", price: "decimal(10,2)", at: "timestamp_ltz" },
        primaryKey: ["id"],
      }),
      manifestTable({ name: "ant", columns: { id: "integer not null" }, primaryKey: ["id"] }),
    );
    const relations = (await batches.warehouse.relations("stage")).filter(
      ({ name }) => name === "ant" || name === "zebra",
    );
    expect(relations.map(({ name, kind }) => [name, kind])).toEqual([
      ["ant", "table"],
      ["zebra", "table"],
    ]);
    const columns = relations[1]?.columns.toSorted((left, right) => (left.name < right.name ? -1 : 1));
    expect(columns).toEqual([
      { name: "_batch_id", type: "NUMBER(38,0)" },
      { name: "_synced_at", type: "TIMESTAMP_LTZ(9)" },
      { name: "at", type: "TIMESTAMP_LTZ(9)" },
      { name: "id", type: "NUMBER(38,0)" },
      { name: "price", type: "NUMBER(10,2)" },
    ]);
    expect(await batches.warehouse.relations("no_such_schema")).toEqual([]);
  });
}
