/** Whatever is committed, whenever: after the next batch the stage has it. One test for each way in which other tools lose rows. */
import { Client } from "pg";
import { expect, test } from "vitest";
import type { SyncSettings } from "../../../runtime/manifest/manifest.ts";
import { connectSource, type SourceOptions } from "../../../runtime/source/postgres.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { Mirror } from "../../support/mirror.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const SCHEMA = `CREATE TABLE t (id int PRIMARY KEY, note text, changed timestamptz DEFAULT now());
  INSERT INTO t SELECT i, 'first', timestamptz '2024-01-01 00:00+00' + i * interval '1 hour' FROM generate_series(1, 50) i`;

const table = (sync: Partial<SyncSettings> = {}) =>
  manifestTable({
    name: "t",
    columns: { id: "integer", note: "text", changed: "timestamp_ltz" },
    primaryKey: ["id"],
    sync: { mode: "incremental", cursor: "changed", ...sync },
  });

interface Setting extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly mirror: Mirror;
  readonly warnings: readonly string[];
}

/** A table of 50 rows that one batch has read. */
async function readOnce(
  sync: Partial<SyncSettings> = {},
  options: Partial<SourceOptions> & { schema?: string } = {},
): Promise<Setting> {
  const db = await createTestDatabase();
  const warnings: string[] = [];
  const source = connectSource({ url: db.url, warn: (message) => warnings.push(message), ...options });
  const dispose = async () => {
    await source[Symbol.asyncDispose]();
    await db[Symbol.asyncDispose]();
  };
  try {
    await db.query(options.schema ?? SCHEMA);
    const mirror = new Mirror(db, table(sync), source);
    await mirror.batch();
    expect(await mirror.differences()).toEqual([]);
    return { db, mirror, warnings, [Symbol.asyncDispose]: dispose };
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
}

async function session(db: TestDatabase, sql: string) {
  const client = new Client({ connectionString: db.url });
  client.on("error", () => {});
  await client.connect();
  for (const statement of sql.split(";")) await client.query(statement);
  return {
    run: async (text: string) => void (await client.query(text)),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

const WAYS = [["scan"], ["cursor"]] as const;

test.each(WAYS)("by %s: a transaction that is open at the read and commits later", async (detect) => {
  await using setting = await readOnce({ detect });
  const { db, mirror } = setting;
  await using late = await session(
    db,
    "BEGIN; UPDATE t SET note = 'late', changed = now() WHERE id = 1; INSERT INTO t VALUES (60, 'late')",
  );
  await db.query("UPDATE t SET note = 'early', changed = clock_timestamp() WHERE id = 2");
  await mirror.batch();
  await mirror.batch();
  await late.run("COMMIT");
  await mirror.batch();
  expect(await mirror.differences()).toEqual([]);
});

test.each(WAYS)("by %s: rows of savepoints, whose numbers are higher than their transaction's", async (detect) => {
  await using setting = await readOnce({ detect });
  const { db, mirror } = setting;
  await using late = await session(
    db,
    "BEGIN; UPDATE t SET note = 'outer', changed = now() WHERE id = 1; SAVEPOINT a; INSERT INTO t VALUES (61, 'inner'); SAVEPOINT b; UPDATE t SET note = 'gone', changed = now() WHERE id = 2",
  );
  for (const id of [3, 4, 5])
    await db.query("UPDATE t SET note = 'between', changed = clock_timestamp() WHERE id = $1", [id]);
  await mirror.batch();
  await late.run("ROLLBACK TO b");
  await late.run("INSERT INTO t VALUES (62, 'inner')");
  await mirror.batch();
  await late.run("COMMIT");
  await mirror.batch();
  expect(await mirror.differences()).toEqual([]);
});

test.each(WAYS)("by %s: a prepared transaction", async (detect) => {
  await using setting = await readOnce({ detect });
  const { db, mirror, warnings } = setting;
  const gid = `p_${db.name}`;
  {
    await using _two = await session(
      db,
      `BEGIN; UPDATE t SET note = 'prepared', changed = now() WHERE id = 1; PREPARE TRANSACTION '${gid}'`,
    );
  }
  try {
    await db.query("UPDATE t SET note = 'early', changed = clock_timestamp() WHERE id = 2");
    await mirror.batch();
    await mirror.batch();
  } finally {
    await db.query(`COMMIT PREPARED '${gid}'`);
  }
  await mirror.batch();
  expect(await mirror.differences()).toEqual([]);
  expect(warnings.some((line) => line.includes("prepared transaction"))).toBe(detect === "cursor");
});

test.each(WAYS)("by %s: more rows with the cursor's last value", async (detect) => {
  await using setting = await readOnce({ detect });
  const { db, mirror } = setting;
  for (const id of [70, 71]) {
    await db.query("INSERT INTO t SELECT $1, 'same', max(changed) FROM t", [id]);
    await mirror.batch();
    expect(await mirror.differences()).toEqual([]);
  }
});

test.each(WAYS)("by %s: rows whose cursor is NULL, or the later of two", async (detect) => {
  const cursor = ["changed", "created"];
  const schema = `${SCHEMA}; ALTER TABLE t ADD created timestamptz; UPDATE t SET created = changed; UPDATE t SET changed = NULL WHERE id % 2 = 0`;
  const both = manifestTable({
    name: "t",
    columns: { id: "integer", note: "text", changed: "timestamp_ltz", created: "timestamp_ltz" },
    primaryKey: ["id"],
    sync: { mode: "incremental", cursor, detect },
  });
  await using db = await createTestDatabase();
  await db.query(`${schema}; INSERT INTO t VALUES (80, 'none', NULL, NULL)`);
  await using source = connectSource({ url: db.url });
  const mirror = new Mirror(db, both, source);
  await mirror.batch();
  expect(await mirror.differences()).toEqual([]);
  await db.query("UPDATE t SET note = 'x' WHERE id = 80; UPDATE t SET note = 'y', changed = now() WHERE id = 2");
  await db.query("INSERT INTO t VALUES (81, 'new', NULL, now())");
  const { since, read } = await mirror.batch();
  expect(await mirror.differences()).toEqual([]);
  expect(since?.by).toBe(detect === "scan" ? "version" : "cursor");
  expect(read).toBeLessThan(10);
});

test("a change that no cursor tells of is found by its row version, at the first scan after it", async () => {
  await using setting = await readOnce({ detect: "cursor" });
  const { db, mirror } = setting;
  await db.query("UPDATE t SET note = 'silent' WHERE id = 3");
  await mirror.batch();
  expect(await mirror.differences()).toHaveLength(2);
  await using source = connectSource({ url: db.url });
  const scanning = new Mirror(db, table(), source);
  await scanning.batch();
  // What a cursor has read does not move the fence of row versions.
  const version = mirror.position?.fence["version"] ?? "";
  expect(BigInt(version)).toBeLessThan(BigInt(scanning.position?.fence["version"] ?? ""));
  await using snapshot = await source.openSnapshot([table({ detect: "scan" })]);
  expect(mirror.position && snapshot.scope(table({ detect: "scan" }), mirror.position).since).toMatchObject({
    by: "version",
    from: version,
  });
});

test("a row stays young when it is frozen", async () => {
  await using setting = await readOnce();
  const { db, mirror } = setting;
  await db.query("UPDATE t SET note = 'frozen' WHERE id = 3");
  await db.query("VACUUM FREEZE t");
  const { since } = await mirror.batch();
  expect(since?.by).toBe("version");
  expect(await mirror.differences()).toEqual([]);
});

test("a scan needs neither a cursor nor a privilege", async () => {
  await using setting = await readOnce({ cursor: undefined });
  const { db } = setting;
  const role = `blind_${db.name}`;
  await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT SELECT ON t TO ${role}`);
  try {
    const warnings: string[] = [];
    await using source = connectSource({
      url: db.urlFor({ user: role, password: "p" }),
      warn: (line) => warnings.push(line),
    });
    const mirror = new Mirror(db, table({ cursor: undefined }), source);
    await mirror.batch();
    await using late = await session(db, "BEGIN; UPDATE t SET note = 'late' WHERE id = 1");
    await db.query("UPDATE t SET note = 'early' WHERE id = 2");
    await mirror.batch();
    await late.run("COMMIT");
    expect((await mirror.batch()).since?.by).toBe("version");
    expect(await mirror.differences()).toEqual([]);
    expect(warnings).toEqual([]);
  } finally {
    await db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test.each<[what: string, sql: string, why: string]>([
  ["truncated and filled anew", "TRUNCATE t; INSERT INTO t VALUES (1, 'after')", "truncated or rewritten"],
  ["rewritten", "UPDATE t SET note = 'x' WHERE id = 4; VACUUM FULL t", "truncated or rewritten"],
  [
    "swapped by rename",
    "CREATE TABLE other (LIKE t INCLUDING ALL); INSERT INTO other SELECT id, 'swapped', changed FROM t; ALTER TABLE t RENAME TO old; ALTER TABLE other RENAME TO t",
    "another table of the same name",
  ],
  [
    "dropped and made anew",
    "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, note text, changed timestamptz); INSERT INTO t VALUES (1, 'anew', '2020-01-01')",
    "another table of the same name",
  ],
  [
    "given a column again, whose value stands in no row",
    "ALTER TABLE t DROP note; ALTER TABLE t ADD note text DEFAULT 'filled'",
    "its columns are others",
  ],
  [
    "given other names for its columns",
    "ALTER TABLE t ADD old text DEFAULT 'swapped'; ALTER TABLE t RENAME note TO other; ALTER TABLE t RENAME old TO note",
    "its columns are others",
  ],
])("a table that was %s is read whole, and the log says why", async (_, sql, why) => {
  for (const detect of ["scan", "cursor"] as const) {
    await using setting = await readOnce({ detect });
    const { db, mirror } = setting;
    for (const statement of sql.split("; ")) await db.query(statement);
    const batch = await mirror.batch();
    expect(batch.since).toBeUndefined();
    expect(batch.why).toContain(why);
    expect(await mirror.differences()).toEqual([]);
    expect((await mirror.batch()).since).toBeDefined();
  }
});

test("a table that is truncated while the batch waits for its lock is read as it is afterwards", async () => {
  await using setting = await readOnce();
  const { db, mirror } = setting;
  await using other = await session(
    db,
    "BEGIN; TRUNCATE t; INSERT INTO t SELECT i, 'anew' FROM generate_series(1, 9) i",
  );
  const batch = mirror.batch();
  await expect.poll(() => db.query("SELECT 1 FROM pg_locks WHERE NOT granted")).toHaveLength(1);
  await other.run("COMMIT");
  expect(await batch).toMatchObject({ since: undefined, read: 9 });
  expect(await mirror.differences()).toEqual([]);
});

test.each<[what: string, forged: Readonly<Record<string, string>>, why: string]>([
  ["another server", { server: "1/1/5" }, "another server or database, or was restored or promoted (1/1/5 before"],
  ["a state before", { snapshot: "99999999999:99999999999:" }, "counted fewer transactions than before"],
  ["a log before", { wal: "FFFF/0" }, "has written less than before"],
])("a source that was set back to %s is read whole", async (_, forged, why) => {
  await using setting = await readOnce();
  const { mirror } = setting;
  mirror.forge(forged);
  const batch = await mirror.batch();
  expect(batch.since).toBeUndefined();
  expect(batch.why).toContain(why);
  expect((await mirror.batch()).since).toBeDefined();
});

test("a clock that fell behind makes a cursor worthless, so that row versions are scanned for once", async () => {
  await using setting = await readOnce({ detect: "cursor" });
  const { db, mirror } = setting;
  mirror.forge({ t0: "2999-01-01 00:00:00.000000+00" });
  await db.query("INSERT INTO t VALUES (90, 'behind', '2024-01-01')");
  expect(await mirror.batch()).toMatchObject({ since: { by: "version" }, why: "the source's clock fell behind" });
  expect(await mirror.differences()).toEqual([]);
  expect(await mirror.batch()).toMatchObject({ since: { by: "cursor" } });
});

const PARTITIONED = `CREATE TABLE t (id int PRIMARY KEY, note text, changed timestamptz) PARTITION BY RANGE (id);
  CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (101); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (101) TO (201);
  CREATE TABLE t3 (LIKE t INCLUDING ALL);
  INSERT INTO t3 SELECT i, 'attached', '2020-01-01' FROM generate_series(201, 230) i;
  INSERT INTO t SELECT i, 'first', '2024-01-01' FROM generate_series(1, 200) i`;

test.each(WAYS)(
  "by %s: of a partitioned table, what was attached or truncated is read whole, and nothing else",
  async (detect) => {
    await using setting = await readOnce({ detect }, { schema: PARTITIONED });
    const { db, mirror } = setting;
    await db.query("ALTER TABLE t ATTACH PARTITION t3 FOR VALUES FROM (201) TO (301)");
    const attached = await mirror.batch();
    expect(attached.since?.parts).toHaveLength(1);
    if (detect === "scan") expect(attached.read).toBe(30);
    expect(await mirror.differences()).toEqual([]);
    await db.query("TRUNCATE t2");
    expect((await mirror.batch()).since?.parts).toHaveLength(1);
    await db.query("ALTER TABLE t DETACH PARTITION t1");
    const detached = await mirror.batch();
    expect(detached.since?.parts).toBeUndefined();
    expect(await mirror.differences()).toEqual([]);
  },
);

test("the rows of tables that inherit from the table are its rows, those of new ones too", async () => {
  const schema =
    "CREATE TABLE t (id int PRIMARY KEY, note text, changed timestamptz); CREATE TABLE old () INHERITS (t); INSERT INTO old VALUES (1, 'a')";
  await using setting = await readOnce({ cursor: undefined }, { schema });
  const { db, mirror } = setting;
  await db.query("UPDATE old SET note = 'b'; CREATE TABLE young (LIKE t); INSERT INTO young VALUES (2, 'c')");
  await mirror.batch();
  expect(await mirror.differences()).toEqual([]);
  await db.query("ALTER TABLE young INHERIT t");
  expect((await mirror.batch()).since?.parts).toHaveLength(1);
  expect(await mirror.differences()).toEqual([]);
});

const numbered = (options: string) =>
  `CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (${options}) PRIMARY KEY, note text, changed timestamptz);
   INSERT INTO t (note) SELECT 'first' FROM generate_series(1, 50)`;
const BY_NUMBER = { mode: "append", cursor: "id", detect: "cursor", deletes: "ignore" } as const;

test("numbers that a session holds back (CACHE above 1) are not trusted: rows are scanned for", async () => {
  await using setting = await readOnce(BY_NUMBER, { schema: numbered("CACHE 20"), guards: { margin: 0 } });
  const { db, mirror } = setting;
  await using holder = await session(db, "INSERT INTO t (note) VALUES ('low')");
  await db.query("INSERT INTO t (note) VALUES ('high')");
  await mirror.batch();
  await holder.run("INSERT INTO t (note) VALUES ('low, and late')");
  const batch = await mirror.batch();
  expect(batch).toMatchObject({ since: { by: "version" }, why: expect.stringContaining("CACHE above 1") });
  expect(await mirror.differences()).toEqual([]);
});

test("numbers are read from the last one on that no open transaction can be behind of", async () => {
  await using setting = await readOnce(BY_NUMBER, { schema: numbered("CACHE 1"), guards: { margin: 0 } });
  const { db, mirror } = setting;
  await using late = await session(db, "BEGIN; INSERT INTO t (note) VALUES ('low, and late')");
  await db.query("INSERT INTO t (note) VALUES ('high')");
  expect(await mirror.batch()).toMatchObject({ since: { by: "cursor", from: "50" } });
  await mirror.batch();
  await late.run("COMMIT");
  await mirror.batch();
  expect(await mirror.differences()).toEqual([]);
  expect((await mirror.batch()).read).toBe(1);
  await db.query("ALTER SEQUENCE t_id_seq RESTART WITH 10");
  await db.query("DELETE FROM t WHERE id = 10; INSERT INTO t (note) VALUES ('again')");
  expect(await mirror.batch()).toMatchObject({
    since: { by: "version" },
    why: "the sequence of its cursor was set back",
  });
  expect(await mirror.differences()).toEqual([]);
});

test("a sequence that begins anew while a batch begins gives low numbers to rows that the next one finds", async () => {
  const anew: { on: TestDatabase | undefined } = { on: undefined };
  const between = async () => {
    const db = anew.on;
    anew.on = undefined;
    await db?.query("TRUNCATE t RESTART IDENTITY; INSERT INTO t (note) VALUES ('again')");
  };
  const sync = { ...BY_NUMBER, mode: "incremental", deletes: "hard" } as const;
  await using setting = await readOnce(sync, { schema: numbered("CACHE 1"), guards: { margin: 0, between } });
  const { db, mirror } = setting;
  anew.on = db;
  await mirror.batch();
  expect(anew.on).toBeUndefined();
  expect(await mirror.differences()).toEqual([]);
  // As far as the fence that was read before, and beyond.
  await db.query("INSERT INTO t (note) SELECT 'low' FROM generate_series(1, 60)");
  await mirror.batch();
  expect(await mirror.differences()).toEqual([]);
});

test("a sequence that began anew between two batches, and has come beyond where it was, is not trusted", async () => {
  await using setting = await readOnce(BY_NUMBER, { schema: numbered("CACHE 1"), guards: { margin: 0 } });
  const { db, mirror } = setting;
  await mirror.batch();
  await db.query("DELETE FROM t WHERE id = 50; ALTER SEQUENCE t_id_seq RESTART WITH 50");
  await db.query("INSERT INTO t (note) SELECT 'again' FROM generate_series(1, 2)");
  expect(await mirror.batch()).toMatchObject({ why: "the sequence of its cursor was set back" });
  expect(await mirror.differences()).toEqual([]);
});

test.each<[what: string, sql: string, by: string]>([
  ["a small table", "CREATE INDEX ON t (changed)", "version"],
  [
    "a large one with an index on its cursor",
    "CREATE INDEX ON t (changed); UPDATE pg_class SET reltuples = 3e6 WHERE oid = 't'::regclass",
    "cursor",
  ],
  [
    "a wide one",
    "CREATE INDEX ON t (changed); UPDATE pg_class SET relpages = 100000 WHERE oid = 't'::regclass",
    "cursor",
  ],
  [
    "a large one without",
    "CREATE INDEX ON t (note, changed); UPDATE pg_class SET reltuples = 3e6 WHERE oid = 't'::regclass",
    "version",
  ],
  [
    "a large one with an index over part of it",
    "CREATE INDEX ON t (changed) WHERE id > 5; UPDATE pg_class SET reltuples = 3e6 WHERE oid = 't'::regclass",
    "version",
  ],
])("unless told, changes of %s are found by %s", async (_, sql, by) => {
  await using db = await createTestDatabase();
  await db.query(`${SCHEMA}; ${sql}`);
  await using source = connectSource({ url: db.url });
  const mirror = new Mirror(db, table(), source);
  await mirror.batch();
  expect((await mirror.batch()).since?.by).toBe(by);
});

test("an index on each partition is as good as one on all", async () => {
  await using db = await createTestDatabase();
  await db.query(`${PARTITIONED}; CREATE INDEX ON t1 (changed)`);
  await db.query("UPDATE pg_class SET reltuples = 3e6 WHERE oid = 't1'::regclass");
  await using source = connectSource({ url: db.url });
  const mirror = new Mirror(db, table(), source);
  await mirror.batch();
  expect((await mirror.batch()).since?.by).toBe("version");
  await db.query("CREATE INDEX ON t2 (changed)");
  await mirror.batch();
  expect((await mirror.batch()).since?.by).toBe("cursor");
});

test("what has no row versions needs a cursor, which is said before anything is read", async () => {
  await using db = await createTestDatabase();
  await db.query(`${SCHEMA}; ALTER TABLE t RENAME TO base; CREATE VIEW t AS SELECT * FROM base`);
  await using source = connectSource({ url: db.url });
  for (const sync of [{ cursor: undefined }, { detect: "scan" as const }, { cursor: "id" }]) {
    await expect(source.preflight([table(sync)])).rejects.toMatchObject({
      code: "SOURCE_DETECT_IMPOSSIBLE",
      message: expect.stringContaining("public.t is a view"),
      remedy: expect.stringContaining("mode: full_refresh"),
    });
  }
  await source.preflight([table({ mode: "full_refresh", cursor: undefined })]);
  const mirror = new Mirror(db, table(), source);
  await mirror.batch();
  await db.query("UPDATE base SET note = 'seen', changed = now() WHERE id = 1");
  expect((await mirror.batch()).since?.by).toBe("cursor");
  expect(await mirror.differences()).toEqual([]);
});
