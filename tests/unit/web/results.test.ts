import { expect, test } from "vitest";
import { tableResults } from "../../../runtime/web/views/results.ts";

test("a table's values that did not fit stand beside its name, with their columns", () => {
  const table = {
    name: "vendas",
    mode: "incremental",
    rows_read: 3,
    inserted: 3,
    updated: 0,
    deleted: 0,
    rows_total: 3,
    bytes: 9,
    seconds: 0.1,
    status: "success",
    error: undefined,
  } as const;
  const text = String(tableResults([{ ...table, misfits: { valor_pago: 1200, nota: 1 } }], "success"));
  expect(text).toContain("1,201 values did not fit");
  expect(text).toContain('title="valor_pago: 1,200, nota: 1"');
  expect(String(tableResults([{ ...table, misfits: undefined }], "success"))).not.toContain("did not fit");
});
