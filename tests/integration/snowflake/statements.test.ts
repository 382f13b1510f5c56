/**
 * How many statements a batch sends, by the server's log: the same for few rows and for many.
 * The large batch changes STATEMENTS_ROWS rows.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSnowflakeProject, type SnowflakeProject } from "../../support/project.ts";
import type { LoggedStatement } from "../../support/snowflake/statements.ts";

const MANY = Number(process.env["STATEMENTS_ROWS"] ?? 100_000);
const FEW = 100;

let project: SnowflakeProject;

beforeAll(async () => {
  project = await createSnowflakeProject({
    source: `
      CREATE TABLE orders (id int PRIMARY KEY, price numeric(10,2), changed_at timestamptz);
      CREATE TABLE regions (id int PRIMARY KEY, name text);
      CREATE TABLE readings (id int PRIMARY KEY, value float8);
      CREATE TABLE visits (id int PRIMARY KEY, page text);
      CREATE INDEX ON orders (changed_at);
      INSERT INTO orders SELECT i, i % 1000, now() - interval '1 day' + i * interval '1 microsecond' FROM generate_series(1, ${MANY / 5}) i;
      INSERT INTO regions SELECT i, 'region' FROM generate_series(1, 10) i;
      INSERT INTO readings SELECT i, i FROM generate_series(1, 10) i;
      INSERT INTO visits SELECT i, '/' FROM generate_series(1, 10) i`,
    tables: `
- name: orders
  config: {meta: {primary_key: [id], sync: {mode: incremental, cursor: changed_at, deletes: hard}}}
  columns:
    - {name: id, data_type: integer}
    - {name: price, data_type: "decimal(10,2)"}
    - {name: changed_at, data_type: timestamp_ltz}
- name: regions
  config: {meta: {primary_key: [id], sync: {mode: full_refresh}}}
  columns:
    - {name: id, data_type: integer}
    - {name: name, data_type: text}
- name: readings
  config: {meta: {primary_key: [id], sync: {mode: full_refresh}}}
  columns:
    - {name: id, data_type: integer}
    - {name: value, data_type: float}
- name: visits
  config: {meta: {primary_key: [id], sync: {mode: append, cursor: id}}}
  columns:
    - {name: id, data_type: integer}
    - {name: page, data_type: text}
`,
    files: {
      "models/prices.sql": "select id, price from {{ source('stage', 'orders') }}",
      "models/totals.sql":
        "{{ config(materialized='table') }}select count(*) as orders, sum(price) as total from {{ ref('prices') }}",
    },
  });
  expect((await project.run()).status).toBe("success");
});
afterAll(async () => project[Symbol.asyncDispose]());

/** Of `rows` changed rows a tenth is deleted, a tenth updated, and the rest new. */
async function changeOrders(rows: number): Promise<void> {
  const tenth = rows / 10;
  await project.database.query(`
    DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT ${tenth});
    UPDATE orders SET price = price + 1, changed_at = clock_timestamp() WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT ${tenth});
    INSERT INTO orders SELECT (SELECT max(id) FROM orders) + i, 1, clock_timestamp() FROM generate_series(1, ${rows - 2 * tenth}) i`);
}

/** Runs a batch; its result and its statements. */
async function batch() {
  const { log } = project.snowflake.server;
  const before = log.length;
  const result = await project.run();
  expect(result.error).toBeUndefined();
  expect(result.status).toBe("success");
  return { result, statements: log.slice(before) };
}

/** Without the names and numbers that are another batch's. */
function shape({ sql }: LoggedStatement): string {
  return sql
    .replace(/(?<=TRANSACTION NAME )\w+/, "…")
    .replaceAll(/'(?:[^'\\]|\\.|'')*'/g, "'…'")
    .replaceAll(/\d+([/_])[0-9A-Fa-f]{8}(?:_\d+)?/g, "…")
    .replaceAll(/\b\d+\b/g, "0");
}

const isPut = ({ sql }: LoggedStatement): boolean => sql.startsWith("PUT ");
/** Statements go to several sessions at once, so their order is not theirs. */
const shapes = (statements: readonly LoggedStatement[]): readonly string[] =>
  statements
    .filter((statement) => !isPut(statement))
    .map(shape)
    .toSorted();

it(
  `sends the same statements for ${FEW} changed rows and for ${MANY}, and one PUT a file`,
  { timeout: 300_000 },
  async () => {
    // The first time, the stage table is asked for its keys; from then on they are known here.
    await changeOrders(FEW);
    await batch();
    await changeOrders(FEW);
    const few = await batch();
    await changeOrders(MANY);
    const many = await batch();
    expect(shapes(many.statements)).toEqual(shapes(few.statements));
    const changes = ({ result }: typeof few) =>
      result.tables
        .filter(({ name }) => name === "orders")
        .map(({ inserted, updated, deleted }) => ({ inserted, updated, deleted }));
    expect(changes(few)).toEqual([{ inserted: FEW * 0.8, updated: FEW * 0.1, deleted: FEW * 0.1 }]);
    expect(changes(many)).toEqual([{ inserted: MANY * 0.8, updated: MANY * 0.1, deleted: MANY * 0.1 }]);
    // Rows and keys; where there are many, the two readers of the source fill a file each.
    const [fewFiles, manyFiles] = [few, many].map(({ statements }) => statements.filter(isPut).map(({ sql }) => sql));
    expect(fewFiles).toHaveLength(2);
    expect(manyFiles?.length).toBeLessThanOrEqual(4);
    expect(new Set(manyFiles).size).toBe(manyFiles?.length);
  },
);

it("sends nothing, not even a login, when there is nothing new", async () => {
  const { server } = project.snowflake;
  const login = server.misbehave({
    fault: "status",
    status: 503,
    endpoint: "/session/v1/login-request",
    times: Infinity,
  });
  const { result, statements } = await batch();
  login.remove();
  expect(statements).toEqual([]);
  expect(login.hits).toBe(0);
  expect(result.usage).toMatchObject({ statements: 0, warehouse_seconds: 0, credits: 0 });
});

const LOADING: readonly (string | undefined)[] = ["stage", "load", "check", "publish"];

it("sends nothing for the other tables when one has changed", async () => {
  await project.database.query("UPDATE readings SET value = value + 0.5");
  const { statements } = await batch();
  const own = statements.filter(({ tag }) => LOADING.includes(tag?.step));
  expect(own.filter(({ sql }) => sql.includes("READINGS")).map(({ tag }) => tag?.step)).toEqual(
    expect.arrayContaining(["stage", "load", "check", "publish"]),
  );
  expect(own.filter(({ sql, tag }) => /orders|regions|visits/i.test(`${sql} ${tag?.subject}`))).toEqual([]);
  // What else names them looks at the catalogue, without a warehouse, or is a model.
  const others = statements.filter(({ sql, tag }) => tag?.step !== "model" && /ORDERS|REGIONS|VISITS/.test(sql));
  expect(others.filter(({ needsWarehouse }) => needsWarehouse)).toEqual([]);
  expect(statements.filter(isPut)).toHaveLength(1);
});
