/** What a first load reads when it goes on, and when it begins anew: the source's part, which is the same for every warehouse. */
import { expect, it } from "vitest";
import { createResumeTest, FILL, manifestOf, ROWS, TABLE, tableEntry, type ResumeTest } from "./support.ts";

async function noneIsLeft(test: ResumeTest): Promise<void> {
  expect(await test.place.kept()).toEqual([]);
}

it("rows of a transaction that was open at the first snapshot are read at the second", async () => {
  await using test = await createResumeTest({ engine: "duckdb", source: TABLE + FILL, tables: tableEntry("t") });
  const open = await test.database.pool.connect();
  try {
    await open.query("BEGIN; INSERT INTO t VALUES (0, 'late'); UPDATE t SET note = 'late too' WHERE id = 17");
    await test.database.query("UPDATE t SET note = 'early' WHERE id = 7000");
    expect(await test.load({ dieAt: { moment: "sealed", count: 1 } })).toBeUndefined();
    await open.query("COMMIT");
  } finally {
    open.release();
  }
  const loaded = await test.load();
  expect(loaded?.read["t"]).toBe(3);
  expect(await test.differences()).toEqual([]);
});

it("of partitions, only those are read anew that were truncated or attached", async () => {
  const parts = [0, 1, 2, 3].map(
    (part) => `CREATE TABLE t${part} PARTITION OF t FOR VALUES FROM (${part * 2500}) TO (${(part + 1) * 2500});`,
  );
  await using test = await createResumeTest({
    engine: "duckdb",
    source: `CREATE TABLE t (id int PRIMARY KEY, note text) PARTITION BY RANGE (id); ${parts.join("")}
    INSERT INTO t SELECT i, i || repeat('x', 900) FROM generate_series(0, 9999) i;`,
    tables: tableEntry("t"),
  });
  expect(await test.load({ dieAt: { moment: "sealed", count: 1 } })).toBeUndefined();
  await test.database.query(`
  CREATE TABLE t4 (id int PRIMARY KEY, note text);
  INSERT INTO t4 SELECT i, 'attached' FROM generate_series(10000, 10999) i;
  ALTER TABLE t ATTACH PARTITION t4 FOR VALUES FROM (10000) TO (20000);
  TRUNCATE t1; INSERT INTO t1 VALUES (2500, 'alone');
  ALTER TABLE t DETACH PARTITION t2; DROP TABLE t2;
  UPDATE t SET note = 'changed' WHERE id = 9999;`);
  const loaded = await test.load();
  expect(loaded?.error).toBeUndefined();
  expect(loaded?.read["t"]).toBe(1002);
  expect(await test.differences()).toEqual([]);
});

it.each([
  ["it was truncated or rewritten", "TRUNCATE t; INSERT INTO t VALUES (1, 'alone')", undefined],
  [
    "it is another table of the same name",
    "ALTER TABLE t RENAME TO old; CREATE TABLE t (id int PRIMARY KEY, note text)",
    undefined,
  ],
  ["its columns are others", "ALTER TABLE t DROP COLUMN note, ADD COLUMN note text", undefined],
  [
    "the manifest names other columns, types or keys",
    "UPDATE t SET note = 'x'",
    manifestOf(tableEntry("t").replace("data_type: text", "data_type: varchar(300)")),
  ],
])("where %s, it begins anew", async (why, change, manifest) => {
  await using test = await createResumeTest({ engine: "duckdb", source: TABLE + FILL, tables: tableEntry("t") });
  expect(await test.load({ dieAt: { moment: "taken", count: 4 } })).toBeUndefined();
  await test.database.query(change);
  const loaded = await test.load(manifest === undefined ? {} : { manifest });
  expect(loaded?.error).toBeUndefined();
  expect(loaded?.log.join("\n")).toContain(`begins anew, without the first load that batch 1 did not end`);
  expect(loaded?.log.join("\n")).toContain(why);
  expect(await test.differences()).toEqual([]);
  await noneIsLeft(test);
});

it("small tables, tables without a key and tables with counted values are loaded anew", async () => {
  await using test = await createResumeTest({
    engine: "duckdb",
    source: `${TABLE} INSERT INTO t SELECT i, 'x' FROM generate_series(1, 100) i;
    CREATE TABLE keyless (id int, note text); INSERT INTO keyless SELECT i, repeat('x', 200) FROM generate_series(1, ${ROWS}) i;`,
    tables: tableEntry("t") + tableEntry("keyless", "sync: {mode: full_refresh}"),
  });
  expect(await test.load({ dieAt: { moment: "publish", count: 1 }, keepFrom: 1e6 })).toBeUndefined();
  await noneIsLeft(test);
  const loaded = await test.load({ keepFrom: 1e6 });
  expect(loaded?.read).toEqual({ t: 100, keyless: ROWS });
  expect(await test.differences()).toEqual([]);
});

it("a snapshot that is held too long ends the batch, and the next one goes on", async () => {
  await using test = await createResumeTest({ engine: "duckdb", source: TABLE + FILL, tables: tableEntry("t") });
  const first = await test.load({ source: { rowsPerSecond: 2500, snapshotLimit: 2 }, retries: 2 });
  expect(first?.error).toMatchObject({
    code: "SOURCE_SNAPSHOT_LIMIT",
    message: expect.stringContaining("held for 2 s"),
    remedy: expect.stringContaining("NOVADRIVE_READERS"),
  });
  expect(await test.place.rows("t")).toEqual([]);
  expect(
    await test.database.query(
      "SELECT pid FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()",
    ),
  ).toEqual([]);
  const loaded = await test.load();
  expect(loaded?.error).toBeUndefined();
  expect(loaded?.read["t"]).toBeLessThan(ROWS);
  expect(await test.differences()).toEqual([]);
});

/** A row that was read before is changed by a transaction that was open then. */
async function lateUpdate(test: ResumeTest, options: Parameters<ResumeTest["load"]>[0]): Promise<void> {
  const open = await test.database.pool.connect();
  try {
    await open.query("BEGIN; UPDATE t SET note = 'late' WHERE id = 17");
    await test.database.query("UPDATE t SET note = 'early' WHERE id = 7000");
    expect(await test.load({ ...options, dieAt: { moment: "sealed", count: 1 } })).toBeUndefined();
    await open.query("COMMIT");
  } finally {
    open.release();
  }
}

it("with the next transaction as the fence, instead of the oldest, an update is lost", async () => {
  await using test = await createResumeTest({ engine: "duckdb", source: TABLE + FILL, tables: tableEntry("t") });
  await lateUpdate(test, { source: { guards: { version: "next" } } });
  expect((await test.load())?.error).toBeUndefined();
  const wrong = (await test.differences()).join("\n");
  expect(wrong).toContain('t lacks ["17","late"]');
});
