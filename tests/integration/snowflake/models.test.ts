/** Models in Snowflake, whose DDL commits: nothing comes twice, and what stood stays until the new stands. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Materialization, Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import { startTestSnowflake, type TestSnowflake } from "../../support/test-snowflake.ts";

let snowflake: TestSnowflake;
let warehouse: Warehouse;

beforeAll(async () => {
  snowflake = await startTestSnowflake();
  warehouse = await snowflake.open();
  await warehouse.prepare({ file: "manifest.yml", tables: [] });
});

afterAll(async () => {
  await warehouse[Symbol.asyncDispose]();
  await snowflake[Symbol.asyncDispose]();
});

const NONE = { preHooks: [], postHooks: [] };
const log = (sql: string, postHooks: readonly string[] = [], fullRefresh = false): Materialization => ({
  ...NONE,
  kind: "incremental",
  relation: { schema: "analytics", name: "log" },
  sql,
  postHooks,
  uniqueKey: [],
  fullRefresh,
});
const rows = async (name: string) => (await warehouse.query(`select * from analytics.${name} order by 1`)).rows.flat();

it("adds rows once though a hook after GRANT, which commits, fails", async () => {
  await warehouse.materialize(log("select 1 as id", [], true));
  const hooks = [
    "insert into analytics.log select 10",
    "grant select on analytics.log to role READER",
    "update analytics.log set nope = 1",
  ];
  await expect(warehouse.materialize(log("select 2 as id", hooks))).rejects.toMatchObject({ code: "MODEL_SQL_FAILED" });
  expect(await rows("log")).toEqual(["1", "2", "10"]);
  const [built] = (await warehouse.query("select count(*) from pipeline.model_builds where model = 'log'")).rows;
  expect(built).toEqual(["1"]);
});

it.each([
  ["the table", /CREATE OR REPLACE TRANSIENT TABLE "ANALYTICS"."BEGUN"/],
  ["what the model has seen", /MERGE INTO "PIPELINE"."MODEL_BUILDS".*UNFINISHED_BUILD_ID = NULL/],
])("makes an incremental model anew whose build ended after %s was written", async (_, statement) => {
  const model = { ...log("select 1 as id", [], true), relation: { schema: "analytics", name: "begun" } };
  await warehouse.materialize(model);
  expect((await warehouse.relations("analytics")).find(({ name }) => name === "begun")?.unfinished).toBeUndefined();
  const lost = snowflake.server.misbehave({ fault: "drop-after", matches: ({ sql }) => statement.test(sql) });
  const gone = snowflake.server.misbehave({ fault: "master-expired", matches: ({ sql }) => statement.test(sql) });
  const failing = warehouse.materialize(model);
  await expect(failing).rejects.toMatchObject({ code: "WAREHOUSE_UNREACHABLE" });
  expect([lost.hits, gone.hits]).toEqual([1, 1]);
  const unfinished = (await warehouse.relations("analytics")).find(({ name }) => name === "begun")?.unfinished;
  expect(unfinished).toBe(statement.source.startsWith("CREATE") ? true : undefined);
  await warehouse.materialize(model);
  expect((await warehouse.relations("analytics")).find(({ name }) => name === "begun")?.unfinished).toBeUndefined();
});

it("leaves a view standing when the table that is to replace it cannot be made", async () => {
  const model = { ...NONE, relation: { schema: "analytics", name: "turned" } };
  await warehouse.materialize({ ...model, kind: "view", sql: "select 1 as a" });
  await expect(warehouse.materialize({ ...model, kind: "table", sql: "select 1 / 0 as a" })).rejects.toThrow(/zero/);
  expect(await rows("turned")).toEqual(["1"]);
  await warehouse.materialize({ ...model, kind: "table", sql: "select 2 as a" });
  expect(await rows("turned")).toEqual(["2"]);
  const names = (await warehouse.relations("analytics")).map(({ name }) => name);
  expect(names.filter((name) => name.startsWith("turned"))).toEqual(["turned"]);
});

it("gives an incremental model's column the digits that its rows need", async () => {
  const model = {
    ...log("select 1::number(4,2) as price", [], true),
    relation: { schema: "analytics", name: "wider" },
  };
  await warehouse.materialize(model);
  await warehouse.materialize({
    ...model,
    fullRefresh: false,
    sql: "select 12345.67::number(9,2) as price",
  } as Materialization);
  expect(await rows("wider")).toEqual(["1.00", "12345.67"]);
});

it("lets no query change the session of what comes after it", async () => {
  await warehouse.query("alter session set timezone = 'America/Sao_Paulo'");
  const asked = await Promise.all(
    Array.from({ length: 6 }, () => warehouse.query("select '2024-01-02 03:04:05+00:00'::timestamp_ltz")),
  );
  expect(new Set(asked.flatMap(({ rows: [row] }) => row))).toEqual(new Set(["2024-01-02 03:04:05.000000+00"]));
});
