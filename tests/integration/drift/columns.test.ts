/** What happens to columns of the source after a table was loaded: each test is named after it. */
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { Store } from "../../../runtime/store/store.ts";
import { runCommand } from "../../support/command.ts";
import { Drift } from "../../support/drift.ts";
import { WAREHOUSES } from "../../support/project.ts";

describe.each(WAREHOUSES)("on %s", (warehouse) => {
  const novadrive = (drift: Drift, ...args: string[]) => runCommand(args, { environment: drift.project.environment });

  it("a new column: told everywhere, stops nothing, added by introspect --write, filled in every row", async () => {
    await using drift = await Drift.open(warehouse);
    // With a fast default, no row gets a new version.
    await drift.source(
      "ALTER TABLE t ADD COLUMN channel text DEFAULT 'shop'",
      "INSERT INTO t VALUES (51, 'new', 1, 'web')",
    );
    const { batch_id, table, warnings } = await drift.batch();
    expect(table).toMatchObject({ inserted: 1, updated: 0 });
    expect(warnings).toEqual([
      {
        kind: "column_new",
        table: "t",
        columns: ["channel"],
        message: 'public.t has a column "channel" that the manifest lacks: not loaded.',
        remedy: expect.stringContaining("`novadrive introspect --write`"),
      },
    ]);
    expect(drift.logs(batch_id).split('"channel"')).toHaveLength(2);
    {
      using store = Store.open({ folder: drift.project.stateDir });
      expect(store.batch(batch_id)).toMatchObject({ warnings });
      expect(store.batches({ limit: 1 })).toMatchObject([{ warnings }]);
    }
    const doctor = JSON.parse((await novadrive(drift, "doctor", "--json")).stdout);
    expect(doctor.checks).toContainEqual(
      expect.objectContaining({ check: "table t", status: "warning", detail: warnings?.[0]?.message }),
    );

    const written = await novadrive(drift, "introspect", "--write");
    expect(written.stdout).toContain("+ t.channel: text, to be loaded as text");
    if (warehouse === "snowflake") {
      const error = await drift.refused();
      expect(error).toMatchObject({ code: "WAREHOUSE_SCHEMA_MISMATCH", remedy: expect.stringContaining("pulumi up") });
      expect(error.message).toContain("t.channel is missing");
      await drift.pulumiUp();
    }
    const filled = await drift.batch();
    expect(filled.table).toMatchObject({ rows_read: 51, inserted: 0, updated: 51, deleted: 0 });
    expect(filled.warnings).toBeUndefined();
    await drift.equal();
    expect(await drift.verify()).toMatchObject({ equal: true });
    // Once: the next batch reads what is new.
    await drift.source("UPDATE t SET channel = 'phone' WHERE id = 1");
    expect((await drift.batch()).table).toMatchObject({ updated: 1 });
    await drift.equal();
  });

  it("a new column whose name is taken: told why it is not loaded, and never offered", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source('ALTER TABLE t ADD COLUMN "Note" text, ADD COLUMN _batch_id int');
    const { warnings } = await drift.batch();
    expect(warnings).toMatchObject([{ kind: "column_left_out", columns: ["Note", "_batch_id"] }]);
    const before = await readFile(drift.file, "utf8");
    await novadrive(drift, "introspect", "--write");
    expect(await readFile(drift.file, "utf8")).toBe(before);
  });

  it("a dropped column: refused with what to do; taken out of the manifest, it keeps its values in the warehouse", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t DROP COLUMN price");
    expect(await drift.refused()).toMatchObject({
      code: "SOURCE_COLUMN_MISSING",
      message: 'public.t has no column "price".',
      remedy: expect.stringContaining("Take it out of the manifest"),
    });
    await drift.edit('          - {name: price, data_type: "decimal(10,2)"}\n', "");
    const { table, warnings } = await drift.batch();
    expect(table).toMatchObject({ rows_read: 50, updated: 0, deleted: 0 });
    expect(warnings).toMatchObject([{ kind: "stage_column_left", table: "t" }]);
    expect(warnings?.[0]?.columns?.map((name) => name.toLowerCase())).toEqual(["price"]);
    await drift.source(
      "UPDATE t SET note = 'changed' WHERE id = 7",
      "INSERT INTO t VALUES (51, 'new')",
      "DELETE FROM t WHERE id = 8",
    );
    expect((await drift.batch()).table).toMatchObject({ inserted: 1, updated: 1, deleted: 1 });
    await drift.equal();
    expect((await drift.stage("id, note, price")).filter(([id]) => ["6", "7", "51"].includes(id ?? ""))).toEqual([
      ["6", "note 6", "6.00"],
      ["7", "changed", "7.00"],
      ["51", "new", null],
    ]);
    const doctor = JSON.parse((await novadrive(drift, "doctor", "--json")).stdout);
    expect(JSON.stringify(doctor)).toMatch(/stage table t has a column .*price/i);
  });

  it("a column that was dropped between the checks and the snapshot: refused by name", async () => {
    await using drift = await Drift.open(warehouse);
    const { connectSource } = await import("../../../runtime/source/postgres.ts");
    const { readManifest } = await import("../../../runtime/manifest/read.ts");
    const { tables } = readManifest(drift.file);
    await using source = connectSource({ url: drift.project.database.url });
    await source.preflight(tables);
    await drift.source("ALTER TABLE t DROP COLUMN note");
    await expect(source.openSnapshot(tables)).rejects.toMatchObject({ code: "SOURCE_COLUMN_MISSING" });
  });

  it("a renamed column: refused, with the name that it may have now", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t RENAME COLUMN price TO amount");
    const error = await drift.refused();
    expect(error).toMatchObject({ code: "SOURCE_COLUMN_MISSING" });
    expect(error.remedy).toContain('If it was renamed to "amount", write that name in the manifest');
    await drift.edit("name: price", "name: amount");
    await drift.pulumiUp();
    const { table, warnings } = await drift.batch();
    expect(table).toMatchObject({ updated: 50 });
    expect(warnings).toMatchObject([{ kind: "stage_column_left" }]);
    await drift.equal();
    expect(await drift.verify()).toMatchObject({ equal: true });
  });

  it("two columns that swapped their names: every row is read again", async () => {
    await using drift = await Drift.open(warehouse, {
      source:
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text); INSERT INTO t SELECT i, 'a', 'b' FROM generate_series(1, 20) i",
      columns: ["name: a, data_type: text", "name: b, data_type: text"],
    });
    await drift.source("ALTER TABLE t RENAME a TO c; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME c TO b");
    expect((await drift.batch()).table).toMatchObject({ updated: 20 });
    await drift.equal();
  });

  it("a column dropped and added again with a fast default: every row gets it", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t DROP COLUMN note", "ALTER TABLE t ADD COLUMN note varchar(10) DEFAULT 'fast'");
    expect((await drift.batch()).table).toMatchObject({ updated: 50 });
    await drift.equal();
  });

  it("another default: of new rows only, and nothing is read again", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t ALTER COLUMN note SET DEFAULT 'other'", "INSERT INTO t (id) VALUES (51)");
    const { batch_id, table } = await drift.batch();
    expect(table).toMatchObject({ inserted: 1, updated: 0 });
    expect(drift.logs(batch_id)).not.toContain("all rows are read");
    await drift.equal();
  });

  it("retyped to what the manifest holds (int to bigint): read again, and nothing else", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t ALTER COLUMN id TYPE bigint", "INSERT INTO t VALUES (9000000000, 'big', 1)");
    const { table, warnings } = await drift.batch();
    expect(table).toMatchObject({ inserted: 1, updated: 0, deleted: 0 });
    expect(warnings).toBeUndefined();
    await drift.equal();
    expect((await novadrive(drift, "introspect")).stdout).toContain("agrees with the source");
  });

  it("retyped to what the manifest cannot hold (numeric to text): refused with the data_type to write", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t ALTER COLUMN price TYPE text USING 'costs ' || price");
    expect(await drift.refused()).toMatchObject({
      code: "SOURCE_TYPE_MISMATCH",
      remedy: "In the manifest, for price of t, write data_type: text.",
    });
    await drift.edit('data_type: "decimal(10,2)"', "data_type: text");
    if (warehouse === "snowflake") {
      expect(await drift.refused()).toMatchObject({ code: "WAREHOUSE_SCHEMA_MISMATCH" });
      return;
    }
    expect((await drift.batch()).table).toMatchObject({ updated: 50 });
    await drift.equal();
  });

  it("retyped to what no stage column can become (text to int): DuckDB says which table to drop, and loads it anew", async () => {
    await using drift = await Drift.open(warehouse, {
      source: "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT i, i FROM generate_series(1, 9) i",
      columns: ["name: a, data_type: text"],
    });
    await drift.source("ALTER TABLE t ALTER COLUMN a TYPE int USING a::int");
    // A text holds any number.
    expect((await drift.batch()).table).toMatchObject({ updated: 0 });
    await drift.edit("name: a, data_type: text", "name: a, data_type: integer");
    const error = await drift.refused();
    expect(error.code).toBe("WAREHOUSE_SCHEMA_MISMATCH");
    expect(`${error.message} ${error.remedy}`).toContain(warehouse === "duckdb" ? "DROP TABLE" : "pulumi up");
  });

  it("widened (varchar(10) to varchar(20)): warned of, refused with the first longer value, then loaded", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t ALTER COLUMN note TYPE varchar(20)");
    const { table, warnings } = await drift.batch();
    expect(table).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    expect(warnings).toMatchObject([{ kind: "type_changed", table: "t", columns: ["note"] }]);
    expect(warnings?.[0]?.remedy).toBe("In the manifest, for note of t, write data_type: varchar(20).");
    expect((await novadrive(drift, "introspect")).stdout).toContain("write data_type: varchar(20)");
    await drift.source("UPDATE t SET note = 'longer than ten' WHERE id = 3");
    expect(await drift.refused()).toMatchObject({
      code: "SOURCE_VALUE_INVALID",
      details: { column: "note", key: ["3"] },
    });
    await drift.edit("varchar(10)", "varchar(20)");
    if (warehouse === "snowflake") {
      expect(await drift.refused()).toMatchObject({ code: "WAREHOUSE_SCHEMA_MISMATCH" });
      return;
    }
    expect((await drift.batch()).table).toMatchObject({ updated: 1 });
    await drift.equal();
  });

  it("NOT NULL set on a column that had NULLs: the manifest may follow, in any order", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("UPDATE t SET note = NULL WHERE id < 10");
    await drift.batch();
    await drift.source("UPDATE t SET note = '' WHERE note IS NULL", "ALTER TABLE t ALTER COLUMN note SET NOT NULL");
    await drift.edit("data_type: varchar(10)", "data_type: varchar(10), constraints: [{type: not_null}]");
    expect((await drift.batch()).table).toMatchObject({ updated: 9 });
    await drift.equal();
    expect((await drift.batch()).status).toBe("success");
    // And back: warned of before the first NULL, refused with it.
    await drift.source("ALTER TABLE t ALTER COLUMN note DROP NOT NULL");
    expect((await drift.batch()).warnings).toMatchObject([{ kind: "column_nullable", columns: ["note"] }]);
    await drift.source("UPDATE t SET note = NULL WHERE id = 4");
    expect(await drift.refused()).toMatchObject({ code: "SOURCE_VALUE_INVALID", details: { column: "note" } });
  });

  it("a new column that is NOT NULL in source and manifest: every row gets it", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t ADD COLUMN kind text NOT NULL DEFAULT 'plain'");
    const text = await readFile(drift.file, "utf8");
    await writeFile(
      drift.file,
      `${text.trimEnd()}\n          - {name: kind, data_type: text, constraints: [{type: not_null}]}\n`,
    );
    await drift.pulumiUp();
    expect((await drift.batch()).table).toMatchObject({ updated: 50 });
    await drift.source("INSERT INTO t VALUES (51, 'x', 1)");
    expect((await drift.batch()).table).toMatchObject({ inserted: 1 });
    await drift.equal();
  });

  it("columns in another order: told by their names", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source(
      "CREATE TABLE n (price numeric(10,2), note varchar(10), id int PRIMARY KEY); INSERT INTO n SELECT price, note, id FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
    );
    expect((await drift.batch()).table).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    await drift.source("UPDATE t SET price = 0 WHERE id = 2");
    expect((await drift.batch()).table).toMatchObject({ updated: 1 });
    await drift.equal();
  });

  it("generated columns, stored and virtual: added like any other", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source(
      "ALTER TABLE t ADD COLUMN twice numeric(12,2) GENERATED ALWAYS AS (price * 2) STORED",
      "ALTER TABLE t ADD COLUMN thrice numeric(12,2) GENERATED ALWAYS AS (price * 3) VIRTUAL",
    );
    expect((await drift.batch()).warnings).toMatchObject([{ kind: "column_new", columns: ["twice", "thrice"] }]);
    await novadrive(drift, "introspect", "--write");
    await drift.pulumiUp();
    expect((await drift.batch()).table).toMatchObject({ updated: 50 });
    await drift.equal();
    await drift.source(
      "ALTER TABLE t ALTER COLUMN twice SET EXPRESSION AS (price * 2 + 1)",
      "UPDATE t SET price = 5 WHERE id = 1",
    );
    await drift.batch();
    await drift.equal();
    // An expression that stands in no row changes without a row: found by verification, as a renamed label is.
    await drift.source("ALTER TABLE t ALTER COLUMN thrice SET EXPRESSION AS (price * 3 + 1)");
    await drift.batch();
    expect(await drift.verify(true)).toMatchObject({ equal: true, repair: { tables: [{ name: "t", updated: 50 }] } });
    await drift.equal();
  });

  it("another collation: changes no value, and nothing is read again", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source(
      'ALTER TABLE t ALTER COLUMN note TYPE varchar(10) COLLATE "C"',
      "UPDATE t SET note = 'Note 1' WHERE id = 1",
    );
    const { batch_id, table } = await drift.batch();
    expect(table).toMatchObject({ updated: 1 });
    expect(drift.logs(batch_id)).not.toContain("all rows are read");
    await drift.equal();
  });

  it("an enum's label renamed: stands in no row, so only verification finds it, and repairs it", async () => {
    await using drift = await Drift.open(warehouse, {
      source:
        "CREATE TYPE state AS ENUM ('new', 'sold'); CREATE TABLE t (id int PRIMARY KEY, a state); INSERT INTO t SELECT i, 'new' FROM generate_series(1, 20) i",
      columns: ["name: a, data_type: text"],
    });
    await drift.source("ALTER TYPE state RENAME VALUE 'new' TO 'fresh'", "INSERT INTO t VALUES (21, 'sold')");
    expect((await drift.batch()).table).toMatchObject({ inserted: 1, updated: 0 });
    const found = await drift.verify();
    expect(found).toMatchObject({ equal: false, tables: [{ name: "t", equal: false }] });
    expect(found.tables[0]?.keys).toHaveLength(20);
    expect(await drift.verify(true)).toMatchObject({ equal: true });
    await drift.equal();
    // Labels that are added come with rows.
    await drift.source("ALTER TYPE state ADD VALUE 'gone'", "UPDATE t SET a = 'gone' WHERE id = 3");
    expect((await drift.batch()).table).toMatchObject({ updated: 1 });
    await drift.equal();
  });

  it("an attribute added to a composite type: stands in no row, so only verification finds it", async () => {
    await using drift = await Drift.open(warehouse, {
      source:
        "CREATE TYPE pair AS (x int, y int); CREATE TABLE t (id int PRIMARY KEY, a pair); INSERT INTO t SELECT i, ROW(i, i)::pair FROM generate_series(1, 5) i",
      columns: ["name: a, data_type: text"],
    });
    await drift.source("ALTER TYPE pair ADD ATTRIBUTE z int");
    expect((await drift.batch()).table).toMatchObject({ updated: 0 });
    expect(await drift.verify(true)).toMatchObject({ equal: true, repair: { tables: [{ name: "t", updated: 5 }] } });
    await drift.equal();
  });

  it("a manifest that has changed since the last batch: verification says to run first", async () => {
    await using drift = await Drift.open(warehouse);
    await drift.source("ALTER TABLE t ADD COLUMN channel text");
    await novadrive(drift, "introspect", "--write");
    await expect(drift.verify()).rejects.toMatchObject({
      code: "VERIFY_NOT_LOADED",
      remedy: expect.stringContaining("novadrive run"),
    });
  });
});
