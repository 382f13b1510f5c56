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
const since = { by: "version", from: "740" } as const;

describe("planTable", () => {
  it("reads of an incremental table what may have changed, and all keys to find deletes", () => {
    expect(planTable(incremental, since)).toEqual({ action: "merge", since, keys: "all-keys" });
  });

  it("does not look for deletes that are to be ignored", () => {
    const ignoring = table({ mode: "incremental", cursor: "changed_at", deletes: "ignore" });
    expect(planTable(ignoring, since).keys).toBe("none");
    expect(planTable(ignoring, undefined).keys).toBe("none");
  });

  it("leaves deletes to `verify` where the manifest says so, but takes what a whole reading shows", () => {
    const deferring = table({ mode: "incremental", deletes: "hard", deleteCheck: "verify" });
    expect(planTable(deferring, since).keys).toBe("none");
    expect(planTable(deferring, undefined).keys).toBe("rows");
  });

  it("reads everything, and merges it, when anything may have changed", () => {
    expect(planTable(incremental, undefined)).toEqual({ action: "merge", since: undefined, keys: "rows" });
  });

  it("merges a full refresh by key, so that rows that did not change keep their batch", () => {
    expect(planTable(table({ mode: "full_refresh", deletes: "hard" }), undefined)).toEqual({
      action: "merge",
      keys: "rows",
    });
  });

  it("replaces a full refresh without a key", () => {
    expect(planTable(table({ mode: "full_refresh", deletes: "hard" }, []), undefined)).toEqual({
      action: "replace",
      keys: "none",
    });
  });

  it("never deletes from a table that is appended to", () => {
    const append = table({ mode: "append", cursor: "changed_at", deletes: "ignore" });
    expect(planTable(append, since)).toEqual({ action: "merge", since, keys: "none" });
    expect(planTable(append, undefined).keys).toBe("none");
  });
});
