/**
 * Where keys may have vanished: counts and sums of keys' hashes by bucket, of what the stage table had and of what the source has now. A bucket in
 * which they agree holds the same keys on both sides, but for one chance in about 2^58. Where every row has been read whose version the last batch
 * did not see, counts alone tell, and leave nothing to chance: each key that is new was read, so a bucket which has as many as it had, and as many
 * more as have arrived, has lost none.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { BucketFingerprint } from "../manifest/fingerprint.ts";
import { hashBuckets, rangeBuckets, type KeyBuckets, type KeySpread } from "../manifest/key-buckets.ts";
import type { FingerprintBasis } from "../source/fingerprint.ts";
import type { Watermark } from "../warehouse/warehouse.ts";

/** Rows of a bucket, where the table has no more than a million: so many keys are read for each one that has vanished. */
const ROWS_A_BUCKET = 256;
const MOST_BUCKETS = 4096;

/** What buckets are compared by. */
export type ComparedBy = "sums" | "counts";

export interface KeyDigests {
  readonly buckets: KeyBuckets;
  /** `counts`: the sums are empty. */
  readonly by: ComparedBy;
  readonly found: readonly BucketFingerprint[];
}

const bigint = z
  .string()
  .regex(/^-?\d+$/)
  .transform(BigInt);
const range = z.object({ by: z.literal("range"), column: z.string(), shift: z.number().int().nonnegative() });
const hash = z.object({ by: z.literal("hash"), bits: z.number().int().nonnegative() });
const buckets = z.discriminatedUnion("by", [range, hash]);
const note = z.object({
  buckets,
  /** Lowest and highest key, of keys that are ranges. */
  spread: z.object({ min: bigint, max: bigint }).optional(),
  /** What the digests come to; absent where none were taken. */
  digest: z.string().optional(),
});

/** What a watermark says of its batch's keys; it commits with the rows. */
export type KeyNote = z.infer<typeof note>;

export function keyFence({ spread, ...rest }: KeyNote): { readonly keys: string } {
  const bounds = spread && { spread: { min: String(spread.min), max: String(spread.max) } };
  return { keys: JSON.stringify({ ...rest, ...bounds }) };
}

