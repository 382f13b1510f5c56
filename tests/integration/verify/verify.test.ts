/** A verification finds every kind of difference with table, keys and columns, and none where there is none. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../runtime/core/clock.ts";
import type { TableVerification } from "../../../runtime/core/verification.ts";
import { verifyTables } from "../../../runtime/load/verify.ts";
import { createTaskRunner } from "../../../runtime/schedule/task-runner.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import type { Source } from "../../../runtime/source/source.ts";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { copyIntoStage } from "../../support/staged-copy.ts";
import { startTestSnowflake } from "../../support/test-snowflake.ts";

const SALES = {
  price: "decimal(10,2)",
  seller: "text",
  sold_at: "timestamp_ltz",
  ratio: "float",
  doc: "variant",
  day: "date",
  code: "char(5)",
  small: "number(5,0)",
};
const SOURCE =
  "price numeric(10,2), seller text, sold_at timestamptz, ratio float8, doc jsonb, day date, code char(5), small int2";
const VALUES = `i / 100.0, CASE i % 50 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'seller ' || i END, '2026-01-01 00:00+00'::timestamptz + i * interval '1.000001 second',
  i / 7.0, jsonb_build_object('n', i, 'x', 1.50), '2026-01-01'::date + i % 300, 'c' || i % 100, i % 1000`;

const TABLES = [
  manifestTable({ name: "sales", columns: { id: "integer", ...SALES }, primaryKey: ["id"] }),
  manifestTable({ name: "sparse", columns: { id: "integer", ...SALES }, primaryKey: ["id"] }),
  manifestTable({ name: "by_text", columns: { code_key: "text", ...SALES }, primaryKey: ["code_key"] }),
  manifestTable({ name: "by_uuid", columns: { token: "varchar(36)", ...SALES }, primaryKey: ["token"] }),
  manifestTable({
    name: "composite",
    columns: { shop: "text", at: "timestamp_ltz", number: "integer", ...SALES },
    primaryKey: ["shop", "at", "number"],
  }),
  manifestTable({ name: "keyless", columns: { name: "text", price: "decimal(10,2)" }, primaryKey: [] }),
];
const CREATE = `
  CREATE TABLE sales (id int PRIMARY KEY, ${SOURCE});
  INSERT INTO sales SELECT i, ${VALUES} FROM generate_series(-300, 300) i;
  UPDATE sales SET seller = repeat('x', 1048576) WHERE id = 7;
  CREATE TABLE sparse (id int8 PRIMARY KEY, ${SOURCE});
  INSERT INTO sparse SELECT i::int8 * 15372286728091293, ${VALUES} FROM generate_series(-300, 300) i;
  CREATE TABLE by_text (code_key text PRIMARY KEY, ${SOURCE});
  INSERT INTO by_text SELECT 'kéy ' || i, ${VALUES} FROM generate_series(1, 600) i;
  CREATE TABLE by_uuid (token uuid PRIMARY KEY, ${SOURCE});
  INSERT INTO by_uuid SELECT md5(i::text)::uuid, ${VALUES} FROM generate_series(1, 600) i;
  CREATE TABLE composite (shop text, at timestamptz, number int, ${SOURCE}, PRIMARY KEY (shop, at, number));
  INSERT INTO composite SELECT 'shop ' || i % 3, '2026-01-01 00:00+00'::timestamptz + i * interval '1 hour', i, ${VALUES} FROM generate_series(1, 600) i;
  CREATE TABLE keyless (name text, price numeric(10,2));
  INSERT INTO keyless SELECT 'row ' || i % 360, i % 360 FROM generate_series(1, 400) i`;

const ALL = (name: string) => TABLES.find((table) => table.name === name)?.columns.map((column) => column.name) ?? [];

describe.each(["DuckDB", "Snowflake"])("verification on %s", (engine) => {
  const stack = new AsyncDisposableStack();
  let db: TestDatabase;
  let source: Source;
  let warehouse: Warehouse;
  let batchId = 0;

  beforeAll(async () => {
    db = stack.use(await createTestDatabase());
    await db.query(CREATE);
    source = stack.use(connectSource({ url: db.url }));
    const manifest = { file: "manifest.yml", tables: TABLES };
    if (engine === "DuckDB") warehouse = stack.use(await openDuckDb({ file: ":memory:" }));
    else {
      const snowflake = stack.use(await startTestSnowflake());
      await snowflake.server.createStageTables(manifest);
      warehouse = stack.use(await snowflake.open());
    }
    await warehouse.prepare(manifest);
  });
  afterAll(() => stack.disposeAsync());

  const touched = new Set(TABLES.map((table) => table.name));
  beforeEach(async () => {
    await using snapshot = await source.openSnapshot(TABLES);
    batchId += 1;
    await copyIntoStage({ snapshot, warehouse, tables: TABLES.filter((table) => touched.has(table.name)), batchId });
    touched.clear();
  });

  async function change(table: string, sql: string): Promise<void> {
    touched.add(table);
    await warehouse.query(sql);
  }

  async function verify(name: string): Promise<TableVerification> {
    const tasks = createTasks();
    const tables = TABLES.filter((table) => table.name === name);
    const { tables: results } = await verifyTables({
      tables,
      source,
      warehouse,
      tasks,
      concurrency: 1,
      clock: systemClock,
    });
    return results[0] ?? expect.unreachable();
  }

  it.each(TABLES.map((table) => table.name))("finds %s equal", async (name) => {
    const { seconds, ...result } = await verify(name);
    expect(seconds).toBeGreaterThanOrEqual(0);
    expect(result).toEqual({
      name,
      rows_source: result.rows_stage,
      rows_stage: { sales: 601, sparse: 601, keyless: 400 }[name] ?? 600,
      rows_changed_since: 0,
      equal: true,
      differences: [],
    });
  });

  const BITS: readonly (readonly [what: string, set: string, id: number, column: string])[] = [
    ["one cent", "price = price + 0.01", 5, "price"],
    ["a text's case", "seller = upper(seller)", -3, "seller"],
    ["a blank at the end", "seller = seller || ' '", 9, "seller"],
    ["'' for NULL", "seller = ''", 50, "seller"],
    ["NULL for ''", "seller = NULL", 51, "seller"],
    ["one character of 1 MB", "seller = left(seller, 1048575) || 'y'", 7, "seller"],
    ["a microsecond", "sold_at = dateadd(microsecond, 1, sold_at)", -300, "sold_at"],
    ["three hours", "sold_at = dateadd(hour, 3, sold_at)", 300, "sold_at"],
    ["the last bit of a float", "ratio = ratio + 0.00000000000001", 2, "ratio"],
    ["a number in JSON", `doc = parse_json('{"n": 4, "x": 1.51}')`, 4, "doc"],
    ["a day", "day = dateadd(day, 1, day)", 0, "day"],
    ["a sign", "small = -small", 1, "small"],
    ["0 for NULL", "price = NULL", 12, "price"],
  ];
  it.each(BITS)("finds %s", async (_, set, id, column) => {
    await change("sales", `update stage.sales set ${set} where id = ${id}`);
    expect(await verify("sales")).toMatchObject({
      equal: false,
      differences: [{ key_from: id, key_to: id, columns: [column] }],
      keys: [{ key: id, is: "changed", columns: [column] }],
    });
  });

  it("finds values that two rows have swapped", async () => {
    await change(
      "sales",
      "update stage.sales set price = case id when 100 then 2 when 200 then 1 end where id in (100, 200)",
    );
    expect(await verify("sales")).toMatchObject({
      differences: [
        { key_from: 100, key_to: 100, columns: ["price"] },
        { key_from: 200, key_to: 200, columns: ["price"] },
      ],
    });
  });

  it("finds a pair of changes that cancel out in every sum", async () => {
    await change(
      "sales",
      "update stage.sales set price = price + case id when 10 then 1 else -1 end where id in (10, 11)",
    );
    expect(await verify("sales")).toMatchObject({ equal: false, keys: [{ key: 10 }, { key: 11 }] });
  });

  it("finds a time zone that has shifted a whole column, and names the range", async () => {
    await change("sales", "update stage.sales set sold_at = dateadd(hour, -3, sold_at)");
    const { differences, keys } = await verify("sales");
    expect(differences.length).toBeLessThanOrEqual(100);
    expect(differences.at(0)?.key_from).toBe(-300);
    expect(differences.at(-1)?.key_to).toBe(300);
    expect(new Set(differences.flatMap((one) => one.columns))).toEqual(new Set(["sold_at"]));
    expect(keys).toHaveLength(100);
  });

  it("finds a row that is missing", async () => {
    await change("sales", "delete from stage.sales where id = -7");
    expect(await verify("sales")).toMatchObject({
      rows_source: 601,
      rows_stage: 600,
      differences: [{ key_from: -7, key_to: -7, columns: ALL("sales") }],
      keys: [{ key: -7, is: "missing" }],
    });
  });

  it("finds a row that the source never had", async () => {
    await change("sales", "insert into stage.sales (id, _synced_at, _batch_id) values (5000, current_timestamp(), 1)");
    expect(await verify("sales")).toMatchObject({
      rows_stage: 602,
      differences: [{ key_from: 5000, key_to: 5000, columns: ALL("sales") }],
      keys: [{ key: 5000, is: "extra" }],
    });
  });

  it("finds a row that stands there twice", async () => {
    await change("sales", "insert into stage.sales select * from stage.sales where id = 3");
    expect(await verify("sales")).toMatchObject({ rows_stage: 602, keys: [{ key: 3, is: "twice" }] });
  });

  it("finds a row under another key", async () => {
    await change("sales", "update stage.sales set id = 4000 where id = 20");
    expect((await verify("sales")).keys).toEqual([
      { key: 20, is: "missing", columns: ALL("sales") },
      { key: 4000, is: "extra", columns: ALL("sales") },
    ]);
  });

  it.each([
    ["sparse", "id = 15372286728091293", "15372286728091293"],
    ["by_text", "code_key = 'kéy 77'", "kéy 77"],
    ["by_uuid", "token = '6512bd43-d9ca-a6e0-2c99-0b0a82652dca'", "6512bd43-d9ca-a6e0-2c99-0b0a82652dca"],
    ["composite", "number = 8", ["shop 2", "2026-01-01 08:00:00.000000+00", 8]],
  ])("finds a change in %s by its key", async (name, where, key) => {
    await change(name, `update stage.${name} set price = price + 1 where ${where}`);
    const shown = key;
    expect(await verify(name)).toMatchObject({
      differences: [{ key_from: shown, key_to: shown, columns: ["price"] }],
      keys: [{ key: shown, is: "changed", columns: ["price"] }],
    });
  });

  it("finds changes in a table without a key, and the column", async () => {
    await change("keyless", "update stage.keyless set price = price + 1 where name = 'row 5'");
    expect(await verify("keyless")).toMatchObject({
      equal: false,
      rows_stage: 400,
      differences: [{ key_from: null, key_to: null, columns: ["price"] }],
    });
    expect((await verify("keyless")).keys).toBeUndefined();
  });

  it("does not count what the source has changed since the batch", async () => {
    await db.query(`BEGIN; UPDATE sales SET price = price + 1 WHERE id % 10 = 0; DELETE FROM sales WHERE id = 33;
      INSERT INTO sales VALUES (9999, 1); UPDATE sales SET id = 8888 WHERE id = 44; DELETE FROM keyless WHERE name = 'row 9';
      UPDATE keyless SET price = -1 WHERE name = 'row 10'; COMMIT`);
    touched.add("sales").add("keyless");
    expect(await verify("sales")).toMatchObject({ equal: true, rows_changed_since: 63, differences: [] });
    expect(await verify("keyless")).toMatchObject({ equal: true, differences: [] });
    // What differs beside it is still found.
    await change("sales", "update stage.sales set price = price + 1 where id = 55");
    await change("sales", "insert into stage.sales (id, _synced_at, _batch_id) values (5000, current_timestamp(), 1)");
    expect((await verify("sales")).keys).toContainEqual({ key: 55, is: "changed", columns: ["price"] });
    expect((await verify("sales")).keys).toContainEqual(expect.objectContaining({ key: 5000, is: "extra" }));
  });
});

describe("verification of many rows", () => {
  const skewed = manifestTable({
    name: "skewed",
    columns: { id: "integer", price: "decimal(10,2)" },
    primaryKey: ["id"],
  });
  const hashed = manifestTable({
    name: "hashed",
    columns: { code: "text", price: "decimal(10,2)" },
    primaryKey: ["code"],
  });
  const tables = [skewed, hashed];

  it("divides a bucket that holds more than can be read at once, and tells ranges where too many rows differ", async () => {
    await using db = await createTestDatabase();
    await using elsewhere = await createTestDatabase();
    // Open for long, in another database: what is written meanwhile is compared all the same.
    const long = await elsewhere.pool.connect();
    await using stack = new AsyncDisposableStack();
    stack.defer(() => long.release());
    stack.defer(async () => void (await long.query("ROLLBACK")));
    await long.query("BEGIN; SELECT txid_current()");
    // One key far away makes ranges so wide that all others lie in one of them.
    await db.query(`CREATE TABLE skewed (id int8 PRIMARY KEY, price numeric(10,2));
      INSERT INTO skewed SELECT i, i % 90 FROM generate_series(1, 25000) i; INSERT INTO skewed VALUES (9000000000000000000, 1);
      CREATE TABLE hashed (code text PRIMARY KEY, price numeric(10,2));
      INSERT INTO hashed SELECT 'code ' || i, i % 90 FROM generate_series(1, 25000) i`);
    await using source = connectSource({ url: db.url });
    await using warehouse = await openDuckDb({ file: ":memory:" });
    await warehouse.prepare({ file: "manifest.yml", tables });
    {
      await using snapshot = await source.openSnapshot(tables);
      await copyIntoStage({ snapshot, warehouse, tables, batchId: 1 });
    }
    const verify = async () =>
      (await verifyTables({ tables, source, warehouse, tasks: createTasks(), concurrency: 2, clock: systemClock }))
        .tables;
    expect(await verify()).toMatchObject([{ equal: true }, { equal: true }]);

    await warehouse.query("update stage.skewed set price = 91 where id = 12345");
    await warehouse.query("update stage.hashed set price = 91 where code = 'code 777'");
    expect(await verify()).toMatchObject([
      { differences: [{ key_from: 12345, key_to: 12345, columns: ["price"] }], keys: [{ key: 12345 }] },
      { differences: [{ key_from: "code 777", key_to: "code 777", columns: ["price"] }] },
    ]);

    await warehouse.query("update stage.skewed set price = price + 1 where id > 0");
    await warehouse.query("update stage.hashed set price = price + 1 where price >= 0");
    const [ranges, keys] = await verify();
    expect(ranges).toMatchObject({ equal: false, rows_stage: 25_001 });
    expect(ranges?.differences.length).toBeLessThanOrEqual(100);
    expect(Number(ranges?.differences[0]?.key_from)).toBeLessThanOrEqual(1);
    expect(ranges?.differences.every((one) => one.columns.join() === "price")).toBe(true);
    expect(keys?.keys).toHaveLength(100);
    // What has no range is told last, without keys.
    expect(keys?.differences.at(-1)).toEqual({ key_from: null, key_to: null, columns: ["price"] });
  });
});

function createTasks() {
  return createTaskRunner({
    batchId: 0,
    clock: systemClock,
    signal: new AbortController().signal,
    emit: () => {},
    retry: { retries: 0, delay: 0, backoff: 1 },
    timeout: 60,
  });
}
