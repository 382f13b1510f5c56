import { expect, it } from "vitest";
import {
  isConflict,
  readEngineError,
  resourceError,
  statementError,
} from "../../../../runtime/warehouse/duckdb/engine-error.ts";

it("reads DuckDB's structured errors", () => {
  const thrown = new Error(
    'Parser Error: {"exception_type":"Parser","exception_message":"syntax error at or near \\"selec\\"\\n\\nmore","position":"3","name":"x"}',
  );
  expect(readEngineError(thrown).facts).toEqual({
    kind: "Parser",
    summary: 'syntax error at or near "selec"',
    text: 'syntax error at or near "selec"\n\nmore',
    position: 3,
    subject: "x",
  });
});

it("reads plain errors, and names in their text", () => {
  expect(readEngineError(new Error("IO Error: Cannot open file")).facts).toMatchObject({
    kind: "IO",
    summary: "Cannot open file",
  });
  const update = '{"exception_type":"Binder","exception_message":"Referenced update column nope not found in table!"}';
  expect(readEngineError(new Error(update)).facts.subject).toBe("nope");
});

it.each([
  ["Out of Memory Error: could not allocate block of size 256.0 KiB", "WAREHOUSE_FULL"],
  ["IO Error: Could not write file: No space left on device", "WAREHOUSE_FULL"],
  ["Out of Memory Error: failed to offload data block, max_temp_directory_size reached", "WAREHOUSE_FULL"],
  ["IO Error: Could not read from file", "WAREHOUSE_UNREACHABLE"],
  [
    "TransactionContext Error: Failed to commit: failed to pin block of size 256.0 KiB (488.1 MiB/488.2 MiB used)",
    "WAREHOUSE_FULL",
  ],
  ["FATAL Error: database has been invalidated", "WAREHOUSE_UNREACHABLE"],
])("%s means %s", (message, code) => {
  expect(resourceError(readEngineError(new Error(message)), "loading t")).toMatchObject({
    code,
    message: expect.stringContaining("loading t"),
  });
});

it("leaves the meaning of other errors to the statement", () => {
  const error = readEngineError(new Error("Binder Error: no such column"));
  expect(resourceError(error, "x")).toBeUndefined();
  expect(statementError(error, "loading t")).toMatchObject({ code: "WAREHOUSE_QUERY_FAILED" });
  const other = new Error("not the engine's");
  expect(statementError(other, "x")).toBe(other);
});

it("knows a conflict of two transactions", () => {
  const conflict = 'TransactionContext Error: Catalog write-write conflict on create with "x"';
  expect(isConflict(readEngineError(new Error(conflict)))).toBe(true);
  expect(isConflict(readEngineError(new Error("Binder Error: conflict of names")))).toBe(false);
});
