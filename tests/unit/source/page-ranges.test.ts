import fc from "fast-check";
import { expect, test } from "vitest";
import { pagePieces, type Part } from "../../../runtime/source/page-ranges.ts";

const part = (pages: number, bytes: number, ranged = true): Part => ({ schema: "s", name: "t", ranged, pages, bytes });

test("a table smaller than one piece, or one that has no pages, is read as a whole", () => {
  expect(pagePieces([part(100, 819_200), part(0, 0), part(0, 1e12, false)], 1 << 20).map(({ range }) => range)).toEqual(
    [undefined, undefined, undefined],
  );
});

test("TOAST counts: few pages with long values are cut finer", () => {
  expect(pagePieces([part(10, 50 << 20)], 10 << 20).map(({ range }) => range)).toEqual([
    { from: 0, to: 2 },
    { from: 2, to: 4 },
    { from: 4, to: 6 },
    { from: 6, to: 8 },
    { from: 8 },
  ]);
});

test("pieces cover every page once, from the first to beyond the last", () => {
  const parts = fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 1 << 28 })), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(parts, fc.integer({ min: 1 << 16, max: 1 << 26 }), (sizes, pieceBytes) => {
      const all = sizes.map(([pages, bytes]) => part(pages, bytes));
      const pieces = pagePieces(all, pieceBytes);
      for (const one of all) {
        const ranges = pieces.filter((piece) => piece.part === one).map(({ range }) => range ?? { from: 0 });
        expect(ranges[0]?.from).toBe(0);
        expect(ranges.at(-1)?.to).toBeUndefined();
        for (const [index, range] of ranges.slice(0, -1).entries()) expect(range.to).toBe(ranges[index + 1]?.from);
        for (const range of ranges) expect(range.to ?? Infinity).toBeGreaterThan(range.from);
      }
    }),
  );
});
