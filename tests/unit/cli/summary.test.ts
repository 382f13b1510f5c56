import { PassThrough } from "node:stream";
import type { WriteStream } from "node:tty";
import { expect, test } from "vitest";
import { summarize, type Summarized } from "../../../runtime/cli/output/summary.ts";
import { formatCredits } from "../../../runtime/core/format.ts";
import type { WarehouseUsage } from "../../../runtime/core/result.ts";

const USAGE: WarehouseUsage = {
  statements: 41,
  warehouse_seconds: 12.4,
  bytes_staged: 3_100_000,
  rows_staged: 9,
  credits: 0.0201,
};

const RESULT: Summarized = {
  batch_id: 7,
  status: "success",
  seconds: 1.5,
  tables: [
    {
      name: "vendas",
      mode: "incremental",
      rows_read: 0,
      inserted: 0,
      updated: 0,
      deleted: 0,
      bytes: 0,
      seconds: 0.1,
      status: "success",
    },
  ],
  models: [{ name: "fct_vendas", status: "success", rows: 1, seconds: 0.2 }],
  tests: [{ name: "unique", status: "pass", failures: 0, seconds: 0.1 }],
};

/** A stream that is no terminal. */
const stream = new PassThrough() as unknown as WriteStream;
const lines = (result: Summarized) => summarize(result, stream).trimEnd().split("\n");

test("a batch on a warehouse that is billed by use ends with what it used, as an estimate", () => {
  expect(lines({ ...RESULT, usage: USAGE }).slice(-2)).toEqual([
    "Batch 7: success in 1.50 s · 1 of 1 tables loaded · 1 of 1 models built · 1 of 1 tests passed",
    "41 statements · 12.4 s of warehouse time · 3.1 MB staged · about 0.02 credits",
  ]);
});

test("where the price is not known, or only one statement was sent, the line says so", () => {
  expect(lines({ ...RESULT, usage: { ...USAGE, statements: 1, credits: null } }).at(-1)).toBe(
    "1 statement · 12.4 s of warehouse time · 3.1 MB staged",
  );
});

test("where nothing is billed, there is no such line", () => {
  expect(lines(RESULT).at(-1)).toMatch(/^Batch 7/);
});

test("what a batch warned of stands before its last line, each with what ends it", () => {
  const warning = { kind: "column_new", message: "t has a column.", remedy: "Run this." } as const;
  expect(lines({ ...RESULT, warnings: [warning] })).toContain("t has a column. Run this.");
});

test("a batch that found nothing new lists no models, and says that it cost nothing", () => {
  const usage = { ...USAGE, statements: 0, warehouse_seconds: 0, bytes_staged: 0, rows_staged: 0, credits: 0 };
  const models = RESULT.models.map((model) => ({ ...model, status: "skipped" as const }));
  const tests = RESULT.tests.map((one) => ({ ...one, status: "skipped" as const }));
  const text = lines({ ...RESULT, models, tests, usage });
  expect(text.slice(-2)).toEqual([
    "Batch 7: success in 1.50 s · nothing new",
    "no statement was sent to the warehouse",
  ]);
  expect(text.join("\n")).not.toContain("fct_vendas");
});

test("values that did not fit and were let through are told, with their columns", () => {
  const [vendas] = RESULT.tables;
  const tables = vendas ? [{ ...vendas, misfits: { valor_pago: 1200, nota: 1 } }] : [];
  expect(lines({ ...RESULT, tables })).toContain(
    "vendas: values that did not fit and were loaded as on_misfit says: valor_pago 1,200, nota 1",
  );
});

test("what was skipped in a failed batch is listed", () => {
  const models = RESULT.models.map((model) => ({ ...model, status: "skipped" as const }));
  expect(lines({ ...RESULT, status: "failed", models }).join("\n")).toContain("fct_vendas");
});

test.each([
  [0, "0"],
  [0.000_4321, "0.00043"],
  [0.016_666, "0.017"],
  [0.02, "0.02"],
  [0.996, "1"],
  [4.53, "4.5"],
  [9.99, "10"],
  [1234.5, "1,235"],
])("%d credits are written %s", (credits, text) => {
  expect(formatCredits(credits)).toBe(text);
});
