import { expect, it } from "vitest";
import type { TableFacts } from "../../../runtime/source/detection.ts";
import { canGoOn, usable, whyNotOn } from "../../../runtime/source/going-on.ts";
import { groundFence, type ServerGround, type TableGround } from "../../../runtime/source/ground.ts";
import { noteOf } from "../../../runtime/source/pages-read.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const GROUND: TableGround = {
  oid: 7,
  parts: new Map([
    [8, "80"],
    [9, "90"],
  ]),
  columns: "columns",
  versioned: true,
  durable: true,
  rows: 0,
  bytes: 0,
};
const SERVER: ServerGround = { server: "4711/1", snapshot: "100:110:", wal: "0/10" };

function facts(ground: Partial<TableGround> = {}, server: Partial<ServerGround> = {}): TableFacts {
  const table = manifestTable({ name: "t", columns: { id: "integer" }, primaryKey: ["id"] });
  const relation = {} as TableFacts["relation"];
  const activity = {} as TableFacts["activity"];
  return {
    table,
    relation,
    activity,
    indexed: false,
    ground: { ...GROUND, ...ground },
    server: { ...SERVER, ...server },
  };
}

const note = (file: string, version = "100") => noteOf([{ part: 8, file, from: 0, to: 5, version }]);
const earlier = { fence: groundFence(SERVER, GROUND), notes: [note("80")] };

it("a load goes on where everything is as it was, or only some parts are not", () => {
  expect(whyNotOn(facts(), earlier)).toBeUndefined();
  expect(whyNotOn(facts({}, { snapshot: "200:210:", wal: "0/20" }), earlier)).toBeUndefined();
  expect(
    whyNotOn(
      facts({
        parts: new Map([
          [8, "81"],
          [9, "90"],
          [10, "100"],
        ]),
      }),
      earlier,
    ),
  ).toBeUndefined();
});

it("it does not on another server, relation or column, nor where the source was set back", () => {
  expect(whyNotOn(facts({}, { server: "4711/2" }), earlier)).toContain("another server");
  expect(whyNotOn(facts({}, { snapshot: "90:100:" }), earlier)).toContain("set back");
  expect(whyNotOn(facts({}, { wal: "0/0F" }), earlier)).toContain("set back");
  expect(whyNotOn(facts({ oid: 8 }), earlier)).toContain("another table");
  expect(whyNotOn(facts({ columns: "others" }), earlier)).toContain("columns");
  expect(whyNotOn(facts({ parts: new Map([[8, "81"]]) }), earlier)).toContain("truncated or rewritten");
});

it("it does not with notes that nobody understands", () => {
  expect(whyNotOn(facts(), { ...earlier, notes: [note("80"), '[{"pages":1}]'] })).toContain("another version");
});

it("tables without row versions, tables that a crash empties and servers without a name are no ground for it", () => {
  for (const one of [facts({ versioned: false }), facts({ durable: false }), facts({}, { server: undefined })]) {
    expect(canGoOn(one)).toBe(false);
    expect(whyNotOn(one, earlier)).toContain("no versions");
  }
});

it("pages of a file that is gone, and of a snapshot that is too old, are read again", () => {
  expect(usable([note("80"), note("79")], GROUND, "100:110:")).toMatchObject([{ file: "80" }]);
  expect(usable([note("80", "100"), note("80", "150")], GROUND, "2000000120:2000000120:")).toMatchObject([
    { version: "150" },
  ]);
});
