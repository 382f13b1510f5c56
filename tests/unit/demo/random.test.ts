import fc from "fast-check";
import { expect, test } from "vitest";
import { between, pick, pickWeighted, seededRandom } from "../../../runtime/demo/random.ts";

test("the same seed gives the same sequence, and another seed another one", () => {
  const sequence = (seed: number): number[] => Array.from({ length: 50 }, seededRandom(seed));
  expect(sequence(1)).toEqual(sequence(1));
  expect(sequence(1)).not.toEqual(sequence(2));
  expect(new Set(sequence(1)).size).toBe(50);
});

test("numbers lie from 0 up to 1, spread over the whole range", () => {
  const random = seededRandom(3);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let n = 0; n < 10_000; n++) {
    const place = Math.floor(random() * 10);
    counts[place] = (counts[place] ?? Number.NaN) + 1;
  }
  for (const count of counts) expect(count).toBeGreaterThan(850);
  expect(counts.reduce((sum, count) => sum + count)).toBe(10_000);
});

test("a whole number between two includes both ends", () => {
  expect(between(() => 0, 3, 5)).toBe(3);
  expect(between(() => 0.999_999, 3, 5)).toBe(5);
});

test("an item without weight is never picked, and something always is", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(5), { minLength: 1 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (weights, at) => {
        fc.pre(weights.some((weight) => weight > 0));
        expect(
          pickWeighted(
            () => at,
            weights,
            (weight) => weight,
          ),
        ).toBeGreaterThan(0);
      },
    ),
  );
});

test("nothing can be picked from nothing", () => {
  expect(() => pick(() => 0, [])).toThrow(RangeError);
  expect(() =>
    pickWeighted(
      () => 0,
      [1, 2],
      () => 0,
    ),
  ).toThrow(RangeError);
});
