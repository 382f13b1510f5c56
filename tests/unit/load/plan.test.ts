import { describe, expect, it } from "vitest";
import { planTable } from "../../../runtime/load/plan.ts";
import type { ManifestTable, SyncSettings } from "../../../runtime/manifest/manifest.ts";

const table = (sync: SyncSettings, primaryKey: readonly string[] = ["id"]): ManifestTable => ({
  name: "orders",
  sourceName: "stage",
  schema: "stage",
  sourceSchema: "public",
  sourceTable: "orders",
  primaryKey,
  sync,
  columns: [],
  line: 1,
});
const incremental = table({ mode: "incremental", cursor: "changed_at", deletes: "hard" });
const watermark = (cursor: string | null, cursorColumn: string | null = "changed_at") => ({
  batchId: 1,
  cursor,
  cursorColumn,
  fence: {},
});

describe("planTable", () => {
  it("replaces a table that was never loaded, whatever its mode", () => {
    for (const mode of ["full_refresh", "append", "incremental"] as const) {
      expect(planTable(table({ mode, cursor: "changed_at", deletes: "hard" }), undefined, false)).toEqual({
        action: "replace",
        keys: "none",
      });
    }
  });

  it("replaces when told to load everything anew", () => {
    expect(planTable(incremental, watermark("2026-01-01"), true)).toEqual({ action: "replace", keys: "none" });
  });

  it("reads an incremental table from its watermark, and all keys to find deletes", () => {
    expect(planTable(incremental, watermark("2026-01-01"), false)).toEqual({
      action: "merge",
      since: "2026-01-01",
      keys: "all-keys",
    });
  });

  it("does not look for deletes that are to be ignored", () => {
    const ignoring = table({ mode: "incremental", cursor: "changed_at", deletes: "ignore" });
    expect(planTable(ignoring, watermark("2026-01-01"), false).keys).toBe("none");
  });

  it("reads everything, and merges it, when the watermark is empty or of another cursor", () => {
    for (const useless of [watermark(null), watermark("2026-01-01", "created_at")]) {
      expect(planTable(incremental, useless, false)).toEqual({ action: "merge", since: undefined, keys: "rows" });
    }
  });

  it("merges a full refresh by key, so that rows that did not change keep their batch", () => {
    expect(planTable(table({ mode: "full_refresh", deletes: "hard" }), watermark(null, null), false)).toEqual({
      action: "merge",
      keys: "rows",
    });
  });

  it("replaces a full refresh without a key", () => {
    expect(planTable(table({ mode: "full_refresh", deletes: "hard" }, []), watermark(null, null), false)).toEqual({
      action: "replace",
      keys: "none",
    });
  });

  it("never deletes from a table that is appended to", () => {
    const append = table({ mode: "append", cursor: "changed_at", deletes: "ignore" });
    expect(planTable(append, watermark("2026-01-01"), false)).toEqual({
      action: "merge",
      since: "2026-01-01",
      keys: "none",
    });
  });
});
