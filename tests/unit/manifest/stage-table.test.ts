import { expect, it } from "vitest";
import { stageTableColumns } from "../../../runtime/manifest/stage-table.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const namesOf = (deletes: "hard" | "soft" | "ignore") =>
  stageTableColumns(
    manifestTable({ name: "t", columns: { id: "integer", note: "text" }, primaryKey: ["id"], sync: { deletes } }),
  ).map(({ name, nullable }) => `${name}${nullable ? "" : " NOT NULL"}`);

it("has the load's own columns first, and that of soft deletes only where deletes are soft", () => {
  const own = ["_SYNCED_AT NOT NULL", "_BATCH_ID NOT NULL"];
  expect(namesOf("soft")).toEqual([...own, "_DELETED_AT", "ID NOT NULL", "NOTE"]);
  for (const deletes of ["hard", "ignore"] as const) expect(namesOf(deletes)).toEqual([...own, "ID NOT NULL", "NOTE"]);
});
