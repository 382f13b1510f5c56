import { expect, test } from "vitest";
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import type { Source } from "../../../runtime/source/source.ts";
import { extract } from "../../support/extract.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const TABLE = manifestTable({ name: "t", columns: { id: "integer", filler: "text" }, primaryKey: ["id"] });

async function databaseWithRows(rows: number): Promise<TestDatabase> {
  const db = await createTestDatabase();
  await db.query(`CREATE TABLE t (id int PRIMARY KEY, filler text);
    INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, ${rows}) i`);
  return db;
}

const backends = (db: TestDatabase) =>
  db.query<{ pid: number; state: string }>(
    `SELECT pid, state FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'novadrive' AND state <> 'idle'`,
  );

test("all tables are read as they were at one instant, whatever commits meanwhile", async () => {
  await using db = await createTestDatabase();
  await db.query("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1)");
  const [a, b] = ["a", "b"].map((name) => manifestTable({ name, columns: { id: "integer" }, primaryKey: ["id"] }));
  if (!a || !b) throw new Error("No tables");
  await using source = connectSource({ url: db.url });
  const before = await db.query<{ now: Date }>("SELECT clock_timestamp() AS now");
  await using snapshot = await source.openSnapshot([a, b]);
  await db.query("INSERT INTO b VALUES (1); DELETE FROM a");
  expect((await extract(snapshot, a)).rows).toBe(1);
  expect((await extract(snapshot, b)).rows).toBe(0);
  expect(snapshot.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const at = new Date(snapshot.at).getTime();
  expect(at).toBeGreaterThanOrEqual(before[0]?.now.getTime() ?? Number.NaN);
  expect(at).toBeLessThanOrEqual(Date.now() + 1000);
});

test("a snapshot that is closed leaves no transaction behind", async () => {
  await using db = await databaseWithRows(10);
  await using source = connectSource({ url: db.url });
  {
    await using snapshot = await source.openSnapshot([TABLE]);
    await extract(snapshot, TABLE);
    expect((await backends(db)).length).toBeGreaterThan(0);
  }
  expect(await backends(db)).toEqual([]);
});

test("what is being read cannot be truncated or dropped meanwhile", async () => {
  await using db = await databaseWithRows(10);
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([TABLE]);
  await expect(db.query("BEGIN; SET LOCAL lock_timeout = '100ms'; TRUNCATE t; COMMIT")).rejects.toThrow("lock timeout");
  await db.pool.query("ROLLBACK");
  expect((await extract(snapshot, TABLE)).rows).toBe(10);
});

test("what commits while the loader waits for its lock is in the snapshot, a table truncated and filled anew among it", async () => {
  await using db = await databaseWithRows(10);
  await using source = connectSource({ url: db.url });
  const client = await db.pool.connect();
  await client.query("BEGIN; TRUNCATE t; INSERT INTO t (id) SELECT generate_series(1, 7)");
  const opening = source.openSnapshot([TABLE]);
  await expect.poll(() => db.query("SELECT 1 FROM pg_locks WHERE NOT granted")).toHaveLength(1);
  await client.query("COMMIT");
  client.release();
  await using snapshot = await opening;
  expect((await extract(snapshot, TABLE)).rows).toBe(7);
});

test("a table that a schema change has locked is named, with the session that holds it", async () => {
  await using db = await databaseWithRows(10);
  const client = await db.pool.connect();
  try {
    await client.query("BEGIN; ALTER TABLE t ADD COLUMN more int");
    await using source = connectSource({ url: db.url, lockTimeout: 100 });
    await expect(source.openSnapshot([TABLE])).rejects.toMatchObject({
      code: "SOURCE_LOCK_TIMEOUT",
      message: expect.stringMatching(/^public\.t was locked by the session with pid \d+ \(.*ALTER TABLE t/),
      remedy: expect.stringContaining("pg_terminate_backend("),
    });
    expect(await backends(db)).toEqual([]);
    await client.query("ROLLBACK");
    await using snapshot = await source.openSnapshot([TABLE]);
    expect(snapshot.alive()).toBe(true);
  } finally {
    client.release(true);
  }
});

test("partitions are read one by one; through their parent where only that may be read", async () => {
  await using db = await createTestDatabase();
  const role = `reader_${db.name}`;
  await db.query(`CREATE TABLE t (id int PRIMARY KEY, filler text) PARTITION BY RANGE (id);
    CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (50000);
    CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (50000) TO (200000) PARTITION BY RANGE (id);
    CREATE TABLE t_high_a PARTITION OF t_high FOR VALUES FROM (50000) TO (150000);
    INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 100000) i;
    CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT SELECT ON t TO ${role}`);
  try {
    for (const url of [db.url, db.urlFor({ user: role, password: "p" })]) {
      await using source = connectSource({ url });
      await source.preflight([TABLE]);
      await using snapshot = await source.openSnapshot([TABLE]);
      const { records, files } = await extract(snapshot, TABLE, {
        format: { compression: "none", targetBytes: 1 << 20 },
      });
      expect(files.length).toBeGreaterThan(4);
      expect(records.length).toBe(100_000);
      expect(new Set(records.map(([id]) => id)).size).toBe(100_000);
    }
  } finally {
    await db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test("only a few files stand on the disk while the warehouse is slow", async () => {
  await using db = await databaseWithRows(50_000);
  await using source = connectSource({ url: db.url, readers: 2 });
  await using snapshot = await source.openSnapshot([TABLE]);
  let taking = 0;
  let most = 0;
  let files = 0;
  const { rows } = await extract(snapshot, TABLE, {
    format: { compression: "none", targetBytes: 1 << 20 },
    take: async () => {
      files += 1;
      most = Math.max(most, ++taking);
      await new Promise((resolve) => setTimeout(resolve, 20));
      taking -= 1;
    },
  });
  expect(rows).toBe(50_000);
  expect(files).toBeGreaterThan(4);
  expect(most).toBeLessThanOrEqual(2);
});

test("progress ends at the totals and never goes back", async () => {
  await using db = await databaseWithRows(30_000);
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([TABLE]);
  const seen: { rows: number; bytes: number }[] = [];
  const { rows, bytes } = await extract(snapshot, TABLE, { progress: (progress) => seen.push(progress) });
  expect(seen.at(-1)).toEqual({ rows, bytes });
  expect(seen.map((one) => one.bytes)).toEqual(seen.map((one) => one.bytes).toSorted((x, y) => x - y));
});

test("a `take` that fails stops the extract with its own error; no statement goes on, no file stays", async () => {
  await using db = await databaseWithRows(100_000);
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([TABLE]);
  const failing = extract(snapshot, TABLE, {
    format: { compression: "none", targetBytes: 1 << 20 },
    take: () => Promise.reject(new Error("the warehouse is full")),
  });
  await expect(failing).rejects.toThrow("the warehouse is full");
  expect((await backends(db)).filter(({ state }) => state === "active")).toEqual([]);
  expect((await extract(snapshot, TABLE)).rows).toBe(100_000);
});

test("a cancelled extract stops PostgreSQL's statements, and the snapshot can still be read", async () => {
  await using db = await databaseWithRows(100_000);
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([TABLE]);
  const stop = new AbortController();
  const reason = new Error("enough");
  const cancelled = extract(snapshot, TABLE, { signal: stop.signal, progress: () => stop.abort(reason) });
  await expect(cancelled).rejects.toBe(reason);
  await expect.poll(async () => (await backends(db)).length).toBe(1);
  expect(snapshot.alive()).toBe(true);
  expect((await extract(snapshot, TABLE)).rows).toBe(100_000);
});

test("a statement that gives no row is cancelled as well", async () => {
  await using db = await createTestDatabase();
  await db.query("CREATE VIEW slow AS SELECT 1 AS id FROM pg_sleep(60)");
  const slow = manifestTable({ name: "slow", columns: { id: "integer" } });
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([slow]);
  const stop = new AbortController();
  const cancelled = extract(snapshot, slow, { signal: stop.signal });
  await expect.poll(async () => (await backends(db)).filter(({ state }) => state === "active").length).toBe(1);
  stop.abort(new Error("enough"));
  await expect(cancelled).rejects.toThrow("enough");
  await expect.poll(async () => (await backends(db)).length).toBe(1);
});

async function whileReading(
  db: TestDatabase,
  source: Source,
  table: ManifestTable,
  kill: string,
): Promise<{ error: unknown; alive: boolean }> {
  await using snapshot = await source.openSnapshot([table]);
  const first = Promise.withResolvers<void>();
  const reading = extract(snapshot, table, {
    format: { compression: "none", targetBytes: 1 << 20 },
    take: async () => {
      first.resolve();
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
  }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await first.promise;
  await db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'novadrive' AND ${kill}`);
  return { error: await reading, alive: snapshot.alive() };
}

test("when PostgreSQL ends every connection the snapshot is lost, which is worth another try", async () => {
  await using db = await databaseWithRows(100_000);
  await using source = connectSource({ url: db.url });
  const { error, alive } = await whileReading(db, source, TABLE, "true");
  expect(error).toMatchObject({ code: "SOURCE_SNAPSHOT_LOST", transient: true });
  expect(alive).toBe(false);
  await using again = await source.openSnapshot([TABLE]);
  expect((await extract(again, TABLE)).rows).toBe(100_000);
});

test("when only the readers' connections end, the snapshot lives and the table can be read again", async () => {
  await using db = await databaseWithRows(100_000);
  await using source = connectSource({ url: db.url });
  const { error, alive } = await whileReading(db, source, TABLE, "query LIKE 'COPY%'");
  expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE", transient: true });
  expect(alive).toBe(true);
});

test("when the leader's connection ends, no further table is read", async () => {
  await using db = await databaseWithRows(10);
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([TABLE]);
  await db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'novadrive'`);
  await expect.poll(() => snapshot.alive()).toBe(false);
  await expect(extract(snapshot, TABLE)).rejects.toMatchObject({ code: "SOURCE_SNAPSHOT_LOST" });
});
