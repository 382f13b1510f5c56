/** Rows that the source has deleted, by keys of every kind: what the stage table has after it, and how many keys were read to find them. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDeletionProject, type DeletionProject } from "../../support/deletions.ts";
import { runCommand } from "../../support/command.ts";
import { WAREHOUSES } from "../../support/project.ts";

/** Name of the table: column definitions of its key in PostgreSQL, types in the manifest, the key of row i. */
const KEYS = {
  whole: [["a int"], ["integer"], ["i"]],
  small: [["a smallint"], ['"number(5,0)"'], ["i"]],
  negative: [["a bigint"], ["integer"], ["i - 1500"]],
  sparse: [["a bigint"], ["integer"], ["i * 2000000000000000 - 9223372036854775807"]],
  digits: [["a numeric(20,0)"], ['"number(20,0)"'], ["i * 1000000000000000"]],
  words: [["a text"], ["text"], ["'key ' || i || ' é😀'"]],
  uuids: [["a uuid"], ["varchar(36)"], ["md5(i::text)::uuid"]],
  days: [["a date"], ["date"], ["date '2020-01-01' + i::int"]],
  pairs: [
    ["a text", "b int"],
    ["text", "integer"],
    ["'p' || i % 7", "i"],
  ],
} as const;
const NAMES = Object.keys(KEYS) as (keyof typeof KEYS)[];
const ROWS = 3000;

const part = (index: number): string => "ab"[index] ?? "";

function sourceOf(name: keyof typeof KEYS): string {
  const [columns, , values] = KEYS[name];
  const key = columns.map((_, index) => part(index)).join(", ");
  return `CREATE TABLE ${name} (${columns.join(", ")}, note text, PRIMARY KEY (${key}));
    INSERT INTO ${name} SELECT ${values.join(", ")}, 'row ' || i FROM generate_series(1, ${ROWS}::bigint) i;`;
}

const tableOf = (name: string, types: readonly string[], deletes: string) => `
- name: ${name}
  config: {meta: {primary_key: [${types.map((_, index) => part(index)).join(", ")}], sync: {mode: incremental, detect: scan, deletes: ${deletes}}}}
  columns:
${types.map((type, index) => `    - {name: ${part(index)}, data_type: ${type}}`).join("\n")}
    - {name: note, data_type: text}`;

const everyKey = (deletes = "hard") => ({
  source: NAMES.map(sourceOf).join("\n"),
  tables: NAMES.map((name) => tableOf(name, KEYS[name][1], deletes))
    .join("")
    .trimStart(),
});

const oneTable = (deletes = "hard", rows = ROWS) => ({
  source: `CREATE TABLE whole (a int PRIMARY KEY, note text); INSERT INTO whole SELECT i, 'row ' || i FROM generate_series(1, ${rows}) i`,
  tables: tableOf("whole", ["integer"], deletes).trimStart(),
});

async function expectEqual(project: DeletionProject): Promise<void> {
  for (const { name, equal, differences, rows_source, rows_stage } of (await project.verify()).tables) {
    expect({ name, equal, differences, rows: rows_stage }).toEqual({
      name,
      equal: true,
      differences: [],
      rows: rows_source,
    });
  }
}

/** Of every table, in one query: name, then what is asked. */
const ofAll = (select: string, condition: string): string =>
  NAMES.map((name) => `select '${name}' as name, ${select} from stage.${name} where ${condition}`).join(" union all ");

const countsOf = ({ result }: Awaited<ReturnType<DeletionProject["batch"]>>) =>
  Object.fromEntries(result.tables.map((table) => [table.name, table]));

