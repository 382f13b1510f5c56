/** Digests of keys by bucket: which buckets are looked at again, and that no difference between two sets of keys hides. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chooseBuckets,
  differing,
  keyFence,
  keyNoteOf,
  readDigests,
  widened,
  writeDigests,
} from "../../../runtime/load/key-digests.ts";
import type { BucketFingerprint } from "../../../runtime/manifest/fingerprint.ts";
import { bucketOf, type KeyBuckets } from "../../../runtime/manifest/key-buckets.ts";
import type { FingerprintBasis } from "../../../runtime/source/fingerprint.ts";

const ids = (min: bigint, max: bigint): FingerprintBasis => ({
  columns: [{ name: "id", form: { as: "integer" } }],
  range: { column: "id", min, max },
  rows: 0,
  versioned: true,
});
const texts: FingerprintBasis = { columns: [{ name: "code", form: { as: "text" } }], rows: 0, versioned: true };
const shifted = (shift: number): KeyBuckets => ({ by: "range", column: "id", shift });

/** As an engine sums them up; the numbers need only be different for different keys. */
function digestsOf(keys: Iterable<bigint>, buckets: KeyBuckets): BucketFingerprint[] {
  const all = new Map<bigint, { rows: number; sum: bigint }>();
  for (const key of keys) {
    const bucket = bucketOf(buckets, key);
    const { rows, sum } = all.get(bucket) ?? { rows: 0, sum: 0n };
    all.set(bucket, { rows: rows + 1, sum: sum + key ** 3n });
  }
  return [...all].map(([bucket, { rows, sum }]) => ({ bucket, rows, key: String(sum), columns: [`${sum}/${rows}`] }));
}

const keySet = fc.uniqueArray(fc.bigInt(-3000n, 3000n), { maxLength: 60 }).map((keys) => new Set(keys));

describe("differing", () => {
  it("names exactly the buckets whose keys are not what they were with those that arrive", () => {
    fc.assert(
      fc.property(keySet, keySet, keySet, fc.integer({ min: 0, max: 13 }), (stage, gone, added, shift) => {
        const buckets = shifted(shift);
        const arriving = added.difference(stage);
        const source = stage.union(arriving).difference(gone);
        const vanished = stage.union(arriving).difference(source);
        const { only } = differing(digestsOf(stage, buckets), digestsOf(arriving, buckets), digestsOf(source, buckets));
        expect(new Set(only)).toEqual(new Set([...vanished].map((key) => bucketOf(buckets, key))));
        const counts = (keys: Iterable<bigint>) =>
          digestsOf(keys, buckets).map(({ bucket, rows }) => ({ bucket, rows, key: "0", columns: [] }));
        expect(differing(counts(stage), digestsOf(arriving, buckets), counts(source), "counts").only).toEqual(only);
      }),
    );
  });

  it("counts the rows of the larger side, and tells of rows without a key", () => {
    const before = digestsOf([1n, 2n, 3n, 100n], shifted(4));
    expect(differing(before, [], digestsOf([1n, 2n, 100n], shifted(4)))).toEqual({
      only: [0n],
      rows: 3,
      of: 4,
      keyless: false,
    });
    expect(differing([{ bucket: null, rows: 1, key: "", columns: [] }], [], before)).toMatchObject({ keyless: true });
  });
});

describe("widened", () => {
  it("gives what wider buckets would have given", () => {
    fc.assert(
      fc.property(keySet, fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }), (keys, shift, more) => {
        const wide = widened(
          { buckets: shifted(shift), by: "sums", found: digestsOf(keys, shifted(shift)) },
          shifted(shift + more),
        );
        expect(differing(wide?.found ?? [], [], digestsOf(keys, shifted(shift + more))).only).toEqual([]);
      }),
    );
  });

  it("does not give what only narrower or other buckets could", () => {
    const digests = { buckets: shifted(3), by: "counts", found: [] } as const;
    expect(widened(digests, shifted(2))).toBeUndefined();
    expect(widened(digests, { by: "range", column: "other", shift: 4 })).toBeUndefined();
    expect(widened(digests, { by: "hash", bits: 3 })).toBeUndefined();
    expect(widened({ ...digests, buckets: { by: "hash", bits: 3 } }, { by: "hash", bits: 4 })).toBeUndefined();
  });
});

describe("the number of buckets", () => {
  it("follows the rows, up to 4096, however sparse the keys are", () => {
    const shiftOf = (rows: number, max: bigint) => chooseBuckets({ basis: ids(1n, max), rows }).buckets;
    expect(shiftOf(10, 10n)).toEqual(shifted(3));
    expect(shiftOf(1_000_000, 1_000_000n)).toEqual(shifted(8));
    expect(shiftOf(5_000_000, 5_000_000n)).toEqual(shifted(11));
    expect(shiftOf(1_000_000, 2n ** 62n)).toEqual(shifted(51));
    expect(chooseBuckets({ basis: texts, rows: 1_000_000 })).toEqual({ buckets: { by: "hash", bits: 12 } });
    expect(chooseBuckets({ basis: texts, rows: 3 })).toEqual({ buckets: { by: "hash", bits: 0 } });
  });

  it("stays as it was until it is wrong by more than a factor of two", () => {
    const last = { buckets: shifted(8), spread: { min: 1n, max: 1_000_000n } };
    const after = (rows: number, max: bigint) => chooseBuckets({ basis: ids(1n, max), rows, last }).buckets;
    expect(after(1_000_001, 1_000_001n)).toEqual(shifted(8));
    expect(after(3_000_000, 3_000_000n)).toEqual(shifted(10));
    const hashed = { buckets: { by: "hash", bits: 4 } } as const;
    expect(chooseBuckets({ basis: texts, rows: 8000, last: hashed }).buckets).toEqual(hashed.buckets);
    expect(chooseBuckets({ basis: texts, rows: 100_000, last: hashed }).buckets).toEqual({ by: "hash", bits: 9 });
  });

  it("counts the keys of the last batch too, so that those of an emptied table do not lie in a bucket each", () => {
    const last = { buckets: shifted(11), spread: { min: 1n, max: 5_000_000n } };
    const emptied = chooseBuckets({ basis: ids(0n, 0n), rows: 5_000_000, last });
    expect(emptied).toEqual({ buckets: shifted(11), spread: { min: 0n, max: 0n } });
  });
});

describe("what is kept", () => {
  const digests = { buckets: shifted(4), by: "sums", found: digestsOf([1n, -20n, 300n], shifted(4)) } as const;

  it("comes back as it was, where it is what the watermark says", () => {
    const { text, digest } = writeDigests(digests);
    expect(readDigests(text, digest)).toEqual(digests);
    expect(readDigests(text.slice(0, -1), digest)).toBeUndefined();
    expect(readDigests(text.replace("27000000", "27000001"), digest)).toBeUndefined();
    expect(readDigests(text, writeDigests({ ...digests, found: [] }).digest)).toBeUndefined();
  });

  it("goes through a watermark, and is nothing where that has none or another form", () => {
    const note = { buckets: shifted(4), spread: { min: -(2n ** 63n), max: 2n ** 63n - 1n }, digest: "x" };
    const watermark = (fence: Record<string, string>) => ({ batchId: 1, cursor: null, cursorColumn: null, fence });
    expect(keyNoteOf(watermark(keyFence(note)))).toEqual(note);
    for (const keys of ["", "{", "[]", '{"buckets":{"by":"moon"}}'])
      expect(keyNoteOf(watermark({ keys }))).toBeUndefined();
    expect(keyNoteOf(watermark({}))).toBeUndefined();
  });
});
