import { expect, test } from "vitest";
import { describeMisfits } from "../../../runtime/load/misfits.ts";
import { manifestTable } from "../../support/manifest-table.ts";

test("one line a column says what became of the values, and by whose word", () => {
  const table = manifestTable({ name: "t", columns: { price: "decimal(10,2)", at: "text", note: "text" } });
  const columns = table.columns.map(
    (column) => ({ ...column, onMisfit: column.name === "at" ? "text" : "null" }) as const,
  );
  expect(describeMisfits({ ...table, columns }, { price: 1, at: 2 })).toEqual([
    "1 value of price does not fit NUMBER(10,2), and is NULL in the warehouse (on_misfit: null)",
    "2 values of at are kept as text that no other type of the warehouse can hold (on_misfit: text)",
  ]);
  expect(describeMisfits(table, {})).toEqual([]);
});