/** undefined where the batch compared no keys. */
export function keyNoteOf({ fence }: Watermark): KeyNote | undefined {
  const text = fence["keys"];
  if (text === undefined) return undefined;
  try {
    return note.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export interface BucketChoice {
  readonly basis: FingerprintBasis;
  /** Of the source's table, about. */
  readonly rows: number;
  readonly last?: KeyNote | undefined;
}

/**
 * About a bucket for every 256 rows, and at most 4096. Ranges are chosen for the keys of the last batch as well, which the stage table still has:
 * were only the source's counted, the keys of a table that has been emptied would lie in a bucket each. What is good enough stays as it was, so
 * that digests can be compared.
 */
export function chooseBuckets({ basis, rows, last }: BucketChoice): Pick<KeyNote, "buckets" | "spread"> {
  const most = Math.min(MOST_BUCKETS, Math.max(1, Math.ceil(rows / ROWS_A_BUCKET)));
  const before = last?.buckets;
  if (!basis.range) {
    const wanted = hashBuckets(rows, ROWS_A_BUCKET, MOST_BUCKETS);
    if (wanted.by !== "hash" || before?.by !== "hash") return { buckets: wanted };
    return { buckets: wanted.bits > before.bits + 1 || wanted.bits < before.bits ? wanted : before };
  }
  const { column } = basis.range;
  const known = before?.by === "range" && before.column === column ? before : undefined;
  const spread = known && last?.spread ? union(basis.range, last.spread) : basis.range;
  const wanted = rangeBuckets(column, spread, most);
  const stays = known && wanted.by === "range" && wanted.shift <= known.shift && wanted.shift >= known.shift - 1;
  // The next batch's stage table has only the keys that the source has now.
  return { buckets: stays ? known : wanted, spread: { min: basis.range.min, max: basis.range.max } };
}

const union = (left: KeySpread, right: KeySpread): KeySpread => ({
  min: left.min < right.min ? left.min : right.min,
  max: left.max > right.max ? left.max : right.max,
});

/** The same digests by wider buckets; undefined where they cannot be had from these. */
export function widened({ buckets: from, by: compared, found }: KeyDigests, to: KeyBuckets): KeyDigests | undefined {
  const by = distance(from, to);
  if (by === undefined || by < 0) return undefined;
  if (by === 0) return { buckets: to, by: compared, found };
  const wide = found.map((one) => ({ ...one, bucket: one.bucket === null ? null : one.bucket >> BigInt(by) }));
  return { buckets: to, by: compared, found: [...sums(wide).values()] };
}

function distance(from: KeyBuckets, to: KeyBuckets): number | undefined {
  if (from.by === "range") return to.by === "range" && to.column === from.column ? to.shift - from.shift : undefined;
  return to.by === "hash" ? from.bits - to.bits : undefined;
}

/** By bucket, added up. */
function sums(all: readonly BucketFingerprint[]): Map<bigint | null, BucketFingerprint> {
  const totals = new Map<bigint | null, BucketFingerprint>();
  for (const one of all) {
    const before = totals.get(one.bucket);
    totals.set(one.bucket, before ? plus(before, one) : one);
  }
  return totals;
}

function plus(left: BucketFingerprint, right: BucketFingerprint): BucketFingerprint {
  return {
    bucket: left.bucket,
    rows: left.rows + right.rows,
    key: add(left.key, right.key),
    columns: left.columns.map((column, index) => {
      const [sum = "0", count = "0"] = column.split("/");
      const [more = "0", counted = "0"] = (right.columns[index] ?? "").split("/");
      return `${add(sum, more)}/${add(count, counted)}`;
    }),
  };
}

const add = (left: string, right: string): string => String(BigInt(left || "0") + BigInt(right || "0"));

export interface BucketsThatDiffer {
  readonly only: readonly bigint[];
  /** Of whichever side has more in them. */
  readonly rows: number;
  /** Of whichever side has more in all buckets. */
  readonly of: number;
  /** Whether rows without a key are among them, which no bucket stands for. */
  readonly keyless: boolean;
}

/** @param before what the stage table had; `arriving` are the keys that this batch adds to it */
export function differing(
  before: readonly BucketFingerprint[],
  arriving: readonly BucketFingerprint[],
  now: readonly BucketFingerprint[],
  by: ComparedBy = "sums",
): BucketsThatDiffer {
  const textOf = by === "sums" ? sumsOf : rowsOf;
  const here = sums([...before, ...arriving]);
  const there = sums(now);
  const only = [...new Set([...here.keys(), ...there.keys()])].filter(
    (bucket) => textOf(here.get(bucket)) !== textOf(there.get(bucket)),
  );
  const larger = (bucket: bigint | null) => Math.max(here.get(bucket)?.rows ?? 0, there.get(bucket)?.rows ?? 0);
  return {
    only: only.filter((bucket) => bucket !== null),
    rows: only.reduce((sum, bucket) => sum + larger(bucket), 0),
    of: Math.max(countOf(here.values()), countOf(there.values())),
    keyless: here.has(null) || there.has(null),
  };
}

const rowsOf = (one: BucketFingerprint | undefined): string => String(one?.rows ?? 0);
const sumsOf = (one: BucketFingerprint | undefined): string =>
  one && one.rows > 0 ? [one.rows, one.key, ...one.columns].join(" ") : "";

export function countOf(all: Iterable<BucketFingerprint>): number {
  let count = 0;
  for (const { rows } of all) count += rows;
  return count;
}

const row = z.tuple([z.string().regex(/^-?\d+$/), z.number().int(), z.string()], z.string());
const file = z.object({ buckets, by: z.enum(["sums", "counts"]), found: z.array(row) });

/** As text, with what it is known by in a watermark. */
export function writeDigests({ buckets: within, by, found }: KeyDigests): {
  readonly text: string;
  readonly digest: string;
} {
  const lines = found.map(({ bucket, rows, key, columns }) => [String(bucket), rows, key, ...columns]);
  const text = JSON.stringify({ buckets: within, by, found: lines });
  return { text, digest: digestOf(text) };
}

/** undefined if the text is not the one that was written. */
export function readDigests(text: string, digest: string): KeyDigests | undefined {
  if (digestOf(text) !== digest) return undefined;
  const read = file.safeParse(JSON.parse(text));
  if (!read.success) return undefined;
  return {
    buckets: read.data.buckets,
    by: read.data.by,
    found: read.data.found.map(([bucket, rows, key, ...columns]) => ({ bucket: BigInt(bucket), rows, key, columns })),
  };
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url");
