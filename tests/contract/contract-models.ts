/** Contract: how models are built. */
import { beforeAll, expect, it } from "vitest";
import type { Materialization, Materialized } from "../../runtime/warehouse/warehouse.ts";
import { manifestTable } from "../support/manifest-table.ts";
import type { Suite } from "./warehouse-contract.ts";

type Model = { readonly name: string; readonly sql: string } & (
  | { readonly kind: "view" | "table" }
  | { readonly kind: "incremental"; readonly uniqueKey?: readonly string[]; readonly fullRefresh?: boolean }
) &
  Partial<Pick<Materialization, "preHooks" | "postHooks" | "description" | "columnDescriptions">>;

export function describeModels(suite: () => Suite): void {
  const sales = manifestTable({
    name: "sales",
    columns: { id: "integer not null", price: "decimal(10,2)" },
    primaryKey: ["id"],
  });

  beforeAll(async () => {
    await suite().prepare(sales);
    await suite().batches.publish({
      table: sales,
      rows: [
        [1, 10],
        [2, 20],
      ],
    });
  });

  const build = (
    { name, preHooks = [], postHooks = [], ...model }: Model,
    signal?: AbortSignal,
  ): Promise<Materialized> => {
    const relation = { schema: "analytics", name };
    const common = { relation, preHooks, postHooks, ...model };
    const materialization: Materialization =
      common.kind === "incremental"
        ? { uniqueKey: ["id"], fullRefresh: false, ...common }
        : { ...common, kind: common.kind };
    return suite().batches.warehouse.materialize(materialization, { signal });
  };
  const rows = (name: string) => suite().batches.rows(`select * from analytics.${name} order by 1`);
  const kind = async (name: string) =>
    (await suite().batches.warehouse.relations("analytics")).find((relation) => relation.name.toLowerCase() === name)
      ?.kind;
  const builds = (name: string) =>
    suite().batches.rows(`select batch_id from pipeline.model_builds where model = '${name}'`);

  it("builds a view that follows its tables", async () => {
    const built = await build({ name: "v", kind: "view", sql: "select id, price from stage.sales" });
    expect(built).toEqual({ rows: null });
    expect(await kind("v")).toBe("view");
    expect(await rows("v")).toEqual([
      ["1", "10.00"],
      ["2", "20.00"],
    ]);
  });

  it("builds a table, and says how many rows it has", async () => {
    expect(await build({ name: "t", kind: "table", sql: "select id from stage.sales" })).toEqual({ rows: 2 });
    expect(await build({ name: "t", kind: "table", sql: "select id from stage.sales where id = 1" })).toEqual({
      rows: 1,
    });
    expect(await rows("t")).toEqual([["1"]]);
  });

  it("replaces a view by a table and back", async () => {
    await build({ name: "swapped", kind: "view", sql: "select 1 as a" });
    await build({ name: "swapped", kind: "table", sql: "select 2 as b" });
    expect([await kind("swapped"), await rows("swapped")]).toEqual(["table", [["2"]]]);
    await build({ name: "swapped", kind: "view", sql: "select 3 as c" });
    expect([await kind("swapped"), await rows("swapped")]).toEqual(["view", [["3"]]]);
    await build({ name: "swapped", kind: "incremental", sql: "select 4 as id" });
    expect([await kind("swapped"), await rows("swapped")]).toEqual(["table", [["4"]]]);
  });

  it("runs hooks around the rows", async () => {
    await build({
      name: "hooked",
      kind: "table",
      sql: "select count(*) as n from analytics.before_hook",
      preHooks: ["create or replace table analytics.before_hook as select 1 as x"],
      postHooks: ["insert into analytics.hooked select 41", "update analytics.hooked set n = n + 1"],
    });
    expect(await rows("hooked")).toEqual([["2"], ["42"]]);
  });

  it("leaves the relation as it was when its SQL fails", async () => {
    await build({ name: "kept", kind: "table", sql: "select 1 as a" });
    const seen = await builds("kept");
    await expect(build({ name: "kept", kind: "table", sql: "select 1 / 0 as a" })).rejects.toMatchObject({
      code: "MODEL_SQL_FAILED",
      message: expect.stringMatching(/division by zero/i),
    });
    expect(await rows("kept")).toEqual([["1"]]);
    expect(await builds("kept")).toEqual(seen);
  });

  it("does not count a model as built whose hook fails; where DDL takes part in transactions, the relation stays as it was", async () => {
    await build({ name: "half", kind: "table", sql: "select 1 as a" });
    await suite().batches.publish({ table: sales, rows: [] });
    const seen = await builds("half");
    const failing = build({
      name: "half",
      kind: "table",
      sql: "select 2 as a",
      postHooks: ["update analytics.half set a = 3", "update analytics.half set nope = 4"],
    });
    await expect(failing).rejects.toMatchObject({
      code: "MODEL_SQL_FAILED",
      details: { line: 1, column: 27, token: "nope" },
    });
    const { transactionalDdl } = suite().batches.warehouse.capabilities;
    expect(await rows("half")).toEqual(transactionalDdl ? [["1"]] : [["3"]]);
    expect(await builds("half")).toEqual(seen);
    await build({ name: "half", kind: "table", sql: "select 2 as a" });
    expect(await rows("half")).toEqual([["2"]]);
  });

  it("changes nothing in an incremental model whose hook fails after its rows", async () => {
    await build({ name: "inc_half", kind: "incremental", sql: "select 1 as id, 2 as n" });
    const seen = await builds("inc_half");
    const failing = build({
      name: "inc_half",
      kind: "incremental",
      sql: "select 1 as id, 3 as n union all select 2, 3",
      postHooks: ["delete from analytics.inc_half where id = 1", "delete from analytics.inc_half where nope = 1"],
    });
    await expect(failing).rejects.toMatchObject({ code: "MODEL_SQL_FAILED" });
    expect(await rows("inc_half")).toEqual([["1", "2"]]);
    expect(await builds("inc_half")).toEqual(seen);
  });

  it("merges an incremental model by its key, equal rows untouched", async () => {
    await build({ name: "inc", kind: "incremental", sql: "select id, price from stage.sales" });
    const again = await build({
      name: "inc",
      kind: "incremental",
      sql: "select 1 as id, 10::decimal(10,2) as price union all select 2, 25 union all select 3, null",
    });
    expect(again).toEqual({ rows: 2 });
    expect(await rows("inc")).toEqual([
      ["1", "10.00"],
      ["2", "25.00"],
      ["3", null],
    ]);
    const rebuilt = await build({
      name: "inc",
      kind: "incremental",
      fullRefresh: true,
      sql: "select 7 as id, 1 as other",
    });
    expect(rebuilt).toEqual({ rows: 1 });
    expect(await rows("inc")).toEqual([["7", "1"]]);
  });

  it("merges by a key of several columns", async () => {
    const uniqueKey = ["a", "b"];
    const model = { name: "inc_two", kind: "incremental", uniqueKey } as const;
    await build({ ...model, sql: "select 1 as a, 'x' as b, 1 as n union all select 1, 'y', 2" });
    expect(await build({ ...model, sql: "select 1 as a, 'y' as b, 3 as n union all select 2, 'y', 4" })).toEqual({
      rows: 2,
    });
    const merged = await suite().batches.rows("select * from analytics.inc_two order by a, b");
    expect(merged).toEqual([
      ["1", "x", "1"],
      ["1", "y", "3"],
      ["2", "y", "4"],
    ]);
  });

  it("appends to an incremental model without a key", async () => {
    const model = { name: "inc_log", kind: "incremental", uniqueKey: [], sql: "select 1 as id" } as const;
    await build(model);
    expect(await build(model)).toEqual({ rows: 1 });
    expect(await rows("inc_log")).toEqual([["1"], ["1"]]);
  });

  it.each([
    ["a new column", "select 1 as id, 2 as n, 3 as extra", "extra"],
    ["a missing column", "select 1 as id", "n"],
    ["another type", "select 1 as id, 'x' as n", "n"],
    ["another order", "select 2 as n, 1 as id", "order"],
  ])("refuses an incremental model with %s, and says what to run", async (what, sql, named) => {
    const name = `changed_${what.replaceAll(" ", "_")}`;
    await build({ name, kind: "incremental", sql: "select 1 as id, 2 as n" });
    await expect(build({ name, kind: "incremental", sql })).rejects.toMatchObject({
      code: "MODEL_SCHEMA_CHANGED",
      message: expect.stringContaining(named),
      remedy: expect.stringContaining("--full-refresh"),
    });
    expect(await rows(name)).toEqual([["1", "2"]]);
  });

  it("refuses rows that share the unique key, or have none", async () => {
    await build({ name: "keys", kind: "incremental", sql: "select 1 as id, 2 as n" });
    await expect(
      build({ name: "keys", kind: "incremental", sql: "select 5 as id, 2 as n union all select 5, 3" }),
    ).rejects.toMatchObject({
      code: "MODEL_SQL_FAILED",
      details: { key: "5", rows: 2 },
    });
    await expect(
      build({ name: "keys", kind: "incremental", sql: "select null::integer as id, 2 as n" }),
    ).rejects.toMatchObject({ code: "MODEL_SQL_FAILED", message: expect.stringContaining("NULL") });
    await expect(
      build({ name: "keys", kind: "incremental", uniqueKey: ["nope"], sql: "select 1 as id, 2 as n" }),
    ).rejects.toMatchObject({ code: "MODEL_SQL_FAILED", details: { missing: ["nope"] } });
  });

  it("lets a model follow exactly what changed since it was last built", async () => {
    const { batches } = suite();
    const sql = (incremental: boolean): string =>
      `select id, price from stage.sales${incremental ? " where _batch_id > (select max(batch_id) from pipeline.model_builds where model = 'follower')" : ""}`;
    const preHooks = [
      "delete from analytics.follower where id in (select parse_json(key)[0]::integer from pipeline.deleted_keys where table_name = 'sales' and batch_id > (select max(batch_id) from pipeline.model_builds where model = 'follower'))",
    ];
    await build({ name: "follower", kind: "incremental", sql: sql(false) });
    expect(await builds("follower")).toEqual([[String(batches.lastId)]]);
    await batches.publish({
      table: sales,
      rows: [
        [1, 11],

        [3, 30],
      ],
      keys: [[1], [3]],
    });
    expect(await build({ name: "follower", kind: "incremental", sql: sql(true), preHooks })).toEqual({ rows: 2 });
    expect(await rows("follower")).toEqual([
      ["1", "11.00"],
      ["3", "30.00"],
    ]);
    expect(await builds("follower")).toEqual([[String(batches.lastId)]]);
    expect(await build({ name: "follower", kind: "incremental", sql: sql(true), preHooks })).toEqual({ rows: 0 });
  });

  it("says where in the model's SQL the engine found the error", async () => {
    const failing = build({
      name: "wrong",
      kind: "table",
      sql: "select id,\n       no_function(price) as p\nfrom stage.sales",
    });
    await expect(failing).rejects.toMatchObject({
      code: "MODEL_SQL_FAILED",
      details: { line: 2, column: 8, token: "no_function" },
    });
    await expect(build({ name: "wrong", kind: "table", sql: "select 1 as a; select 2 as a" })).rejects.toMatchObject({
      code: "MODEL_SQL_FAILED",
    });
  });

  it("takes descriptions with quotes, and of columns that are not there", async () => {
    const described = { description: "it's a 'test'", columnDescriptions: { ID: 'the "id"', nope: "not there" } };
    await build({ name: "described", kind: "table", sql: "select 1 as id", ...described });
    await build({ name: "described_view", kind: "view", sql: "select 1 as id", ...described });
    expect(await rows("described_view")).toEqual([["1"]]);
  });

  it("builds many models at once", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `parallel_${i}`);
    await Promise.all(
      names.map((name, i) =>
        build({ name, kind: i % 3 === 0 ? "view" : i % 3 === 1 ? "table" : "incremental", sql: `select ${i} as id` }),
      ),
    );
    expect(await Promise.all(names.map((name) => rows(name)))).toEqual(names.map((_, i) => [[String(i)]]));
    const recorded = await suite().batches.rows(
      "select count(*) from pipeline.model_builds where model like 'parallel%'",
    );
    expect(recorded).toEqual([["12"]]);
  });

  it("stops at once when it is told to, and leaves the relation as it was", async () => {
    await build({ name: "stopped", kind: "table", sql: "select 1 as a" });
    const stop = new AbortController();
    const reason = new Error("stopped by the test");
    const many = "table(generator(rowcount => 1000000))";
    const sql = `select count(*) as a from ${many} as a cross join ${many} as b cross join ${many} as c`;
    setTimeout(() => stop.abort(reason), 50);
    await expect(build({ name: "stopped", kind: "table", sql }, stop.signal)).rejects.toBe(reason);
    expect(await rows("stopped")).toEqual([["1"]]);
  });
}
