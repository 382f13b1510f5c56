/** Digests are equal just when an extract would give the same rows, and the same keys. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import type { Since, TableDigest } from "../../../runtime/source/source.ts";
import { extract } from "../../support/extract.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const SINCE: Since = { by: "cursor", from: "2026-01-10 00:00:00+00" };

const EARLY: Since = { by: "cursor", from: "2026-01-01" };

const TABLE = manifestTable({
  name: "t",
  columns: { id: "integer", name: "text", at: "timestamp_ltz" },
  primaryKey: ["id"],
  sync: { mode: "incremental", cursor: "at" },
});

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(async () => await db[Symbol.asyncDispose]());

async function createTable(): Promise<void> {
  // The column that the manifest lacks is none of its business.
  await db.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, name text, at timestamptz, more text);
    INSERT INTO t VALUES (1, 'one', '2026-01-01'), (2, 'two', '2026-01-10'), (3, 'three', '2026-01-20'), (4, '', NULL), (5, NULL, '2026-01-05')`);
}

interface Taking {
  readonly table?: ManifestTable;
  readonly since?: Since | undefined;
  readonly keys?: boolean;
}

async function take({ table = TABLE, since = SINCE, keys = true }: Taking = {}): Promise<TableDigest> {
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([table]);
  return await snapshot.digest({ table, since, keys });
}

test("counts the rows from the watermark on with those that have no cursor, and the keys of all", async () => {
  await createTable();
  const digest = await take();
  expect(digest).toEqual({
    rows: { count: 3, hash: expect.stringMatching(/^-?\d+$/) },
    keys: { count: 5, hash: expect.stringMatching(/^-?\d+$/) },
  });
  expect(await take({ keys: false })).toEqual({ rows: digest.rows });
});

test("an empty table has a digest too", async () => {
  await createTable();
  await db.query("TRUNCATE t");
  expect(await take()).toEqual({ rows: { count: 0, hash: "0" }, keys: { count: 0, hash: "0" } });
});

test.each<[what: string, rows: "same" | "other", keys: "same" | "other", sql: string]>([
  ["a row is inserted", "other", "other", "INSERT INTO t VALUES (6, 'six', '2026-02-01')"],
  ["a row is inserted behind the watermark", "same", "other", "INSERT INTO t VALUES (6, 'six', '2026-01-02')"],
  ["a row is updated", "other", "same", "UPDATE t SET name = 'drei' WHERE id = 3"],
  ["a row without a cursor is updated", "other", "same", "UPDATE t SET name = 'four' WHERE id = 4"],
  ["'' becomes NULL", "other", "same", "UPDATE t SET name = NULL WHERE id = 4"],
  ["a row loses its cursor", "other", "same", "UPDATE t SET at = NULL WHERE id = 1"],
  ["a row comes into sight", "other", "same", "UPDATE t SET at = '2026-02-01' WHERE id = 1"],
  ["a row behind the watermark is deleted", "same", "other", "DELETE FROM t WHERE id = 1"],
  [
    "one row is deleted, another inserted",
    "same",
    "other",
    "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (6, 'one', '2026-01-01')",
  ],
  ["a key is changed", "other", "other", "UPDATE t SET id = 30 WHERE id = 3"],
  [
    "two rows swap a value",
    "other",
    "same",
    "UPDATE t SET name = CASE id WHEN 2 THEN 'three' ELSE 'two' END WHERE id IN (2, 3)",
  ],
  ["a column changes that the manifest lacks", "same", "same", "UPDATE t SET more = 'x'"],
  ["a row that the mode cannot see is updated", "same", "same", "UPDATE t SET name = 'silent' WHERE id = 1"],
  ["rows are written anew as they were", "same", "same", "UPDATE t SET name = name; VACUUM FULL t; ANALYZE t"],
  [
    "the heap is put into another order",
    "same",
    "same",
    "CREATE INDEX by_name ON t (name DESC); CLUSTER t USING by_name",
  ],
])("where %s, the digest of the rows is the %s, of the keys the %s", async (_, rows, keys, sql) => {
  await createTable();
  const before = await take();
  for (const statement of sql.split("; ")) await db.query(statement);
  const after = await take();
  expect(after.rows.hash === before.rows.hash ? "same" : "other").toBe(rows);
  expect(after.keys?.hash === before.keys?.hash ? "same" : "other").toBe(keys);
});

test("does not depend on settings of the role or the database", async () => {
  await createTable();
  const before = await take();
  await db.query(
    `ALTER DATABASE "${db.name}" SET TimeZone = 'America/Sao_Paulo'; ALTER DATABASE "${db.name}" SET DateStyle = 'German'`,
  );
  expect(await take()).toEqual(before);
});

test("tells texts apart that a collation takes as equal", async () => {
  await createTable();
  await db.query(`DROP TABLE t; CREATE COLLATION careless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE t (id text COLLATE careless PRIMARY KEY, at date); INSERT INTO t VALUES ('a', NULL)`);
  const table = manifestTable({ ...TABLE, columns: { id: "text", at: "date" } });
  const before = await take({ table, since: EARLY });
  await db.query("UPDATE t SET id = 'A'");
  const after = await take({ table, since: EARLY });
  expect(after.keys).not.toEqual(before.keys);
  expect(after.rows).not.toEqual(before.rows);
});

test.each([
  [
    "a partitioned table",
    "CREATE TABLE t (id int, at date, PRIMARY KEY (id)) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)",
  ],
  ["a view", "CREATE TABLE base (id int, at date); CREATE VIEW t AS SELECT * FROM base"],
])("is taken of %s", async (_, sql) => {
  await createTable();
  await db.query(`DROP TABLE t; ${sql}; INSERT INTO t VALUES (1, '2026-01-01'), (15, NULL)`);
  const table = manifestTable({ ...TABLE, columns: { id: "integer", at: "date" } });
  expect(await take({ table, since: EARLY })).toMatchObject({ rows: { count: 2 }, keys: { count: 2 } });
  await db.query("DROP TABLE IF EXISTS base CASCADE");
});

const SCHEMA = `CREATE TABLE t (a text, b text, n numeric(10,2), v varchar(9), at timestamptz, PRIMARY KEY (a, b))`;
const WIDE = manifestTable({
  name: "t",
  columns: { a: "text", b: "text", n: "decimal(10,2)", v: "varchar(9)", at: "timestamp_ltz" },
  primaryKey: ["a", "b"],
  sync: { mode: "incremental", cursor: "at" },
});

/** Texts that are easily mistaken for each other once they stand side by side. */
const text = fc.constantFrom("", "a", "b", "a,b", '"', '""', "(", "\\", "\\N", " ", "a ", "é", "\n", "NULL");
const row = fc.record({
  a: text,
  b: text,
  n: fc.option(fc.constantFrom("0", "0.10", "-0.10", "99999999.99")),
  v: fc.option(text),
  at: fc.option(fc.constantFrom("2026-01-01", "2026-01-10", "2026-01-10 00:00:00.000001", "2026-03-01")),
});
const rows = fc.uniqueArray(row, { maxLength: 5, selector: ({ a, b }) => JSON.stringify([a, b]) });

