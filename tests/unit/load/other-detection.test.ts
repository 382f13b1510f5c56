import { expect, test } from "vitest";
import { otherDetection } from "../../../runtime/load/other-detection.ts";
import { manifestFence } from "../../../runtime/load/scope.ts";
import type { SyncSettings } from "../../../runtime/manifest/manifest.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const table = (sync: Partial<SyncSettings> = {}) =>
  manifestTable({
    name: "t",
    columns: { id: "integer", made: "timestamp_ltz", changed: "timestamp_ltz" },
    primaryKey: ["id"],
    sync: { mode: "incremental", cursor: ["made", "changed"], ...sync },
  });
const scanned = (one = table()) => ({
  cursor: null,
  cursorColumn: null,
  fence: { version: "700", ...manifestFence(one) },
});
const byCursor = (one = table()) => ({ ...scanned(one), cursor: "2026-01-01", cursorColumn: '["made","changed"]' });

test("a table that was scanned and is read by its cursor now is told, with how to settle it either way", () => {
  expect(otherDetection(table(), scanned(), byCursor())).toEqual({
    kind: "detection_changed",
    table: "t",
    columns: ["made", "changed"],
    message:
      "Up to now t was scanned for changes; from the next batch on they are found by its cursor made, changed, as in all tables of more than 2,000,000 rows or 500 MB whose cursor has an index: rows that change without moving the cursor are found by verification only.",
    remedy:
      "In the manifest, under sync of t, write detect: scan to have it scanned as before, or detect: cursor to settle that it is not.",
  });
});

test("nothing is told where nothing turns, or towards the scan, which misses nothing", () => {
  expect(otherDetection(table(), scanned(), scanned())).toBeUndefined();
  expect(otherDetection(table(), byCursor(), byCursor())).toBeUndefined();
  expect(otherDetection(table(), byCursor(), scanned())).toBeUndefined();
});

test("nothing is told where somebody has said so", () => {
  const chosen = table({ detect: "cursor" });
  expect(otherDetection(chosen, scanned(chosen), byCursor(chosen))).toBeUndefined();
  const now = table();
  expect(otherDetection(now, scanned(table({ detect: "scan" })), byCursor(now))).toBeUndefined();
});

test("nothing is told of a table that was read whole each time: it had no row versions", () => {
  const { version: _, ...fence } = scanned().fence;
  expect(otherDetection(table(), { ...scanned(), fence }, byCursor())).toBeUndefined();
});
