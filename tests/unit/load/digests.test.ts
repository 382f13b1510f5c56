import { expect, test } from "vitest";
import { systemClock } from "../../../runtime/core/clock.ts";
import { Digests, fenceOf, isComparable, isUnchanged, rowsMirrored } from "../../../runtime/load/digests.ts";
import type { DigestRequest, SourceSnapshot, TableDigest } from "../../../runtime/source/source.ts";
import type { Watermark } from "../../../runtime/warehouse/warehouse.ts";
import { manifestTable, type TableSketch } from "../../support/manifest-table.ts";

const { signal } = new AbortController();
const columns = { id: "integer", at: "timestamp_ltz", note: "varchar(10)" };
const table = (changes: Partial<TableSketch> = {}) =>
  manifestTable({ name: "t", columns, primaryKey: ["id"], sync: { mode: "incremental", cursor: "at" }, ...changes });

const ROWS = { count: 2, hash: "11" };
const KEYS = { count: 5, hash: "-7" };

/** Gives the same digest each time, and notes what it was asked for. */
function snapshot() {
  const asked: Omit<DigestRequest, "table" | "signal">[] = [];
  const digest = async ({ since, keys }: DigestRequest): Promise<TableDigest> => {
    asked.push({ since, keys });
    return keys ? { rows: ROWS, keys: KEYS } : { rows: ROWS };
  };
  return { asked, digests: new Digests({ digest } as Partial<SourceSnapshot> as SourceSnapshot, systemClock) };
}

test("a digest is taken once for each place to read on from, and the keys once for all", async () => {
  const { asked, digests } = snapshot();
  expect(digests.has(table(), "1")).toBe(false);
  expect(await digests.take(table(), "1", signal)).toEqual({ rows: ROWS, keys: KEYS });
  expect(digests.has(table(), "1")).toBe(true);
  await digests.take(table(), "1", signal);
  expect(digests.has(table(), "2")).toBe(false);
  expect(await digests.take(table(), "2", signal)).toEqual({ rows: ROWS, keys: KEYS });
  expect(asked).toEqual([
    { since: "1", keys: true },
    { since: "2", keys: false },
  ]);
});

test.each<
  [
    what: string,
    sketch: Partial<TableSketch>,
    cursor: string | null,
    since: string | undefined,
    keys: boolean,
    mirrored: number | undefined,
  ]
>([
  ["an incremental table", {}, "1", "1", true, 5],
  [
    "one whose deletes are ignored",
    { sync: { mode: "incremental", cursor: "at", deletes: "ignore" } },
    "1",
    "1",
    false,
    undefined,
  ],
  ["one without a watermark", {}, null, undefined, false, 2],
  ["an append table", { sync: { mode: "append", cursor: "at" } }, "1", "1", false, undefined],
  ["a table that is always read whole", { sync: { mode: "full_refresh" } }, null, undefined, false, 2],
  [
    "the same, with a cursor from the defaults",
    { sync: { mode: "full_refresh", cursor: "at" } },
    "1",
    undefined,
    false,
    2,
  ],
  ["one without a key", { sync: { mode: "full_refresh" }, primaryKey: [] }, null, undefined, false, 2],
])("of %s, what the next batch would read is digested", async (_, sketch, cursor, since, keys, mirrored) => {
  const { asked, digests } = snapshot();
  const digest = await digests.take(table(sketch), cursor, signal);
  expect(asked).toEqual([{ since, keys }]);
  expect(rowsMirrored(table(sketch), cursor, digest)).toBe(mirrored);
});

const watermark = (fence: Watermark["fence"]): Watermark => ({ batchId: 1, cursor: "1", cursorColumn: "at", fence });

test("a watermark compares with the digest that it was taken with, and no other", () => {
  const digest = { rows: ROWS, keys: KEYS };
  const kept = watermark(fenceOf(table(), digest));
  expect(isComparable(table(), kept)).toBe(true);
  expect(isUnchanged(kept, digest)).toBe(true);
  for (const other of [
    { rows: ROWS },
    { rows: { ...ROWS, count: 3 }, keys: KEYS },
    { rows: { ...ROWS, hash: "12" }, keys: KEYS },
    { rows: ROWS, keys: { ...KEYS, hash: "7" } },
    { rows: ROWS, keys: { ...KEYS, count: 4 } },
  ]) {
    expect(isUnchanged(kept, other)).toBe(false);
  }
});

test.each<[what: string, sketch: Partial<TableSketch>]>([
  ["the mode", { sync: { mode: "append", cursor: "at" } }],
  ["what becomes of deleted rows", { sync: { mode: "incremental", cursor: "at", deletes: "ignore" } }],
  ["the cursor", { sync: { mode: "incremental", cursor: "id" } }],
  ["the key", { primaryKey: ["id", "at"] }],
  ["a type", { columns: { ...columns, note: "varchar(11)" } }],
  ["whether a column may be NULL", { columns: { ...columns, note: "varchar(10) not null" } }],
  ["a column more", { columns: { ...columns, more: "text" } }],
  ["the columns' order", { columns: { note: "varchar(10)", id: "integer", at: "timestamp_ltz" } }],
  ["the source's table", { sourceTable: "other" }],
  ["the source's schema", { sourceSchema: "other" }],
])("nothing compares any more once %s is another", (_, sketch) => {
  const kept = watermark(fenceOf(table(), { rows: ROWS, keys: KEYS }));
  expect(isComparable(table(sketch), kept)).toBe(false);
});

test("nothing compares with a table that was never loaded, or by a batch that took no digest", () => {
  expect(isComparable(table(), undefined)).toBe(false);
  expect(isComparable(table(), watermark({}))).toBe(false);
});
