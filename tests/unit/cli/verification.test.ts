/** A verification's result as a person reads it. */
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import type { TableVerification, VerificationResult } from "../../../runtime/core/verification.ts";
import { describeVerification } from "../../../runtime/cli/output/verification.ts";

const stream = new PassThrough() as unknown as NodeJS.WriteStream;
const table = (changes: Partial<TableVerification>): TableVerification => ({
  name: "vendas",
  rows_source: 1200,
  rows_stage: 1200,
  rows_changed_since: 0,
  equal: true,
  differences: [],
  seconds: 1,
  ...changes,
});
const result = (changes: Partial<VerificationResult>): VerificationResult => ({
  equal: true,
  snapshot: "2026-01-04T05:00:00.000000Z",
  seconds: 1.5,
  tables: [table({})],
  ...changes,
});

it("says that all is equal, and what has changed since", () => {
  expect(describeVerification(result({ tables: [table({ rows_changed_since: 3 })] }), stream)).toBe(
    "\n✓ vendas  1,200 of 1,200 rows, equal, 3 changed since\n\nThe table equals the source · compared in 1.50 s with the source as of 2026-01-04T05:00:00.000000Z\n",
  );
});

it("names ranges, keys and columns of what differs, and what to do", () => {
  const differing = table({
    equal: false,
    differences: [
      { key_from: 5, key_to: 9, columns: ["valor_pago", "data_venda"] },
      { key_from: ["a", 1], key_to: ["a", 1], columns: ["valor_pago"] },
      { key_from: null, key_to: null, columns: ["nome"] },
      ...Array.from({ length: 9 }, (_, id) => ({ key_from: id, key_to: id, columns: ["x"] })),
    ],
    keys: [
      { key: 5, is: "changed", columns: ["valor_pago"] },
      { key: 6, is: "missing", columns: ["valor_pago", "x"] },
      { key: "x".repeat(200), is: "extra", columns: [] },
      { key: 8, is: "twice", columns: [] },
    ],
  });
  const text = describeVerification(result({ equal: false, tables: [differing] }), stream);
  for (const line of [
    "✗ vendas  1,200 of 1,200 rows, differs\n",
    "    keys 5 to 9: valor_pago, data_venda\n",
    "    key a, 1: valor_pago\n",
    "    in rows without a key that could be named: nome\n",
    "    and 2 more (--json shows them)\n",
    "    5 differs in valor_pago\n",
    "    6 is missing from the stage table\n",
    `    ${"x".repeat(79)}… is in the stage table only\n`,
    "    8 stands more than once in the stage table\n",
    "1 of 1 table differs from the source",
    "novadrive verify --repair",
  ])
    expect(text).toContain(line);
});

it("says how many rows are there only because deletes are left to verifications", () => {
  const text = (rows: number) =>
    describeVerification(result({ equal: false, tables: [table({ equal: false, deletes_deferred: rows })] }), stream);
  expect(text(1200)).toContain(
    "differs\n    1,200 rows that the source has deleted are left here: with delete_check: verify, only a repair removes them\n",
  );
  expect(text(1)).toContain("    1 row that the source has deleted is left here");
});

it("says what was repaired, and in which batch", () => {
  const repair = {
    batch_id: 4,
    found: [table({ equal: false })],
    tables: [{ name: "vendas", inserted: 1, updated: 2, deleted: 3 }],
  };
  expect(describeVerification(result({ repair }), stream)).toContain(
    "repaired vendas: 1 inserted, 2 updated, 3 deleted (batch 4)\n✓ vendas",
  );
});
