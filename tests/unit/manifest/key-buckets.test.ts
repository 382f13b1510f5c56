/** Buckets of keys: as few as asked for, in ranges that meet. */
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  bucketOf,
  hashBuckets,
  keyCondition,
  keyRange,
  keyRanges,
  rangeBuckets,
} from "../../../runtime/manifest/key-buckets.ts";

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
      expect(bucketOf(buckets, max) - bucketOf(buckets, min)).toBeLessThan(BigInt(Math.max(2, most)));
      expect(buckets.shift).toBeLessThan(64);
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

it("ends where keys lie on both sides of zero and one bucket is asked for", () => {
  expect(rangeBuckets("id", { min: -1n, max: 0n }, 1)).toEqual({ by: "range", column: "id", shift: 0 });
  expect(rangeBuckets("id", { min: LOWEST, max: HIGHEST }, 1)).toEqual({ by: "range", column: "id", shift: 63 });
});

it("joins neighbours into one range", () => {
  expect(keyRanges({ by: "range", column: "id", shift: 4 }, [2n, -1n, 0n, 3n])).toEqual([
    { from: -16n, to: 15n },
    { from: 32n, to: 63n },
  ]);
});

it("asks for exactly the keys of the buckets, by ranges or by the buckets' numbers", () => {
  const few = fc.uniqueArray(fc.bigInt(-40n, 40n), { maxLength: 20 });
  const many = fc.uniqueArray(fc.bigInt(-400n, 400n), { minLength: 150, maxLength: 200 });
  fc.assert(
    fc.property(fc.oneof(few, many), key, fc.constantFrom(0, 3, 40), (wanted, some, shift) => {
      const buckets = { by: "range", column: "id", shift } as const;
      const condition = keyCondition(buckets, wanted);
      for (const one of [some, ...wanted.map((bucket) => keyRange(bucket, shift).from)]) {
        const bucket = bucketOf(buckets, one);
        const inRange = condition.ranges?.some(({ from, to }) => from <= one && one <= to) ?? true;
        expect(inRange && (condition.buckets?.includes(bucket) ?? true)).toBe(wanted.includes(bucket));
      }
      expect(condition.ranges?.length ?? 0).toBeLessThanOrEqual(64);
    }),
  );
  expect(keyCondition({ by: "hash", bits: 4 }, [3n, 1n])).toEqual({ ranges: undefined, buckets: [1n, 3n] });
  expect(keyCondition({ by: "hash", bits: 4 }, [])).toEqual({ ranges: [] });
});

it("has about as many hashed buckets as the rows ask for", () => {
  expect(hashBuckets(0, 1000, 4096)).toEqual({ by: "hash", bits: 0 });
  expect(hashBuckets(100_000, 1000, 4096)).toEqual({ by: "hash", bits: 7 });
  expect(hashBuckets(1e9, 1000, 4096)).toEqual({ by: "hash", bits: 12 });
});