describe.each(WAREHOUSES)("in %s", { timeout: 180_000 }, (warehouse) => {
  it("by keys of every kind, few keys are read, and exactly the rows are deleted that are gone", async () => {
    await using project = await createDeletionProject(warehouse, everyKey());
    expect(await project.batch()).toMatchObject({ result: { status: "success" }, keys: {} });
    await expectEqual(project);
    for (const name of NAMES) await project.database.query(`DELETE FROM ${name} WHERE note IN ('row 7', 'row 2000')`);
    const second = await project.batch();
    expect(second.result.error).toBeUndefined();
    // Of the last batch there are no digests on this machine yet.
    expect(second.asked).toBe(NAMES.length);
    for (const name of NAMES) {
      expect(countsOf(second)[name], name).toMatchObject({ deleted: 2, inserted: 0, updated: 0, rows_total: ROWS - 2 });
      expect(second.keys[name], name).toBeGreaterThan(0);
      expect(second.keys[name], name).toBeLessThan(ROWS / 2);
    }
    await expectEqual(project);
    expect(await project.ask("select table_name, count(*) from pipeline.deleted_keys group by 1 order by 1")).toEqual(
      NAMES.toSorted().map((name) => [name, "2"]),
    );

    // Keys that come and change are no reason to read any.
    for (const name of NAMES) {
      const [, , values] = KEYS[name];
      await project.database.query(
        `UPDATE ${name} SET note = 'changed' WHERE note LIKE 'row 1%';
         INSERT INTO ${name} SELECT ${values.join(", ")}, 'new ' || i FROM generate_series(${ROWS} + 1, ${ROWS}::bigint + 900) i`,
      );
    }
    const third = await project.batch();
    expect(third).toMatchObject({ keys: {}, asked: 0 });
    await expectEqual(project);

    // The same with one that is gone.
    for (const name of NAMES) {
      const [columns, , values] = KEYS[name];
      const same = columns.map((_, index) => `${part(index)} = ${values[index]}`).join(" AND ");
      await project.database.query(
        `INSERT INTO ${name} SELECT ${values.join(", ")}, 'new ' || i FROM generate_series(${ROWS} + 901, ${ROWS}::bigint + 1200) i;
         DELETE FROM ${name} USING (SELECT 42::bigint AS i) AS given WHERE ${same}`,
      );
    }
    const fourth = await project.batch();
    expect(fourth.asked).toBe(0);
    for (const name of NAMES) {
      expect(countsOf(fourth)[name], name).toMatchObject({ deleted: 1, inserted: 300 });
      expect(fourth.keys[name], name).toBeLessThan(ROWS / 2);
    }
    await expectEqual(project);
  });

  it("a key changed by UPDATE is a row that is gone and one that is new", async () => {
    await using project = await createDeletionProject(warehouse, oneTable());
    await project.batch();
    await project.database.query("UPDATE whole SET a = a + 100000 WHERE a IN (5, 6)");
    const batch = await project.batch();
    expect(countsOf(batch)["whole"]).toMatchObject({ inserted: 2, updated: 0, deleted: 2 });
    await expectEqual(project);
    const keys = await project.ask("select key from pipeline.deleted_keys order by 1");
    expect(keys).toEqual([["[5]"], ["[6]"]]);
    // All keys move by one: each but the ends is gone and is there again.
    await project.database.query("UPDATE whole SET a = -a");
    await project.database.query("UPDATE whole SET a = 1 - a WHERE a < 0");
    expect((await project.batch()).result.status).toBe("success");
    await expectEqual(project);
  });

  it("a key that is deleted and inserted again between two batches is a row that has changed", async () => {
    await using project = await createDeletionProject(warehouse, oneTable());
    await project.batch();
    await project.database.query("DELETE FROM whole WHERE a = 5; INSERT INTO whole VALUES (5, 'again')");
    const batch = await project.batch();
    expect(batch.keys).toEqual({});
    expect(countsOf(batch)["whole"]).toMatchObject({ inserted: 0, updated: 1, deleted: 0 });
    await expectEqual(project);
  });

  it("where no row is new, as many rows are the same rows: no key is looked at", async () => {
    await using project = await createDeletionProject(warehouse, oneTable());
    const elsewhere = () => project.database.query("CREATE TABLE IF NOT EXISTS t (i int); INSERT INTO t VALUES (1)");
    await project.batch();
    await elsewhere();
    expect(await project.batch()).toMatchObject({ keys: {}, asked: 0, result: { status: "success" } });
    await project.database.query("DELETE FROM whole WHERE a = 5");
    const gone = await project.batch();
    expect(gone.asked).toBe(1);
    expect(countsOf(gone)["whole"]).toMatchObject({ rows_read: 0, deleted: 1, rows_total: ROWS - 1 });
    await elsewhere();
    expect(await project.batch()).toMatchObject({ keys: {}, asked: 0 });
    // As many rows as before, but one of them is another.
    await project.database.query("DELETE FROM whole WHERE a = 6; INSERT INTO whole VALUES (-6, 'new')");
    const other = await project.batch();
    expect(other.asked).toBe(0);
    expect(countsOf(other)["whole"]).toMatchObject({ inserted: 1, deleted: 1, rows_total: ROWS - 1 });
    await expectEqual(project);
  });

  it("all rows, and then new ones", async () => {
    await using project = await createDeletionProject(warehouse, everyKey());
    await project.batch();
    await project.batch();
    for (const name of NAMES) await project.database.query(`DELETE FROM ${name}`);
    const batch = await project.batch();
    for (const name of NAMES) {
      expect(countsOf(batch)[name], name).toMatchObject({ deleted: ROWS, rows_total: 0 });
      expect(batch.keys[name], name).toBe(0);
    }
    await expectEqual(project);
    for (const name of NAMES) {
      const [, , values] = KEYS[name];
      await project.database.query(
        `INSERT INTO ${name} SELECT ${values.join(", ")}, 'back' FROM generate_series(1, 50::bigint) i`,
      );
    }
    expect(countsOf(await project.batch())["pairs"]).toMatchObject({ inserted: 50, rows_total: 50 });
    await expectEqual(project);
  });

  it("soft ones stay, with the time at which they were missed first, and come back", async () => {
    await using project = await createDeletionProject(warehouse, everyKey("soft"));
    await project.batch();
    for (const name of NAMES) await project.database.query(`DELETE FROM ${name} WHERE note IN ('row 7', 'row 2000')`);
    const second = await project.batch();
    expect(second.result.error).toBeUndefined();
    for (const name of NAMES) {
      expect(countsOf(second)[name], name).toMatchObject({ deleted: 2, rows_total: ROWS });
    }
    const since = second.result.snapshot?.replace("T", " ").replace("Z", "+00");
    expect(await project.ask(`${ofAll("note, _deleted_at", "_deleted_at is not null")} order by 1, 2`)).toEqual(
      NAMES.toSorted().flatMap((name) => ["row 2000", "row 7"].map((note) => [name, note, since])),
    );
    await expectEqual(project);
    for (const name of NAMES) {
      const [, , values] = KEYS[name];
      await project.database.query(
        `INSERT INTO ${name} SELECT ${values.join(", ")}, 'row 7' FROM generate_series(7, 7::bigint) i; DELETE FROM ${name} WHERE note = 'row 8'`,
      );
    }
    const third = await project.batch();
    expect(third.asked).toBe(0);
    for (const name of NAMES) {
      expect(countsOf(third)[name], name).toMatchObject({ deleted: 1, updated: 1, inserted: 0, rows_total: ROWS });
    }
    await expectEqual(project);
    expect(await project.ask("select note from stage.words where _deleted_at is not null order by 1")).toEqual([
      ["row 2000"],
      ["row 8"],
    ]);
    expect(
      await project.ask(
        "select batch_id, count(*) from pipeline.deleted_keys where table_name = 'pairs' group by 1 order by 1",
      ),
    ).toEqual([
      ["2", "2"],
      ["3", "1"],
    ]);
  });

  it("ignored ones stay as they are", async () => {
    await using project = await createDeletionProject(warehouse, oneTable("ignore"));
    await project.batch();
    await project.database.query("DELETE FROM whole WHERE a = 5");
    expect(await project.batch()).toMatchObject({ keys: {}, asked: 0, result: { status: "success" } });
    expect(await project.ask("select count(*) from stage.whole")).toEqual([[String(ROWS)]]);
  });

  it("what is known of the keys here may be lost, torn or of an older batch: the stage table is asked", async () => {
    await using project = await createDeletionProject(warehouse, oneTable());
    const keys = join(project.stateDir, "keys");
    const gone = async (id: number) => {
      await project.database.query("DELETE FROM whole WHERE a = $1", [id]);
      const batch = await project.batch();
      expect(countsOf(batch)["whole"]).toMatchObject({ deleted: 1 });
      expect(batch.keys["whole"]).toBeLessThan(ROWS / 2);
      await expectEqual(project);
      return batch.asked;
    };
    await project.batch();
    expect(await gone(1)).toBe(1);
    expect(await gone(2)).toBe(0);
    await rm(keys, { recursive: true });
    expect(await gone(3)).toBe(1);
    const [file = ""] = readdirSync(keys);
    writeFileSync(join(keys, file), "{");
    writeFileSync(join(keys, "left-the-manifest-000000000000.json"), "{}");
    expect(await gone(4)).toBe(1);
    expect(readdirSync(keys)).toEqual([file]);
    await cp(keys, `${keys}.old`, { recursive: true });
    expect(await gone(5)).toBe(0);
    rmSync(keys, { recursive: true });
    await cp(`${keys}.old`, keys, { recursive: true });
    expect(await gone(6)).toBe(1);
  });
});

