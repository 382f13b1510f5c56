import fc from "fast-check";
import { expect, it } from "vitest";
import { RowLengths, rowBound } from "../../../../runtime/warehouse/duckdb/longest-row.ts";
import { manifestTable } from "../../../support/manifest-table.ts";

const row = fc.array(fc.oneof(fc.constantFrom("", "1", '""', '"a\n""b"', '"\r\n\n"'), fc.integer().map(String)), {
  minLength: 1,
});

it("finds the longest row wherever the pieces are cut", () => {
  fc.assert(
    fc.property(fc.array(row), fc.array(fc.nat({ max: 20 })), (rows, cuts) => {
      const lines = rows.map((cells) => Buffer.from(`${cells.join(",")}\n`));
      let rest = Buffer.concat(lines);
      const lengths = new RowLengths();
      for (const cut of cuts) {
        lengths.take(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      }
      lengths.take(rest);
      expect(lengths.longest()).toBe(Math.max(0, ...lines.map((line) => line.length)));
    }),
  );
});

it("counts a row that never ends", () => {
  const lengths = new RowLengths();
  lengths.take(Buffer.from('1\n"abc\n'));
  expect(lengths.longest()).toBe(5);
});

it("bounds the rows of a table by its types", () => {
  const bounded = manifestTable({ name: "a", columns: { id: "integer", name: "varchar(10)", data: "binary(3)" } });
  expect(rowBound(bounded.columns)).toBe(1 + 41 + 43 + 9);
  expect(rowBound(manifestTable({ name: "b", columns: { doc: "variant" } }).columns)).toBe(Infinity);
});
