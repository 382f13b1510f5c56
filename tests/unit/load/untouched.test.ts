import { expect, test } from "vitest";
import { manifestFence } from "../../../runtime/load/scope.ts";
import { findUntouched } from "../../../runtime/load/untouched.ts";
import type { ReadScope, SourceSnapshot } from "../../../runtime/source/source.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const table = manifestTable({
  name: "t",
  columns: { id: "integer" },
  primaryKey: ["id"],
  sync: { mode: "incremental" },
});
const STATE = "740:740:";

/** The log's lines, and the tables that nothing has happened to. */
function look({
  state = STATE as string | null,
  sameGround = true,
  fence = {},
  seen = new Map<string, string>(),
  now = table,
} = {}) {
  const scope = (): ReadScope => ({ since: { by: "version", from: "740" }, sameGround });
  const snapshot = { state: state ?? undefined, scope } as Partial<SourceSnapshot> as SourceSnapshot;
  const watermark = {
    batchId: 3,
    cursor: null,
    cursorColumn: null,
    fence: { ...manifestFence(table), snapshot: STATE, digest: "0 rows 0, 12 keys 7", ...fence },
  };
  const lines: string[] = [];
  const published = { lastBatchId: 3, watermarks: new Map([["t", watermark]]) };
  const context = { log: (line: string) => void lines.push(line) };
  return { found: [...findUntouched({ snapshot, tables: [now], state: published, seen, context }).values()], lines };
}

test("where the source's state is the watermark's, nothing has happened, and the rows are as many as they were", () => {
  const { found, lines } = look();
  expect(found).toMatchObject([{ name: "t", status: "success", rows_read: 0, rows_total: 12 }]);
  expect(lines).toEqual(["nothing has happened in the source since batch 3"]);
  expect(look({ fence: { digest: "" } }).found[0]).not.toHaveProperty("rows_total");
});

test("a later state that had nothing new counts as well", () => {
  expect(look({ state: "741:741:" }).found).toEqual([]);
  expect(look({ state: "741:741:", seen: new Map([["t", "741:741:"]]) }).found).toHaveLength(1);
});

test.each([
  ["the state is not known", { state: null }],
  ["the ground is another", { sameGround: false }],
  ["the last batch did not note its state", { fence: { snapshot: "" } }],
  ["deletes are looked for in another way", { now: { ...table, sync: { ...table.sync, deletes: "ignore" as const } } }],
  ["the manifest names another key", { now: { ...table, primaryKey: [] } }],
])("is looked at where %s", (_, changes) => {
  expect(look(changes)).toEqual({ found: [], lines: [] });
});
