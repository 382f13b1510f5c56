import { expect, test } from "vitest";
import { planOtherKey } from "../../../runtime/load/other-key.ts";
import { formerKey, keyFence, manifestFence } from "../../../runtime/load/scope.ts";
import type { SyncSettings } from "../../../runtime/manifest/manifest.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const table = (primaryKey: string[], sync: Partial<SyncSettings> = {}) =>
  manifestTable({
    name: "t",
    columns: { a: "integer not null", b: "integer not null" },
    primaryKey,
    sync: { mode: "incremental", deletes: "hard", ...sync },
  });
const noted = (one: ReturnType<typeof table>) => ({ fence: { ...manifestFence(one), ...keyFence(one) } });

test("the same key is no other one", () => {
  expect(formerKey(table(["a"]), noted(table(["a"])))).toBeUndefined();
});

test("another key replaces the table, whose rows that vanished are named by the former one", () => {
  const former = formerKey(table(["b"]), noted(table(["a"])));
  expect(former).toEqual(["a"]);
  expect(planOtherKey(table(["b"]), former ?? "unknown")).toMatchObject({
    plan: { action: "replace", keys: "rows" },
    table: { primaryKey: ["a"] },
    warning: { kind: "key_changed" },
  });
});

test("the same columns in another order are merged as ever, and told", () => {
  const other = planOtherKey(table(["b", "a"]), ["a", "b"]);
  expect(other.plan).toBeUndefined();
  expect(other.warning).toMatchObject({ kind: "key_changed", message: expect.stringContaining("in that order") });
});

test.each([{ deletes: "ignore" }, { deletes: "soft" }, { mode: "append", deletes: "ignore" }] as const)(
  "where %o keeps rows, nothing is replaced",
  (sync) => {
    expect(() => planOtherKey(table(["b"], sync), ["a"])).toThrow(/keeps rows that the source has deleted/);
    expect(planOtherKey(table(["b"], sync), "unknown")).toEqual({ table: table(["b"], sync) });
  },
);

test("a key that an older version did not note may be another: the table is replaced, once the manifest has changed", () => {
  const { key: _, ...older } = noted(table(["a"])).fence;
  expect(formerKey(table(["a"]), { fence: older })).toBeUndefined();
  expect(formerKey(table(["b"]), { fence: older })).toBe("unknown");
  expect(planOtherKey(table(["b"]), "unknown")).toEqual({
    table: table(["b"]),
    plan: { action: "replace", keys: "rows" },
  });
});