it("without a look at the keys the row stays, and nothing else finds it", async () => {
  const { source, tables } = oneTable();
  const unguarded = { source, tables: tables.replace("deletes: hard", "deletes: hard, delete_check: verify") };
  await using project = await createDeletionProject("duckdb", unguarded);
  await project.batch();
  await project.database.query("DELETE FROM whole WHERE a = 5; UPDATE whole SET note = 'x' WHERE a = 6");
  expect(await project.batch()).toMatchObject({ keys: {}, asked: 0 });
  await project.batch();
  expect((await project.verify()).tables).toMatchObject([{ equal: false, keys: [{ key: 5, is: "extra" }] }]);
});

it("a model and its tests see _deleted_at as a column", async () => {
  await using project = await createDeletionProject("duckdb", {
    ...oneTable("soft", 10),
    files: {
      "models/gone.sql":
        "{{ config(materialized='table') }} select a, _deleted_at from {{ source('stage', 'whole') }} where _deleted_at is not null",
      "models/gone.yml":
        "version: 2\nmodels:\n  - name: gone\n    columns:\n      - {name: _deleted_at, data_tests: [not_null]}\n",
    },
  });
  await project.batch();
  await project.database.query("DELETE FROM whole WHERE a = 3");
  const { result } = await project.batch();
  expect(result).toMatchObject({ status: "success", models: [{ name: "gone", rows: 1 }], tests: [{ status: "pass" }] });
});

