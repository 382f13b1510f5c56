/** A first load that was killed goes on: the result is the same, and what was read is not read again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createResumeTest, manifestOf, tableEntry, type ResumeTest } from "./support.ts";

const ROWS = 10_000;
const TABLE = `CREATE TABLE t (id int PRIMARY KEY, note text);`;
const FILL = `INSERT INTO t SELECT i, i || repeat('x', 900) FROM generate_series(1, ${ROWS}) i;`;

/** Rows that were read before and rows that were not, changed in every way. */
const CHANGES = `
  UPDATE t SET note = 'changed ' || id WHERE id % 250 = 0;
  DELETE FROM t WHERE id % 250 = 1;
  UPDATE t SET id = id + 1000000 WHERE id % 250 = 2;
  INSERT INTO t SELECT i, 'new' FROM generate_series(2000001, 2000050) i;
  DELETE FROM t WHERE id % 250 = 3;
  INSERT INTO t SELECT i, 'again' FROM generate_series(3, ${ROWS}, 250) i;`;
const CHANGED = 6 * (ROWS / 250) + 50;

async function noneIsLeft(test: ResumeTest): Promise<void> {
  expect(await test.ask("SELECT count(*) FROM pipeline.first_loads")).toEqual([["0"]]);
  expect(await test.ask("SELECT count(*) FROM pipeline.first_load_files")).toEqual([["0"]]);
}

it.each([
  // Moment, how many files of the nine or so are in the warehouse then at least.
  { moment: "opened", count: 1, files: 0 },
  { moment: "taken", count: 5, files: 5 },
  { moment: "taking", count: 6, files: 3 },
  { moment: "sealed", count: 1, files: 9 },
  { moment: "publish", count: 1, files: 9 },
])("killed at $moment $count, it goes on and ends equal", async ({ moment, count, files }) => {
  await using test = await createResumeTest({ source: TABLE + FILL, tables: tableEntry("t") });
  expect(await test.load({ dieAt: { moment, count } })).toBeUndefined();
  await test.database.query(CHANGES);
  const loaded = await test.load();
  expect(loaded?.error).toBeUndefined();
  expect(await test.differences()).toEqual([]);
  const rowsOfFile = ROWS / 10;
  expect(loaded?.read["t"]).toBeLessThanOrEqual(ROWS - files * rowsOfFile * 0.9 + CHANGED);
  if (files > 0) expect(loaded?.log.join("\n")).toMatch(/goes on with the first load that batch 1 did not end/);
  await noneIsLeft(test);
  // A transaction of another test may hold the fence back, but not before this table was filled.
  expect((await test.load())?.read["t"]).toBeLessThanOrEqual(CHANGED);
});

it("killed after its publication, it is no first load any more", async () => {
  await using test = await createResumeTest({ source: TABLE + FILL, tables: tableEntry("t") });
  expect(await test.load({ dieAt: { moment: "published", count: 1 } })).toBeUndefined();
  await noneIsLeft(test);
  await test.database.query(CHANGES);
  const loaded = await test.load();
  expect(loaded?.read["t"]).toBeLessThanOrEqual(CHANGED);
  expect(await test.differences()).toEqual([]);
});

it("killed again and again, also while it goes on, it reads each time what is left", async () => {
  await using test = await createResumeTest({ source: TABLE + FILL, tables: tableEntry("t") });
  const moments = [
    { moment: "taken", count: 3 },
    { moment: "taken", count: 2 },
    { moment: "complete", count: 1 },
    { moment: "completed", count: 1 },
  ];
  for (const [round, dieAt] of moments.entries()) {
    expect(await test.load({ dieAt })).toBeUndefined();
    await test.database.query(`
      UPDATE t SET note = 'round ${round} of ' || id WHERE id % 777 = ${round};
      DELETE FROM t WHERE id % 777 = ${10 + round};
      UPDATE t SET id = -id WHERE id > 0 AND id % 777 = ${20 + round};
      UPDATE t SET id = -id WHERE id < 0 AND -id % 777 = ${19 + round};`);
  }
  const loaded = await test.load();
  expect(loaded?.error).toBeUndefined();
  expect(loaded?.read["t"]).toBeLessThan(ROWS / 10);
  expect(await test.differences()).toEqual([]);
  await noneIsLeft(test);
});

