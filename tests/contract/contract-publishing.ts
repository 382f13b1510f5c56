/** Contract: what a publication does to the stage tables, all of it or nothing. */
import { expect, it } from "vitest";
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";
import { manifestTable } from "../support/manifest-table.ts";
import type { Suite } from "./warehouse-contract.ts";
import type { Cell } from "./warehouse-fixture.ts";

const COLUMNS = { id: "integer not null", name: "text", price: "decimal(10,2)" };

function keyed(name: string) {
  return manifestTable({ name, columns: COLUMNS, primaryKey: ["id"], sync: { mode: "incremental", cursor: "id" } });
}

export function describePublishing(suite: () => Suite): void {
  /** Values of the manifest's columns in its order, then `_batch_id`; rows in order of the first. Where the load's own columns stand is the engine's. */
  const contents = async (table: ManifestTable): Promise<readonly (readonly (string | null)[])[]> => {
    const { warehouse } = suite().batches;
    const { columns, rows } = await warehouse.query(
      `select * from ${warehouse.relationName({ schema: "stage", name: table.name })}`,
    );
    const found = columns.map((column) => column.toLowerCase());
    const wanted = [...table.columns.map(({ name }) => name), "_batch_id"].map((name) =>
      found.indexOf(name.toLowerCase()),
    );
    const values = rows.map((row) => wanted.map((position) => row[position] ?? null));
    return values.toSorted(([left], [right]) => String(left).localeCompare(String(right)));
  };
  const rowsOnly = async (table: ManifestTable) => (await contents(table)).map((row) => row.slice(0, -1));

  it("starts with no batch, and no watermark", async () => {
    const state = await suite().batches.warehouse.readState();
    expect(state).toEqual({ lastBatchId: 0, watermarks: new Map() });
  });

  it("inserts new rows, updates changed ones, and leaves equal ones untouched", async () => {
    const table = keyed("merged");
    const { batches, prepare } = suite();
    await prepare(table);
    const first = await batches.publish({
      table,
      rows: [
        [1, "a", 1],
        [2, "b", 2],
        [3, null, null],
      ],
    });
    expect(first).toEqual([{ name: "merged", rows: 3, inserted: 3, updated: 0, deleted: 0 }]);
    const before = batches.lastId;
    const second = await batches.publish({
      table,
      rows: [
        [1, "a", 1],
        [2, "B", 2],
        [3, null, null],
        [4, "d", 4],
      ],
    });
    expect(second).toEqual([{ name: "merged", rows: 4, inserted: 1, updated: 1, deleted: 0 }]);
    const batchIds = (await contents(table)).map((row) => [row[0], row[1], row.at(-1)]);
    expect(batchIds).toEqual([
      ["1", "a", String(before)],
      ["2", "B", String(before + 1)],
      ["3", null, String(before)],
      ["4", "d", String(before + 1)],
    ]);
  });

  it("sees a change from and to NULL, and from '' to NULL", async () => {
    const table = keyed("nulls_merged");
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({
      table,
      rows: [
        [1, null, 1],
        [2, "", 1],
        [3, "x", null],
      ],
    });
    const [counts] = await batches.publish({
      table,
      rows: [
        [1, "", 1],
        [2, null, 1],
        [3, "x", 0],
      ],
    });
    expect(counts).toMatchObject({ updated: 3 });
    expect(await rowsOnly(table)).toEqual([
      ["1", "", "1.00"],
      ["2", null, "1.00"],
      ["3", "x", "0.00"],
    ]);
  });

  it("deletes rows whose key the source no longer has, and writes the keys down", async () => {
    const table = keyed("pruned");
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({
      table,
      rows: [
        [1, "a", 1],
        [2, "b", 2],
        [3, "c", 3],
      ],
    });
    const [counts] = await batches.publish({ table, rows: [[4, "d", 4]], keys: [[1], [4]] });
    expect(counts).toEqual({ name: "pruned", rows: 2, inserted: 1, updated: 0, deleted: 2 });
    expect(await rowsOnly(table)).toEqual([
      ["1", "a", "1.00"],
      ["4", "d", "4.00"],
    ]);
    const deleted = await batches.rows(
      "select batch_id, key, parse_json(key)[0]::integer from pipeline.deleted_keys where table_name = 'pruned' order by 3",
    );
    expect(deleted).toEqual([
      [String(batches.lastId), "[2]", "2"],
      [String(batches.lastId), "[3]", "3"],
    ]);
  });

  it("takes the rows for the keys where they are the whole table", async () => {
    const table = keyed("whole");
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({
      table,
      rows: [
        [1, "a", 1],
        [2, "b", 2],
      ],
      keys: "rows",
    });
    const [counts] = await batches.publish({
      table,
      rows: [
        [2, "b", 2],
        [3, "c", 3],
      ],
      keys: "rows",
    });
    expect(counts).toEqual({ name: "whole", rows: 2, inserted: 1, updated: 0, deleted: 1 });
  });

  it("empties a table whose source is empty", async () => {
    const table = keyed("emptied");
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({
      table,
      rows: [
        [1, "a", 1],
        [2, "b", 2],
      ],
    });
    const [counts] = await batches.publish({ table, rows: [], keys: "rows" });
    expect(counts).toEqual({ name: "emptied", rows: 0, inserted: 0, updated: 0, deleted: 2 });
    expect(await contents(table)).toEqual([]);
  });

  it("replaces a table without a key", async () => {
    const table = manifestTable({ name: "replaced", columns: COLUMNS });
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({
      table,
      action: "replace",
      rows: [
        [1, "a", 1],
        [1, "a", 1],
      ],
    });
    const [counts] = await batches.publish({
      table,
      action: "replace",
      rows: [
        [2, "b", 2],
        [3, "c", 3],
        [3, "c", 3],
      ],
    });
    expect(counts).toEqual({ name: "replaced", rows: 3, inserted: 3, updated: 0, deleted: 2 });
    expect(await rowsOnly(table)).toEqual([
      ["2", "b", "2.00"],
      ["3", "c", "3.00"],
      ["3", "c", "3.00"],
    ]);
  });

  it("merges and deletes by a key of several columns, texts among them", async () => {
    const table = manifestTable({
      name: "composite",
      columns: { note: "text", shop: "varchar(10) not null", day: "date not null", n: "number(20,0) not null" },
      primaryKey: ["shop", "day", "n"],
      sync: { mode: "incremental", cursor: "day" },
    });
    const { batches, prepare } = suite();
    await prepare(table);
    const day = { raw: "2024-01-02" };
    const key = (shop: string, n: number): Cell[] => [shop, day, n];
    await batches.publish({
      table,
      rows: [
        ["a", ...key("x", 1)],
        ["b", ...key('x"', 1)],
        ["c", ...key("x", 2)],
      ],
    });
    const [counts] = await batches.publish({
      table,
      rows: [
        ["A", ...key("x", 1)],
        ["d", ...key("X", 1)],
      ],
      keys: [key("x", 1), key("X", 1), key("x", 2)],
    });
    expect(counts).toEqual({ name: "composite", rows: 3, inserted: 1, updated: 1, deleted: 1 });
    expect(await batches.rows("select key from pipeline.deleted_keys where table_name = 'composite'")).toEqual([
      [String.raw`["x\"","2024-01-02","1"]`],
    ]);
    const columns = await batches.rows(
      "select parse_json(key)[0]::varchar, parse_json(key)[1]::date, parse_json(key)[2]::integer from pipeline.deleted_keys where table_name = 'composite'",
    );
    expect(columns).toEqual([['x"', "2024-01-02", "1"]]);
  });

  it("merges a table that has nothing but its key", async () => {
    const table = manifestTable({ name: "only_key", columns: { id: "integer not null" }, primaryKey: ["id"] });
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({ table, rows: [[1], [2]] });
    const [counts] = await batches.publish({ table, rows: [[2], [3]], keys: "rows" });
    expect(counts).toEqual({ name: "only_key", rows: 2, inserted: 1, updated: 0, deleted: 1 });
  });

  it("takes names with capitals, blanks, quotes, and words of SQL", async () => {
    const table = manifestTable({
      name: 'Order "by"',
      columns: { select: "integer not null", "group by": "text", 'quo"ted': "text", Mixed: "text" },
      primaryKey: ["select"],
    });
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({
      table,
      rows: [
        [1, "a", "b", "c"],
        [2, "a", "b", "c"],
      ],
    });
    const [counts] = await batches.publish({ table, rows: [[1, "a", "B", "c"]], keys: [[1]] });
    expect(counts).toEqual({ name: 'Order "by"', rows: 1, inserted: 0, updated: 1, deleted: 1 });
    expect(await rowsOnly(table)).toEqual([["1", "a", "B", "c"]]);
  });

  it("keeps watermarks and the last batch with the data, over a new start", async () => {
    const table = keyed("remembered");
    const { batches, prepare, fixture } = suite();
    await prepare(table);
    const watermark = {
      batchId: batches.lastId + 1,
      cursor: "2024-01-01 00:00:00.123456+00",
      cursorColumn: "id",
      fence: { xmin: "12:34", 'odd "name"': "it's" },
    };
    await batches.publish({ table, rows: [[1, "a", 1]], watermark });
    batches.warehouse = await fixture.reopen();
    const state = await batches.warehouse.readState();
    expect(state.lastBatchId).toBe(batches.lastId);
    expect(state.watermarks.get("remembered")).toEqual(watermark);
    await batches.publish({ table, rows: [], watermark: { ...watermark, batchId: batches.lastId + 1, cursor: null } });
    expect((await batches.warehouse.readState()).watermarks.get("remembered")).toMatchObject({ cursor: null });
  });

  it("refuses a batch whose number is not above the last one", async () => {
    const table = keyed("renumbered");
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({ table, rows: [[1, "a", 1]] });
    const rows = await batches.take(table, { files: [[[2, "b", 2]]] });
    await rows.seal();
    const watermark = { batchId: batches.lastId, cursor: null, cursorColumn: null, fence: {} };
    const again = batches.warehouse.publish({
      batch: batches.batch(batches.lastId),
      tables: [{ table, action: "merge", rows, watermark }],
    });
    await expect(again).rejects.toMatchObject({ code: "BATCH_RUNNING" });
    expect(await rowsOnly(table)).toEqual([["1", "a", "1.00"]]);
  });

  it("changes nothing when one table of the batch fails", async () => {
    const good = keyed("atomic_good");
    const bad = keyed("atomic_bad");
    const { batches, prepare } = suite();
    await prepare(good, bad);
    await batches.publish({ table: good, rows: [[1, "a", 1]] }, { table: bad, rows: [[1, "a", 1]] });
    const before = await batches.warehouse.readState();
    const rows = await batches.take(good, {
      files: [
        [
          [1, "changed", 1],
          [2, "b", 2],
        ],
      ],
    });
    const gone = await batches.take(bad, { files: [[[1, "changed", 1]]] });
    await gone.discard();
    const watermark = { batchId: batches.lastId + 1, cursor: "9", cursorColumn: "id", fence: {} };
    const failing = batches.warehouse.publish({
      batch: batches.batch(batches.lastId + 1),
      tables: [
        { table: good, action: "merge", rows, keys: rows, watermark },
        { table: bad, action: "merge", rows: gone, watermark },
      ],
    });
    await expect(failing).rejects.toThrow();
    expect(await rowsOnly(good)).toEqual([["1", "a", "1.00"]]);
    expect(await batches.warehouse.readState()).toEqual(before);
  });

  it("shows a reader all of a batch or none of it", async () => {
    const left = keyed("seen_left");
    const right = keyed("seen_right");
    const { batches, prepare } = suite();
    await prepare(left, right);
    const rows = (batch: number): Cell[][] => Array.from({ length: 3000 }, (_, id) => [id, `batch ${batch}`, batch]);
    await batches.publish({ table: left, rows: rows(0) }, { table: right, rows: rows(0) });
    const sql = `select (select count(distinct name) from stage.seen_left), (select count(distinct name) from stage.seen_right), (select max(name) from stage.seen_left), (select max(name) from stage.seen_right)`;
    let publishing = true;
    const seen = new Set<string>();
    const reader = (async () => {
      while (publishing) seen.add(JSON.stringify((await batches.rows(sql))[0]));
    })();
    for (const batch of [1, 2, 3])
      await batches.publish({ table: left, rows: rows(batch) }, { table: right, rows: rows(batch) });
    publishing = false;
    await reader;
    for (const row of seen) {
      const [distinctLeft, distinctRight, nameLeft, nameRight] = JSON.parse(row);
      expect([distinctLeft, distinctRight, nameLeft]).toEqual(["1", "1", nameRight]);
    }
  });

  it("drops what dead batches left behind, and can be prepared again and again", async () => {
    const table = keyed("prepared_twice");
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({ table, rows: [[1, "a", 1]] });
    await batches.take(table, { files: [[[2, "b", 2]]] });
    await prepare(table);
    await prepare(table);
    expect(await rowsOnly(table)).toEqual([["1", "a", "1.00"]]);
    const [counts] = await batches.publish({ table, rows: [[3, "c", 3]] });
    expect(counts).toMatchObject({ inserted: 1 });
  });
}
