import { expect, test } from "vitest";
import { systemClock } from "../../../runtime/core/clock.ts";
import { Digests, digestFence, isComparable, isUnchanged, rowsMirrored } from "../../../runtime/load/digests.ts";
import type { DigestRequest, Since, SourceSnapshot, TableDigest } from "../../../runtime/source/source.ts";
import type { Watermark } from "../../../runtime/warehouse/warehouse.ts";
import { manifestTable, type TableSketch } from "../../support/manifest-table.ts";

const { signal } = new AbortController();
const columns = { id: "integer", at: "timestamp_ltz", note: "varchar(10)" };
const table = (changes: Partial<TableSketch> = {}) =>
  manifestTable({ name: "t", columns, primaryKey: ["id"], sync: { mode: "incremental", cursor: "at" }, ...changes });

const ROWS = { count: 2, hash: "11" };
const KEYS = { count: 5, hash: "-7" };
const FROM_1: Since = { by: "cursor", from: "1" };
const FROM_2: Since = { by: "cursor", from: "2" };

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
  expect(digests.has(table(), FROM_1)).toBe(false);
  expect(await digests.take(table(), FROM_1, signal)).toEqual({ rows: ROWS, keys: KEYS });
  expect(digests.has(table(), FROM_1)).toBe(true);
  await digests.take(table(), FROM_1, signal);
  expect(digests.has(table(), FROM_2)).toBe(false);
  expect(digests.has(table(), { ...FROM_1, by: "version" })).toBe(false);
  expect(await digests.take(table(), FROM_2, signal)).toEqual({ rows: ROWS, keys: KEYS });
  expect(asked).toEqual([
    { since: FROM_1, keys: true },
    { since: FROM_2, keys: false },
  ]);
});

const watermark = (fence: Watermark["fence"]): Watermark => ({ batchId: 1, cursor: "1", cursorColumn: "at", fence });

test.each<
  [
    what: string,
    sketch: Partial<TableSketch>,
    wanted: Since | undefined,
    since: Since | undefined,
    keys: boolean,
    mirrored: number | undefined,
  ]
>([
  ["an incremental table", {}, FROM_1, FROM_1, true, 5],
  [
    "one whose deletes are ignored",
    { sync: { mode: "incremental", cursor: "at", deletes: "ignore" } },
    FROM_1,
    FROM_1,
    false,
    undefined,
  ],
  [
    "one whose deletes wait for verification",
    { sync: { mode: "incremental", cursor: "at", deleteCheck: "verify" } },
    FROM_1,
    FROM_1,
    false,
    undefined,
  ],
  ["one without a fence", {}, undefined, undefined, false, 2],
  ["an append table", { sync: { mode: "append", cursor: "at" } }, FROM_1, FROM_1, false, undefined],
  ["a table that is always read whole", { sync: { mode: "full_refresh" } }, undefined, undefined, false, 2],
  [
    "the same, with a cursor from the defaults",
    { sync: { mode: "full_refresh", cursor: "at" } },
    FROM_1,
    undefined,
    false,
    2,
  ],
  ["one without a key", { sync: { mode: "full_refresh" }, primaryKey: [] }, undefined, undefined, false, 2],
])("of %s, what the next batch would read is digested", async (_, sketch, wanted, since, keys, mirrored) => {
  const { asked, digests } = snapshot();
  const digest = await digests.take(table(sketch), wanted, signal);
  expect(asked).toEqual([{ since, keys }]);
  const kept = watermark(digestFence(table(sketch), wanted, digest));
  expect(rowsMirrored(table(sketch), kept, wanted)).toBe(mirrored);
});

test("a watermark compares with the digest that it was taken with, and no other", () => {
  const digest = { rows: ROWS, keys: KEYS };
  const kept = watermark(digestFence(table(), FROM_1, digest));
  expect(isComparable(table(), kept, FROM_1)).toBe(true);
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
  ["when deletes are looked for", { sync: { mode: "incremental", cursor: "at", deleteCheck: "verify" } }],
  ["the cursor", { sync: { mode: "incremental", cursor: "id" } }],
  ["how changes are found", { sync: { mode: "incremental", cursor: "at", detect: "scan" } }],
  ["the key", { primaryKey: ["id", "at"] }],
  ["a type", { columns: { ...columns, note: "varchar(11)" } }],
  ["whether a column may be NULL", { columns: { ...columns, note: "varchar(10) not null" } }],
  ["a column more", { columns: { ...columns, more: "text" } }],
  ["the columns' order", { columns: { note: "varchar(10)", id: "integer", at: "timestamp_ltz" } }],
  ["the source's table", { sourceTable: "other" }],
  ["the source's schema", { sourceSchema: "other" }],
])("nothing compares any more once %s is another", (_, sketch) => {
  const kept = watermark(digestFence(table(), FROM_1, { rows: ROWS, keys: KEYS }));
  expect(isComparable(table(sketch), kept, FROM_1)).toBe(false);
});

test("nothing compares with what is to be read from elsewhere, or with a batch that took no digest", () => {
  const kept = watermark(digestFence(table(), FROM_1, { rows: ROWS, keys: KEYS }));
  expect(isComparable(table(), kept, FROM_2)).toBe(false);
  expect(isComparable(table(), kept, { ...FROM_1, parts: [16_384] })).toBe(false);
  expect(isComparable(table(), kept, undefined)).toBe(false);
  expect(isComparable(table(), watermark({}), FROM_1)).toBe(false);
});
