import { expect, test } from "vitest";
import { detectionOf, scopeOf, type TableFacts } from "../../../runtime/source/detection.ts";
import { groundFence, type ServerGround, type TableGround } from "../../../runtime/source/ground.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const NOW = 5_000_000_000n;
const SERVER: ServerGround = { server: "7/1", snapshot: `${NOW}:${NOW}:`, wal: "1/0" };
const GROUND: TableGround = {
  oid: 16_384,
  parts: new Map([[16_384, "16384"]]),
  columns: "c",
  versioned: true,
  durable: true,
  rows: 10,
  bytes: 8192,
};
const table = manifestTable({
  name: "t",
  columns: { id: "integer" },
  primaryKey: ["id"],
  sync: { mode: "incremental" },
});

function facts(changes: Partial<TableFacts> = {}): TableFacts {
  const relation = {
    oid: 16_384,
    schema: "public",
    name: "t",
    kind: "r",
    comment: null,
    schemaUsage: true,
    readable: true,
    filtered: false,
    columns: [],
    uniqueKeys: [],
  } as const;
  const activity = { t0: "2026-01-01 00:00:00.000000+00", standby: false, earliest: null, prepared: false };
  return { table, relation, ground: GROUND, server: SERVER, activity, indexed: false, ...changes };
}

const position = (fence: Readonly<Record<string, string>> = {}) => ({
  cursor: null,
  cursorColumn: null,
  fence: { ...groundFence(SERVER, GROUND), t0: "2025-12-31 00:00:00.000000+00", ...fence },
});

test("a fence of row versions is used while it is less than half the circle of transactions old", () => {
  const young = String(NOW - 1_999_999_999n);
  expect(scopeOf(facts(), position({ version: young }))).toEqual({
    since: { by: "version", from: young },
    why: undefined,
    sameGround: true,
  });
  const old = scopeOf(facts(), position({ version: String(NOW - 2_000_000_000n) }));
  expect(old.since).toBeUndefined();
  expect(old.why).toContain("too many transactions have passed");
});

test("what an older version of the program left is no ground to go on from", () => {
  const old = { cursor: "2026-01-01", cursorColumn: "at", fence: { digest: "1 rows 2" } };
  expect(scopeOf(facts(), old)).toMatchObject({ since: undefined, sameGround: false });
});

test.each<[what: string, ground: Partial<TableGround>, server: Partial<ServerGround>]>([
  ["a table that a crash empties", { durable: false }, {}],
  ["a server that does not say which one it is", {}, { server: undefined }],
])("equal snapshots say nothing of %s", (_, ground, server) => {
  const here = { ...SERVER, ...server };
  const there = { ...GROUND, ...ground };
  const previous = { ...position(), fence: { ...groundFence(here, there), version: String(NOW) } };
  const scope = scopeOf(facts({ ground: there, server: here }), previous);
  expect(scope.sameGround).toBe(false);
  expect(scope.since).toBeDefined();
});

test("a standby is scanned: its clock says nothing of its primary's transactions", () => {
  const large = { ...GROUND, rows: 9e6 };
  const at = {
    name: "at",
    number: 1,
    type: { name: "timestamptz", modifier: -1, text: "" },
    notNull: true,
    comment: null,
  };
  const relation = { ...facts().relation, columns: [at] };
  const byTime = { ...table, sync: { ...table.sync, cursor: "at" } };
  const given = { table: byTime, relation, ground: large, indexed: true };
  expect(detectionOf(facts(given)).by).toBe("cursor");
  expect(detectionOf(facts({ ...given, activity: { ...facts().activity, standby: true } })).by).toBe("version");
});
