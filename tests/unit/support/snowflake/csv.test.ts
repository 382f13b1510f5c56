/** The test server's own reader of staged files. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refused } from "../../../support/snowflake/copy-check.ts";
import type { CsvFormat } from "../../../support/snowflake/copy-options.ts";
import { CsvParser, readCsv, type CsvRecord } from "../../../support/snowflake/csv.ts";

const FORMAT: CsvFormat = {
  delimiter: ",",
  skipHeader: 0,
  enclosedBy: '"',
  escapeUnenclosed: undefined,
  nullIf: [],
  emptyAsNull: true,
  trimSpace: false,
  countMismatchIsError: true,
  skipBlankLines: false,
};

function parse(pieces: readonly string[], format: Partial<CsvFormat> = {}): CsvRecord[] {
  const parser = new CsvParser({ ...FORMAT, ...format });
  return [...pieces.flatMap((piece) => [...parser.take(piece)]), ...parser.end()];
}

const cells = (records: readonly CsvRecord[]) => records.map(({ fields }) => fields.map(({ value }) => value));

describe("a file", () => {
  it.each(["gone.csv", "gone.csv.gz"])("that has vanished is an error: %s", async (name) => {
    const read = readCsv(`/nonexistent/${name}`, FORMAT);
    await expect(read.next()).rejects.toThrow("ENOENT");
  });

  it("gives back what was written, wherever it is cut into pieces", () => {
    const cell = fc.oneof(
      fc.constant(null),
      fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "\\", "é") }),
    );
    const rows = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 5 }));
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 7 }), (written, size) => {
        const text = written
          .map((row) => `${row.map((value) => (value === null ? "" : `"${value.replaceAll('"', '""')}"`)).join(",")}\n`)
          .join("");
        const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
        expect(cells(parse(pieces))).toEqual(written);
      }),
    );
  });

  it("says where each row and value begins", () => {
    const records = parse(['1,"a\nb"\n22,c,d\n']);
    expect(records.map(({ row, line }) => [row, line])).toEqual([
      [1, 1],
      [2, 3],
    ]);
    expect(records[1]?.fields.map(({ line, character }) => [line, character])).toEqual([
      [3, 1],
      [3, 4],
      [3, 6],
    ]);
  });

  it("says what is wrong with quotes", () => {
    expect(parse(['1,"a'])).toMatchObject([{ unclosed: true }]);
    expect(parse(['1,"a"b,c\n'])).toMatchObject([{ unclosed: false, found: "b" }]);
  });

  it("is read by its format", () => {
    const text = [String.raw`\N,"\N",a\,b, x ,` + "\n"];
    expect(cells(parse(text))).toEqual([[String.raw`\N`, String.raw`\N`, "a\\", "b", " x ", null]]);
    expect(
      cells(parse(text, { escapeUnenclosed: "\\", nullIf: ["\\N"], emptyAsNull: false, trimSpace: true })),
    ).toEqual([[null, null, "a,b", "x", ""]]);
    expect(cells(parse(['"a"|b\n'], { delimiter: "|", enclosedBy: undefined }))).toEqual([['"a"', "b"]]);
  });
});

describe("a value", () => {
  const decimal = { kind: "number", precision: 5, scale: 2 } as const;

  it.each([
    ["999.99", undefined],
    ["-999.994", undefined],
    ["999.995", "100039"],
    ["1e2", undefined],
    ["1e3", "100039"],
    [".5", undefined],
    ["", "100038"],
    ["1,5", "100038"],
    ["NaN", "100038"],
  ])("%j of NUMBER(5,2) is refused with %j", (text, code) => {
    expect(refused(text, decimal)?.code).toBe(code);
  });

  it.each([
    ["2024-02-29", undefined],
    ["2023-02-29", "100040"],
    ["0000-01-01", "100040"],
    ["0044-03-15 BC", "100040"],
    ["infinity", "100040"],
  ])("%j of DATE is refused with %j", (text, code) => {
    expect(refused(text, { kind: "date" })?.code).toBe(code);
  });

  it("keeps every number that fits its digits", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 99_999n }), (digits) => {
        const text = String(digits).padStart(3, "0");
        expect(refused(`${text.slice(0, -2)}.${text.slice(-2)}`, decimal)).toBeUndefined();
      }),
    );
  });
});