test("is equal just when an extract gives the same", async () => {
  await db.query(`DROP TABLE IF EXISTS t; ${SCHEMA}`);
  await using source = connectSource({ url: db.url });
  const see = async (content: readonly Record<string, string | null>[]) => {
    await db.query("TRUNCATE t");
    await db.query("INSERT INTO t SELECT * FROM jsonb_populate_recordset(NULL::t, $1)", [JSON.stringify(content)]);
    await using snapshot = await source.openSnapshot([WIDE]);
    const records = async (options: Parameters<typeof extract>[2]) =>
      (await extract(snapshot, WIDE, options)).records.map((record) => JSON.stringify(record)).toSorted();
    return {
      digest: await snapshot.digest({ table: WIDE, since: SINCE, keys: true }),
      rows: await records({ since: SINCE }),
      keys: await records({ what: "keys" }),
    };
  };
  /** A few rows, and the same with one of them changed a little, or in another order. */
  const pair = fc.tuple(rows, rows, fc.nat(4), row).map(([one, other, index, changed]) => {
    const edited = one.map((each, place) => (place === index ? { ...changed, a: each.a, b: each.b } : each));
    return [one, index % 2 === 0 ? edited.toReversed() : index === 3 ? one.toReversed() : other] as const;
  });
  await fc.assert(
    fc.asyncProperty(pair, async ([one, other]) => {
      const before = await see(one);
      const after = await see(other);
      const same = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right);
      expect(same(before.digest.rows, after.digest.rows)).toBe(same(before.rows, after.rows));
      expect(same(before.digest.keys, after.digest.keys)).toBe(same(before.keys, after.keys));
    }),
    { numRuns: 60 },
  );
});
