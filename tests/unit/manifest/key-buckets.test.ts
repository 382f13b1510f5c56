/** Buckets of keys: as few as asked for, in ranges that meet. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { bucketOf, hashBuckets, keyRange, keyRanges, rangeBuckets } from "../../../runtime/manifest/key-buckets.ts";

const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;
const key = fc.oneof(fc.bigInt(LOWEST, HIGHEST), fc.constantFrom(LOWEST, HIGHEST, 0n, -1n), fc.bigInt(-9n, 9n));

it("puts every key into the range of its bucket, and no more buckets between two keys than asked for", () => {
  fc.assert(
    fc.property(key, key, key, fc.integer({ min: 2, max: 5000 }), (one, other, third, most) => {
      const [min, , max] = [one, third, other].toSorted((left, right) => (left < right ? -1 : left > right ? 1 : 0));
      if (min === undefined || max === undefined) return;
      const buckets = rangeBuckets("id", { min, max }, most);
      if (buckets.by !== "range") throw new Error("not a range");
      expect(bucketOf(buckets, max) - bucketOf(buckets, min)).toBeLessThan(BigInt(most));
      const { from, to } = keyRange(bucketOf(buckets, third), buckets.shift);
      expect(from <= third && third <= to).toBe(true);
      expect(from >= LOWEST && to <= HIGHEST).toBe(true);
      expect([from, to].map((end) => bucketOf(buckets, end))).toEqual([
        bucketOf(buckets, third),
        bucketOf(buckets, third),
      ]);
    }),
  );
});

it("keeps negative keys apart from others, even where one bucket is asked for", () => {
  expect(rangeBuckets("id", { min: LOWEST, max: HIGHEST }, 1)).toEqual({ by: "range", column: "id", shift: 63 });
  expect(rangeBuckets("id", { min: 0n, max: HIGHEST }, 1)).toEqual({ by: "range", column: "id", shift: 63 });
});

it("joins neighbours into one range", () => {
  expect(keyRanges({ by: "range", column: "id", shift: 4 }, [2n, -1n, 0n, 3n])).toEqual([
    { from: -16n, to: 15n },
    { from: 32n, to: 63n },
  ]);
});

it("has about as many hashed buckets as the rows ask for", () => {
  expect(hashBuckets(0, 1000, 4096)).toEqual({ by: "hash", bits: 0 });
  expect(hashBuckets(100_000, 1000, 4096)).toEqual({ by: "hash", bits: 7 });
  expect(hashBuckets(1e9, 1000, 4096)).toEqual({ by: "hash", bits: 12 });
});