it("of a million rows one is gone: some hundred keys are read", async () => {
  await using project = await createDeletionProject("duckdb", oneTable("hard", 1_000_000));
  await project.batch();
  await project.database.query("DELETE FROM whole WHERE a = 765432");
  const batch = await project.batch();
  expect(countsOf(batch)["whole"]).toMatchObject({ deleted: 1, rows_total: 999_999, rows_read: 0 });
  expect(batch.keys["whole"]).toBeGreaterThan(0);
  expect(batch.keys["whole"]).toBeLessThan(1000);
});

it("a row that a cursor overlooks does not make up for one that is gone, where batches before it have counted", async () => {
  await using project = await createDeletionProject("duckdb", {
    source: `CREATE TABLE t (a int PRIMARY KEY, note text, changed timestamptz DEFAULT now()); CREATE INDEX ON t (changed);
      INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, ${ROWS}) i`,
    tables: `- name: t
  config: {meta: {primary_key: [a], sync: {mode: incremental, cursor: changed}}}
  columns:
    - {name: a, data_type: integer}
    - {name: note, data_type: text}
    - {name: changed, data_type: timestamp_ltz}
`,
  });
  const { database } = project;
  const stage = "select a from stage.t where a in (5, 6) order by a";
  await project.batch();
  await database.query("DELETE FROM t WHERE a = 6; UPDATE t SET note = 'x' WHERE a = 7");
  expect(countsOf(await project.batch())["t"]).toMatchObject({ deleted: 1 });
  // Large tables are read by their cursor, once it has a fence.
  await database.query(
    "UPDATE pg_class SET reltuples = 2100000 WHERE oid = 't'::regclass; INSERT INTO t VALUES (4000, 'new')",
  );
  await project.batch();
  await database.query("DELETE FROM t WHERE a = 5; INSERT INTO t VALUES (6, 'overlooked', '2020-01-01')");
  const batch = await project.batch();
  expect(countsOf(batch)["t"]).toMatchObject({ deleted: 1 });
  expect(batch.asked).toBe(1);
  expect(await project.ask(stage)).toEqual([]);
  // By sums from the second on.
  await database.query("DELETE FROM t WHERE a = 9");
  expect(await project.batch()).toMatchObject({ asked: 0 });
});

