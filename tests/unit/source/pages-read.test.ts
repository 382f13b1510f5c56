import fc from "fast-check";
import { expect, test } from "vitest";
import { remainingPieces, type Part } from "../../../runtime/source/page-ranges.ts";
import { noteOf, readNotes, segmentsOf, type PagesRead } from "../../../runtime/source/pages-read.ts";

const part: Part = { schema: "s", name: "t", oid: 7, ranged: true, pages: 100, bytes: 100 * 8192 };
const read = (from: number, to: number | undefined, version: string): PagesRead => ({
  part: 7,
  file: "1",
  from,
  to,
  version,
});

const anyRead = fc
  .tuple(fc.nat(120), fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }), fc.integer({ min: 1, max: 9 }))
  .map(([from, length, version]) => read(from, length === undefined ? undefined : from + length, String(version)));

/** The latest snapshot at which the page was read. */
function versionOf(all: readonly PagesRead[], page: number): string | undefined {
  const found = all
    .filter(({ from, to }) => from <= page && (to === undefined || page < to))
    .map(({ version }) => version);
  return found.toSorted().at(-1);
}

test("each page is in one segment, with the latest snapshot that it was read at", () => {
  fc.assert(
    fc.property(fc.array(anyRead, { maxLength: 12 }), (all) => {
      const segments = segmentsOf(all);
      expect(segments[0]?.from).toBe(0);
      expect(segments.at(-1)?.to).toBeUndefined();
      for (const [index, segment] of segments.slice(0, -1).entries())
        expect(segment.to).toBe(segments[index + 1]?.from);
      for (let page = 0; page < 200; page += 1) {
        const [segment, ...more] = segments.filter(({ from, to }) => from <= page && (to === undefined || page < to));
        expect(more).toEqual([]);
        expect(segment?.version).toBe(versionOf(all, page));
      }
    }),
  );
});

test("what is left to read covers every page once, what was never read comes first", () => {
  fc.assert(
    fc.property(fc.array(anyRead, { maxLength: 12 }), fc.integer({ min: 1, max: 40 }), (all, pages) => {
      const pieces = remainingPieces([part], all, pages * 8192);
      for (let page = 0; page < 200; page += 1) {
        const [piece, ...more] = pieces.filter(({ range }) => {
          const { from, to } = range ?? { from: 0 };
          return from <= page && (to === undefined || page < to);
        });
        expect(more).toEqual([]);
        expect(piece?.since).toBe(versionOf(all, page));
      }
      const firstKnown = pieces.findIndex(({ since }) => since !== undefined);
      if (firstKnown >= 0) expect(pieces.slice(firstKnown).every(({ since }) => since !== undefined)).toBe(true);
    }),
  );
});

test("pages that were never read are cut as fine as before, those that were are not", () => {
  expect(
    remainingPieces([part], [read(0, 80, "5")], 10 * 8192).map(({ range, since }) => ({ ...range, since })),
  ).toEqual([{ from: 80, to: 90 }, { from: 90 }, { from: 0, to: 80, since: "5" }]);
});

test("pages of another part say nothing", () => {
  const other = { ...part, oid: 8 };
  expect(remainingPieces([other], [read(0, undefined, "5")], 1e9)).toEqual([{ part: other, range: undefined }]);
});

test("a note gives back what was noted, ranges that follow on each other as one", () => {
  const all = [read(30, undefined, "5"), read(0, 10, "5"), read(10, 20, "5"), { ...read(0, 5, "5"), part: 9 }];
  expect(readNotes([noteOf(all)])).toEqual([
    { part: 7, file: "1", from: 0, to: 20, version: "5" },
    { part: 7, file: "1", from: 30, version: "5" },
    { part: 9, file: "1", from: 0, to: 5, version: "5" },
  ]);
});

test("what `noteOf` has not written is refused", () => {
  for (const note of ["", "{}", '[{"part":1}]', '[{"part":1,"file":1,"from":-1,"version":"1"}]']) {
    expect(() => readNotes([note])).toThrow();
  }
});
