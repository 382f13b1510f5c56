/** What a path on the stage says of a file comes back as it was. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { partFolder, readStagedParts, type StagedPart } from "../../../../runtime/warehouse/snowflake/staged-parts.ts";

const LOAD = "0a1b2c3d4e5f6071";
const part = (note: string | undefined): StagedPart => ({ loadId: LOAD, opening: 2, rows: 12_345, note });
const listed = (given: StagedPart) => `incoming/${partFolder(given)}/t-rows-00001.csv.gz`;

it("gives back every note that fits", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 150, unit: "binary" }), fc.nat(), fc.nat(), (note, rows, opening) => {
      const given = { loadId: LOAD, opening, rows, note };
      expect(readStagedParts([listed(given)])).toEqual([given]);
    }),
  );
});

it("needs no quotes, and fits where a part of a path has 255 characters and all of it 1,024", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2000, unit: "binary" }), (note) => {
      const folder = partFolder(part(note));
      expect(folder).toMatch(/^[\w./]+$/);
      expect(folder).not.toMatch(/\/\.\.?(\/|$)|--|\/\//);
      expect(Math.max(...folder.split("/").map((name) => name.length))).toBeLessThanOrEqual(255);
      expect(folder.length).toBeLessThan(800);
    }),
  );
});

it("holds the ranges of a file that several readers have filled", () => {
  const ranges = Array.from({ length: 24 }, (_, i) => ({
    part: 16_384,
    file: "16384/0c1d2e3f",
    from: i * 4096,
    to: (2 * i + 1) * 2048,
    version: "123456789",
  }));
  const given = part(JSON.stringify(ranges));
  expect(readStagedParts([listed(given)])).toEqual([given]);
});

it("leaves out a note that is too long, or that cannot be read", () => {
  const long = Array.from({ length: 2000 }, (_, i) => (i * 2_654_435_761) % 4_294_967_296).join();
  expect(readStagedParts([listed(part(long))])).toEqual([{ loadId: LOAD, opening: 2, rows: 12_345 }]);
  expect(readStagedParts([`incoming/first_loads/${LOAD}/2/7/nabc/0.csv.gz`])).toMatchObject([
    { rows: 7, note: undefined },
  ]);
});

it("knows its own files from others", () => {
  expect(
    readStagedParts(["incoming/7/0a1b2c3d/0.csv.gz", "incoming/first_loads/x/1/2/0.csv", "incoming/notes"]),
  ).toEqual([]);
});