it("a key that no engine can be asked for alike is compared whole", async () => {
  await using project = await createDeletionProject("duckdb", {
    source:
      "CREATE TABLE whole (a float8 PRIMARY KEY, note text); INSERT INTO whole SELECT i / 3.0, 'x' FROM generate_series(1, 500) i",
    tables: tableOf("whole", ["float"], "hard").trimStart(),
  });
  await project.batch();
  await project.database.query("DELETE FROM whole WHERE a = 1");
  const batch = await project.batch();
  expect(batch).toMatchObject({ keys: { whole: 499 }, asked: 0 });
  expect(countsOf(batch)["whole"]).toMatchObject({ deleted: 1, rows_total: 499 });
});

it("a table whose deletes were ignored for a while is compared whole, once", async () => {
  await using project = await createDeletionProject("duckdb", oneTable());
  await project.batch();
  const manifest = join(project.projectDir, "models/manifest.yml");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace("deletes: hard", "deletes: ignore"));
  await project.database.query("DELETE FROM whole WHERE a = 5");
  await project.batch();
  writeFileSync(manifest, text);
  await project.database.query("DELETE FROM whole WHERE a = 6");
  const batch = await project.batch();
  expect(batch).toMatchObject({ keys: { whole: ROWS - 2 } });
  await expectEqual(project);
  await project.database.query("DELETE FROM whole WHERE a = 7");
  expect((await project.batch()).keys["whole"]).toBeLessThan(ROWS / 2);
  await expectEqual(project);
});

it("rows that were kept are deleted once deletes are hard again, and kept once they are soft", async () => {
  await using project = await createDeletionProject("duckdb", oneTable("soft"));
  await project.batch();
  await project.database.query("DELETE FROM whole WHERE a = 5");
  await project.batch();
  const manifest = join(project.projectDir, "models/manifest.yml");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace("deletes: soft", "deletes: hard"));
  expect(countsOf(await project.batch())["whole"]).toMatchObject({ deleted: 1, rows_total: ROWS - 1 });
  await expectEqual(project);
  writeFileSync(manifest, text);
  await project.database.query("DELETE FROM whole WHERE a = 6");
  expect(countsOf(await project.batch())["whole"]).toMatchObject({ deleted: 1, rows_total: ROWS - 1 });
  expect(await project.ask("select a from stage.whole where _deleted_at is not null")).toEqual([["6"]]);
  await expectEqual(project);
});

it("rows that are kept stay when all is loaded anew after the key's columns have changed their order", async () => {
  await using project = await createDeletionProject("duckdb", {
    source:
      "CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b)); INSERT INTO pairs SELECT i, -i FROM generate_series(1, 9) i",
    tables: `- name: pairs
  config: {meta: {primary_key: [a, b], sync: {mode: incremental, detect: scan, deletes: soft}}}
  columns:
    - {name: a, data_type: integer}
    - {name: b, data_type: integer}
`,
  });
  await project.batch();
  await project.database.query("DELETE FROM pairs WHERE a = 3");
  await project.batch();
  const manifest = join(project.projectDir, "models/manifest.yml");
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace("[a, b]", "[b, a]"));
  expect((await runCommand(["run", "--full-refresh", "--json"], { environment: project.environment })).status).toBe(0);
  expect(await project.ask("select a from stage.pairs where _deleted_at is not null")).toEqual([["3"]]);
});
