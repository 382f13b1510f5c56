import { expect, test } from "vitest";
import { groundChange, groundFence, type ServerGround, type TableGround } from "../../../runtime/source/ground.ts";

const GROUND: TableGround = {
  oid: 7,
  parts: new Map([[7, "70"]]),
  columns: "columns",
  versioned: true,
  durable: true,
  rows: 0,
  bytes: 0,
};
const on = (server: string | undefined): ServerGround => ({ server, snapshot: "100:110:", wal: "0/10" });
const change = (before: string | undefined, now: string | undefined) =>
  groundChange(groundFence(on(before), GROUND), on(now), GROUND).change;

test("another server, another timeline and another database are another ground", () => {
  expect(change("1/1/5", "1/1/5")).toBe("none");
  for (const now of ["2/1/5", "1/2/5", "1/1/6", undefined]) expect(change("1/1/5", now)).toBe("all");
});

test("a fence of an older version, which noted no database, goes on to say something", () => {
  expect(change("1/1", "1/1/5")).toBe("none");
  expect(change("1/1", "1/11/5")).toBe("all");
  expect(change("1/1/5", "1/1/55")).toBe("all");
});
