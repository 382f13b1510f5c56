/** What happens to a table of the source after it was loaded: each test is named after it. */
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../runtime/config/config.ts";
import { EventBus } from "../../../runtime/core/events.ts";
import { runBatch } from "../../../runtime/schedule/run-batch.ts";
import { Store } from "../../../runtime/store/store.ts";
import { runCommand } from "../../support/command.ts";
import { Drift } from "../../support/drift.ts";
import { WAREHOUSES } from "../../support/project.ts";

const KEYED = {
  source:
    "CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL, note text); INSERT INTO t SELECT i, 'c' || (i + 1) / 2, 'note' FROM generate_series(1, 20) i",
  columns: ["name: code, data_type: text", "name: note, data_type: text"],
};

describe.each(WAREHOUSES)("on %s", (warehouse) => {
  const novadrive = (drift: Drift, ...args: string[]) => runCommand(args, { environment: drift.project.environment });

  it("a new table: introspect tells and adds it, and batches go on without it", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("CREATE TABLE coupons (id int PRIMARY KEY); INSERT INTO coupons VALUES (1), (2)");
    const { tables, warnings } = await drift.batch();
    expect(tables).toHaveLength(1);
    expect(warnings).toBeUndefined();
    expect((await novadrive(drift, "introspect")).stdout).toContain("+ coupons: a table that the manifest lacks");
    await novadrive(drift, "introspect", "--write");
    await drift.pulumiUp();
    const added = await drift.batch();
    expect(added.tables.map(({ name, inserted }) => [name, inserted])).toEqual([
      ["t", 0],
      ["coupons", 2],
    ]);
  });

  it("a dropped table: refused with what to do; taken out of the manifest, its stage table stays", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("CREATE TABLE coupons (id int PRIMARY KEY)");
    await novadrive(drift, "introspect", "--write");
    await drift.pulumiUp();
    await drift.batch();
    await drift.source("DROP TABLE t");
    expect(await drift.refused()).toMatchObject({
      code: "SOURCE_TABLE_MISSING",
      message: "The source has no table public.t.",
      remedy: expect.stringContaining("take the table out"),
    });
    const text = await readFile(drift.file, "utf8");
    await writeFile(drift.file, text.replace(/ +- name: t\n(?: {8}.*\n)+/, ""));
    expect((await drift.batch()).tables.map(({ name }) => name)).toEqual(["coupons"]);
    expect(await drift.stage("count(*)")).toEqual([["50"]]);
  });

  it("a table truncated: every key that is gone is deleted", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("TRUNCATE t", "INSERT INTO t VALUES (3, 'after', 1), (77, 'new', 2)");
    expect((await drift.batch()).table).toMatchObject({ inserted: 1, updated: 1, deleted: 49 });
    await drift.equal();
    await drift.source("TRUNCATE t");
    expect((await drift.batch()).table).toMatchObject({ deleted: 2 });
    await drift.equal();
  });

  it("a table swapped by rename: compared whole, so that older rows count too", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source(
      "CREATE TABLE n (LIKE t INCLUDING ALL); INSERT INTO n SELECT id, 'swapped', price FROM t WHERE id > 10",
    );
    await drift.source("UPDATE t SET note = 'missed' WHERE id = 11");
    await drift.source("BEGIN; ALTER TABLE t RENAME TO old; ALTER TABLE n RENAME TO t; COMMIT");
    const { batch_id, table } = await drift.batch();
    expect(table).toMatchObject({ inserted: 0, updated: 40, deleted: 10 });
    expect(drift.logs(batch_id)).toContain("another table of the same name");
    await drift.equal();
    await drift.source("BEGIN; ALTER TABLE t RENAME TO n; ALTER TABLE old RENAME TO t; COMMIT");
    expect((await drift.batch()).table).toMatchObject({ inserted: 10, updated: 40 });
    await drift.equal();
  });

  it("partitions attached, detached, and one put in another's place", async () => {
    await using drift = await Drift.open(warehouse, {
      source: `CREATE TABLE t (id int PRIMARY KEY, note varchar(10), price numeric(10,2)) PARTITION BY RANGE (id);
        CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (101); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (101) TO (201);
        CREATE TABLE t3 (LIKE t INCLUDING ALL); INSERT INTO t3 SELECT i, 'older', 3 FROM generate_series(201, 230) i;
        INSERT INTO t SELECT i, 'first', 1 FROM generate_series(1, 200) i`,
    });
    await drift.source("ALTER TABLE t ATTACH PARTITION t3 FOR VALUES FROM (201) TO (301)");
    expect((await drift.batch()).table).toMatchObject({ rows_read: 30, inserted: 30 });
    await drift.equal();
    await drift.source("ALTER TABLE t DETACH PARTITION t1");
    expect((await drift.batch()).table).toMatchObject({ deleted: 100 });
    await drift.equal();
    await drift.source(
      "CREATE TABLE n2 (LIKE t INCLUDING ALL); INSERT INTO n2 SELECT i, 'other', 2 FROM generate_series(111, 120) i",
      "ALTER TABLE t DETACH PARTITION t2",
      "ALTER TABLE t ATTACH PARTITION n2 FOR VALUES FROM (101) TO (201)",
    );
    expect((await drift.batch()).table).toMatchObject({ updated: 10, deleted: 90 });
    await drift.equal();
    // While it was detached, a column got another value in every row, and no row a new version.
    await drift.source(
      "ALTER TABLE t DETACH PARTITION t3",
      "ALTER TABLE t3 DROP COLUMN note, ADD COLUMN note varchar(10) DEFAULT 'fast'",
      "ALTER TABLE t ATTACH PARTITION t3 FOR VALUES FROM (201) TO (301)",
    );
    expect((await drift.batch()).table).toMatchObject({ rows_read: 30, updated: 30 });
    await drift.equal();
    expect(await drift.verify()).toMatchObject({ equal: true });
  });

  it("a partitioned table without partitions: empty, as long as it has none", async () => {
    await using drift = await Drift.open(warehouse, {
      source: "CREATE TABLE t (id int PRIMARY KEY, note varchar(10), price numeric(10,2)) PARTITION BY RANGE (id)",
    });
    await drift.source(
      "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
      "INSERT INTO t SELECT i, 'note ' || i, i FROM generate_series(1, 5) i",
    );
    expect((await drift.batch()).table).toMatchObject({ inserted: 5 });
    await drift.source("ALTER TABLE t DETACH PARTITION t_1");
    expect((await drift.batch()).table).toMatchObject({ deleted: 5 });
    await drift.equal();
  });

  it("a table that became partitioned: compared whole", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source(
      `ALTER TABLE t RENAME TO t_all; CREATE TABLE t (LIKE t_all, PRIMARY KEY (id)) PARTITION BY RANGE (id);
       ALTER TABLE t ATTACH PARTITION t_all FOR VALUES FROM (1) TO (1000); UPDATE t SET note = 'moved' WHERE id = 5`,
    );
    expect((await drift.batch()).table).toMatchObject({ updated: 1, deleted: 0 });
    await drift.equal();
  });

  it("a table turned into a view: refused without a cursor, and read whole as full_refresh", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source(
      "ALTER TABLE t RENAME TO base; CREATE VIEW t AS SELECT id, note, price FROM base WHERE id <= 40",
    );
    expect(await drift.refused()).toMatchObject({
      code: "SOURCE_DETECT_IMPOSSIBLE",
      message: expect.stringContaining("public.t is a view"),
      remedy: expect.stringContaining("mode: full_refresh"),
    });
    await drift.edit("{mode: incremental, detect: scan, deletes: hard}", "{mode: full_refresh}");
    expect((await drift.batch()).table).toMatchObject({ updated: 0, deleted: 10 });
    await drift.equal();
    expect((await novadrive(drift, "introspect")).stdout).toBe(
      "+ base: a table that the manifest lacks\n\nAdd what is new with `novadrive introspect --write`.\n",
    );
    await drift.source("CREATE OR REPLACE VIEW t AS SELECT id, note, price, 'x' AS extra FROM base");
    const { warnings, table } = await drift.batch();
    expect(table).toMatchObject({ inserted: 10 });
    expect(warnings).toMatchObject([{ kind: "column_new", columns: ["extra"] }]);
    await novadrive(drift, "introspect", "--write");
    await drift.pulumiUp();
    expect((await drift.batch()).table).toMatchObject({ updated: 50 });
    await drift.equal();
  });

  it("a table made UNLOGGED: followed as before", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t SET UNLOGGED");
    expect((await drift.batch()).table).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    await drift.source("UPDATE t SET note = 'x' WHERE id = 1", "DELETE FROM t WHERE id = 2");
    expect((await drift.batch()).table).toMatchObject({ updated: 1, deleted: 1 });
    await drift.source("ALTER TABLE t SET LOGGED", "UPDATE t SET note = 'y' WHERE id = 1");
    expect((await drift.batch()).table).toMatchObject({ updated: 1 });
    await drift.equal();
  });

  it("row-level security switched on: refused, whatever it hides; followed again with BYPASSRLS", async () => {
    await using drift = await Drift.open(warehouse);
    const { database, environment } = drift.project;
    const role = `reader_${database.name}`;
    await drift.source(`CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT SELECT ON t TO ${role}`);
    const sourceUrl = database.urlFor({ user: role, password: "p" });
    const config = loadConfig({ environment: { ...environment, NOVADRIVE_SOURCE_URL: sourceUrl } });
    const run = async () => {
      using store = Store.open({ folder: config.stateDir });
      const signal = new AbortController().signal;
      return await runBatch({ config, store, events: new EventBus(), trigger: "command", signal });
    };
    try {
      await drift.source("UPDATE t SET note = 'x' WHERE id = 1");
      expect((await run()).tables).toMatchObject([{ updated: 1 }]);
      await drift.source("ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (id < 10)");
      const { error } = await run();
      expect(error).toMatchObject({
        code: "SOURCE_PERMISSION",
        message: `Row-level security hides rows of public.t from ${role}.`,
        remedy: `ALTER ROLE "${role}" BYPASSRLS;`,
      });
      await drift.equal();
      await drift.source(error?.remedy ?? "", "DELETE FROM t WHERE id = 20");
      expect((await run()).tables).toMatchObject([{ deleted: 1 }]);
      await drift.equal();
    } finally {
      await drift.source(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it("another primary key in the source only: refused with the key to write", async () => {
    await using drift = await Drift.open(warehouse, KEYED);
    await drift.source("UPDATE t SET code = 'u' || id", "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (code)");
    expect(await drift.refused()).toMatchObject({
      code: "SOURCE_KEY_MISSING",
      remedy: "In the manifest, write primary_key: [code] for t.",
    });
  });

  it("another primary key, also where rows that were loaded share its values: loaded anew, vanished rows by the key that models know", async () => {
    await using drift = await Drift.open(warehouse, KEYED);
    await drift.source(
      "DELETE FROM t WHERE id % 2 = 0",
      "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (code)",
    );
    await drift.edit("primary_key: [id]", "primary_key: [code]");
    const { batch_id, warnings } = await drift.batch();
    await drift.equal();
    expect(await drift.stage("count(*)")).toEqual([["10"]]);
    expect(warnings).toMatchObject([{ kind: "key_changed", remedy: expect.stringContaining("--full-refresh") }]);
    const deleted = `SELECT key FROM pipeline.deleted_keys WHERE batch_id = ${batch_id} ORDER BY key`;
    expect((await drift.project.ask(deleted)).flat()).toContain("[2]");
    expect(await drift.project.ask(deleted)).toHaveLength(10);
    expect(await drift.verify()).toMatchObject({ equal: true });

    await drift.source("UPDATE t SET id = 99 WHERE code = 'c1'", "DELETE FROM t WHERE code = 'c2'");
    const next = await drift.batch();
    expect(next.table).toMatchObject({ updated: 1, deleted: 1 });
    expect(next.warnings).toBeUndefined();
    expect((await drift.project.ask(deleted.replace(String(batch_id), String(next.batch_id)))).flat()).toEqual([
      '["c2"]',
    ]);
    await drift.equal();
  });

  it("another primary key without the old column: no row stands there twice", async () => {
    await using drift = await Drift.open(warehouse, KEYED);
    await drift.source("DELETE FROM t WHERE id % 2 = 0", "ALTER TABLE t DROP COLUMN id, ADD PRIMARY KEY (code)");
    await drift.edit("primary_key: [id]", "primary_key: [code]");
    await drift.edit("          - {name: id, data_type: integer, constraints: [{type: not_null}]}\n", "");
    if (warehouse === "snowflake") {
      // The key's column is NOT NULL there, and only the infrastructure program may take it out.
      expect(await drift.refused()).toMatchObject({ code: "WAREHOUSE_SCHEMA_MISMATCH" });
      return;
    }
    await drift.batch();
    expect(await drift.stage("code, note")).toHaveLength(10);
    await drift.equal();
  });

  it.each(["ignore", "soft"])(
    "another primary key where deletes are %s: refused, and loaded anew when told to",
    async (deletes) => {
      await using drift = await Drift.open(warehouse, {
        ...KEYED,
        meta: `primary_key: [id], sync: {mode: incremental, detect: scan, deletes: ${deletes}}`,
      });
      await drift.source(
        "DELETE FROM t WHERE id % 2 = 0",
        "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (code)",
      );
      await drift.edit("primary_key: [id]", "primary_key: [code]");
      expect(await drift.refused()).toMatchObject({
        code: "LOAD_KEY_CHANGED",
        remedy: expect.stringContaining("`novadrive run --full-refresh --table t`"),
      });
      const anew = await novadrive(drift, "run", "--full-refresh", "--table", "t", "--json");
      expect(JSON.parse(anew.stdout)).toMatchObject({ status: "success" });
      await drift.equal();
      expect((await drift.batch()).table).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    },
  );

  it("a key added to a table that had none: rows that stood there twice are replaced", async () => {
    await using drift = await Drift.open(warehouse, {
      source:
        "CREATE TABLE t (id int NOT NULL, note text); INSERT INTO t SELECT i % 5, 'same' FROM generate_series(1, 10) i",
      columns: ["name: note, data_type: text"],
      meta: "sync: {mode: full_refresh}",
    });
    await drift.source(
      "DELETE FROM t a USING t b WHERE a.id = b.id AND a.ctid > b.ctid",
      "ALTER TABLE t ADD PRIMARY KEY (id)",
    );
    await drift.edit("sync: {mode: full_refresh}", "primary_key: [id], sync: {mode: incremental, detect: scan}");
    await drift.batch();
    expect(await drift.stage("id")).toEqual([["0"], ["1"], ["2"], ["3"], ["4"]]);
    await drift.equal();
  });
});