it("rows of a transaction that was open at the first snapshot are read at the second", async () => {
  await using test = await createResumeTest({ source: TABLE + FILL, tables: tableEntry("t") });
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
  await using test = await createResumeTest({ source: TABLE + FILL, tables: tableEntry("t") });
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

it("what is kept of a table that is no longer in the manifest goes", async () => {
  const other = "CREATE TABLE other (id int PRIMARY KEY, note text);";
  await using test = await createResumeTest({ source: TABLE + FILL + other, tables: tableEntry("t") });
  expect(await test.load({ dieAt: { moment: "taken", count: 2 } })).toBeUndefined();
  const loaded = await test.load({ manifest: manifestOf(tableEntry("other")) });
  expect(loaded?.error).toBeUndefined();
  await noneIsLeft(test);
  const left = await test.ask(
    "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'pipeline_incoming'",
  );
  expect(left).toEqual([["0"]]);
});

it("a snapshot that is held too long ends the batch, and the next one goes on", async () => {
  await using test = await createResumeTest({ source: TABLE + FILL, tables: tableEntry("t") });
  const first = await test.load({ source: { rowsPerSecond: 2500, snapshotLimit: 2 }, retries: 2 });
  expect(first?.error).toMatchObject({
    code: "SOURCE_SNAPSHOT_LIMIT",
    message: expect.stringContaining("held for 2 s"),
    remedy: expect.stringContaining("NOVADRIVE_READERS"),
  });
  expect(await test.ask("SELECT count(*) FROM stage.t")).toEqual([["0"]]);
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

it("where the snapshot is lost, the load that is tried again in the same batch goes on", async () => {
  await using test = await createResumeTest({ source: TABLE + FILL, tables: tableEntry("t") });
  const dieAt = { moment: "taken", count: 5, ends: "connections" } as const;
  const loaded = await test.load({ dieAt, retries: 3 });
  expect(loaded?.error).toBeUndefined();
  expect(loaded?.log.join("\n")).toContain("goes on with the first load that batch 1 did not end");
  expect(loaded?.read["t"]).toBeLessThanOrEqual(ROWS * 0.65);
  expect(await test.differences()).toEqual([]);
});

it("several tables are killed at once, and each goes on", async () => {
  const names = ["a", "b", "c"];
  const make = names.map((name) => (TABLE + FILL).replaceAll(/\bt\b/g, name)).join("");
  await using test = await createResumeTest({ source: make, tables: names.map((name) => tableEntry(name)).join("") });
  expect(await test.load({ dieAt: { moment: "taken", count: 18 } })).toBeUndefined();
  await test.database.query(names.map((name) => CHANGES.replaceAll(/\bt\b/g, name)).join(""));
  const loaded = await test.load();
  expect(loaded?.error).toBeUndefined();
  const read = names.reduce((sum, name) => sum + (loaded?.read[name] ?? 0), 0);
  expect(read).toBeLessThanOrEqual(ROWS * 3 * 0.55 + 3 * CHANGED);
  expect(await test.differences()).toEqual([]);
  await noneIsLeft(test);
});

describe("each guard is needed:", () => {
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
    await using test = await createResumeTest({ source: TABLE + FILL, tables: tableEntry("t") });
    await lateUpdate(test, { source: { guards: { version: "next" } } });
    expect((await test.load())?.error).toBeUndefined();
    const wrong = (await test.differences()).join("\n");
    expect(wrong).toContain('t lacks ["17","late"]');
  });

  it("if the rows are not made those of one snapshot, the load stops", async () => {
    await using test = await createResumeTest({ source: TABLE + FILL, tables: tableEntry("t") });
    expect(await test.load({ dieAt: { moment: "taken", count: 5 } })).toBeUndefined();
    await test.database.query(CHANGES);
    expect((await test.load({ without: "complete" }))?.error?.code).toBe("LOAD_ROWS_LOST");
    // Nobody goes on with what came out wrong.
    await noneIsLeft(test);
    expect((await test.load())?.read["t"]).toBeGreaterThanOrEqual(ROWS);
    expect(await test.differences()).toEqual([]);
  });
});

it("whatever changes between kills at random moments, it ends equal", async () => {
  const moment = fc.constantFrom("opened", "take", "taking", "taken", "complete", "completed", "sealed", "publish");
  const change = fc.constantFrom(
    "UPDATE t SET note = note || '.' WHERE id % 7 = $",
    "DELETE FROM t WHERE id % 41 = $",
    "UPDATE t SET id = -id WHERE id % 43 = $",
    "INSERT INTO t SELECT i, 'new' FROM generate_series(50000 + $ * 1000, 50100 + $ * 1000) i ON CONFLICT DO NOTHING",
    "BEGIN; UPDATE t SET note = 'gone' WHERE id % 5 = $; ROLLBACK",
    "VACUUM t",
    "BEGIN; SAVEPOINT s; UPDATE t SET note = 'saved ' || id WHERE id % 97 = $; RELEASE s; COMMIT",
  );
  const round = fc.record({
    moment,
    count: fc.integer({ min: 1, max: 6 }),
    changes: fc.array(fc.tuple(change, fc.nat(6)), { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 3 }), async (rounds) => {
      const source = `${TABLE} INSERT INTO t SELECT i, i || repeat('x', 900) FROM generate_series(1, 5000) i;`;
      await using test = await createResumeTest({ source, tables: tableEntry("t") });
      for (const { count, changes, ...died } of rounds) {
        await test.load({ dieAt: { moment: died.moment, count } });
        for (const [sql, number] of changes) await test.database.query(sql.replaceAll("$", String(number)));
      }
      expect((await test.load())?.error).toBeUndefined();
      expect(await test.differences()).toEqual([]);
      await noneIsLeft(test);
    }),
    { numRuns: 4, seed: 6 },
  );
});
