/** Contract: what a publication does to the stage tables, all of it or nothing. */
import { describe, expect, it } from "vitest";
import { countOf, differing } from "../../runtime/load/key-digests.ts";
import type { KeyBuckets } from "../../runtime/manifest/key-buckets.ts";
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";
import { manifestTable } from "../support/manifest-table.ts";
import type { Suite } from "./warehouse-contract.ts";
import { snapshotOf, type Cell } from "./warehouse-fixture.ts";

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

  it("looks only at the rows of some buckets where the keys are those of some", async () => {
    const { batches, prepare } = suite();
    const column = { name: "id", form: { as: "integer" } } as const;
    const every = Array.from({ length: 200 }, (_, index) => 2n * BigInt(index));
    const cases: readonly (readonly [string, KeyBuckets, readonly bigint[], readonly number[]])[] = [
      ["one_range", { by: "range", column: "id", shift: 4 }, [0n], [2]],
      ["below_zero", { by: "range", column: "id", shift: 4 }, [-1n, 0n], [-5, 2]],
      ["many_ranges", { by: "range", column: "id", shift: 0 }, [-5n, 2n, ...every], [-5, 2, 40]],
      ["no_range", { by: "range", column: "id", shift: 4 }, [], []],
      ["one_hash", { by: "hash", bits: 0 }, [0n], [-5, 2, 40]],
    ];
    for (const [name, buckets, only, gone] of cases) {
      const table = keyed(name);
      await prepare(table);
      const rows = [-5, 1, 2, 40].map((id): Cell[] => [id, "a", 1]);
      await batches.publish({ table, rows });
      const keysWithin = { columns: [column], buckets, only, rows: 2 };
      const [counts] = await batches.publish({ table, rows: [], keys: [[1]], keysWithin });
      expect(counts, name).toMatchObject({ rows: 4 - gone.length, deleted: gone.length });
      const left = (await rowsOnly(table)).map(([id]) => Number(id));
      expect(new Set(left), name).toEqual(new Set([-5, 1, 2, 40].filter((id) => !gone.includes(id))));
    }
  });

  it("comes to the same keys by bucket for what it has, and for what arrives, as for what it has then", async () => {
    const { batches, prepare } = suite();
    const soft = { ...keyed("arriving_soft"), sync: { mode: "incremental", deletes: "soft" } as const };
    for (const table of [keyed("arriving"), soft]) {
      const whole = keyed(`${table.name}_then`);
      await prepare(table, whole);
      await batches.publish({ table: whole, rows: [-3, 1, 2, 3, 50, 60].map((id): Cell[] => [id, "c", 1]) });
      await batches.publish({ table, rows: [-3, 1, 2, 50].map((id): Cell[] => [id, "a", 1]) });
      const deleted = await batches.publish({ table, rows: [], keys: [[-3], [1], [2]] });
      expect(deleted).toMatchObject([{ deleted: 1 }]);
      const rows = await batches.take(table, { files: [[2, 3, 50, 60].map((id): Cell[] => [id, "b", 1])] });
      await rows.seal();
      for (const buckets of [
        { by: "range", column: "id", shift: 2 },
        { by: "hash", bits: 3 },
      ] as const) {
        const shape = { table, buckets, columns: [{ name: "id", form: { as: "integer" } as const }] };
        const here = await batches.warehouse.fingerprint(shape);
        const arriving = await batches.warehouse.fingerprint({ ...shape, arriving: rows });
        expect(countOf(here)).toBe(3);
        expect(countOf(arriving)).toBe(3);
        const then = await batches.warehouse.fingerprint({ ...shape, table: whole });
        expect(differing(here, arriving, then)).toMatchObject({ only: [], of: 6 });
        expect(differing(here, [], then).only).not.toEqual([]);
      }
    }
  });

  describe("soft deletes", () => {
    const softly = (name: string, columns: Readonly<Record<string, string>> = COLUMNS) =>
      manifestTable({ name, columns, primaryKey: ["id"], sync: { mode: "incremental", deletes: "soft" } });
    const deletedAt = (table: ManifestTable) =>
      suite().batches.rows(`select id, _deleted_at, _synced_at, _batch_id from stage.${table.name} order by 1`);
    const at = (batchId: number) => snapshotOf(batchId).replace("T", " ").replace("Z", "+00");

    it("keep the row, say since when it is gone, and write the key down once", async () => {
      const table = softly("soft");
      const { batches, prepare } = suite();
      await prepare(table);
      await batches.publish({ table, rows: [1, 2, 3].map((id): Cell[] => [id, "a", 1]), keys: "rows" });
      const loaded = batches.lastId;
      const [counts] = await batches.publish({ table, rows: [], keys: [[1]] });
      const gone = batches.lastId;
      expect(counts).toEqual({ name: "soft", rows: 3, inserted: 0, updated: 0, deleted: 2 });
      const expected = [
        ["1", null, at(loaded), String(loaded)],
        ["2", at(gone), at(gone), String(gone)],
        ["3", at(gone), at(gone), String(gone)],
      ];
      expect(await deletedAt(table)).toEqual(expected);
      const [again] = await batches.publish({ table, rows: [], keys: [[1]] });
      expect(again).toMatchObject({ rows: 3, deleted: 0 });
      expect(await deletedAt(table)).toEqual(expected);
      const keys = await batches.rows(
        "select batch_id, key from pipeline.deleted_keys where table_name = 'soft' order by 2",
      );
      expect(keys).toEqual([
        [String(gone), "[2]"],
        [String(gone), "[3]"],
      ]);
    });

    it("end when the key comes back, with other values or the same", async () => {
      for (const table of [softly("soft_back"), softly("soft_key_only", { id: "integer not null" })]) {
        const { batches, prepare } = suite();
        await prepare(table);
        const row = (id: number, name: string): Cell[] => [id, name, 1].slice(0, table.columns.length);
        await batches.publish({ table, rows: [row(1, "a"), row(2, "b"), row(3, "c")] });
        await batches.publish({ table, rows: [], keys: [[1]] });
        const [counts] = await batches.publish({ table, rows: [row(1, "a"), row(2, "b"), row(3, "C"), row(4, "d")] });
        const back = batches.lastId;
        expect(counts).toEqual({ name: table.name, rows: 4, inserted: 1, updated: 2, deleted: 0 });
        const now = await deletedAt(table);
        expect(now.map(([id, deleted]) => [id, deleted])).toEqual([1, 2, 3, 4].map((id) => [String(id), null]));
        expect(now.slice(1).map((row_) => row_.at(-1))).toEqual([String(back), String(back), String(back)]);
      }
    });

    it("are told by a table that is emptied, and by one that is read whole", async () => {
      const table = softly("soft_empty");
      const { batches, prepare } = suite();
      await prepare(table);
      await batches.publish({ table, rows: [1, 2].map((id): Cell[] => [id, "a", 1]), keys: "rows" });
      expect(await batches.publish({ table, rows: [[2, "a", 1]], keys: "rows" })).toMatchObject([{ deleted: 1 }]);
      expect(await batches.publish({ table, rows: [], keys: "rows" })).toMatchObject([{ rows: 2, deleted: 1 }]);
      expect((await deletedAt(table)).map(([, deleted]) => deleted)).toEqual([
        at(batches.lastId - 1),
        at(batches.lastId),
      ]);
    });
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
