/** How the rows of a table are divided into buckets by their key: one definition, which source and warehouse put into SQL of their own. */
import { columnOf, type ManifestTable } from "./manifest.ts";
import type { PostgresType } from "./postgres-type.ts";

/**
 * `range`: of a single integer key; the bucket is floor(key / 2^shift), so a bucket is a range of keys, and never moves when the table grows.
 * `hash`: of every other key; the bucket is the first `bits` bits of the key's number, which is 60 bits of an MD5 (see `fingerprint.ts`).
 */
export type KeyBuckets =
  | { readonly by: "range"; readonly column: string; readonly shift: number }
  | { readonly by: "hash"; readonly bits: number };

/** Bits of a hashed key's number. */
export const KEY_BITS = 60;

const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;

const INTEGERS = new Set(["int2", "int4", "int8", "oid"]);

/** The key column whose values the buckets can be ranges of; undefined where they are hashed. */
export function rangeColumn(table: ManifestTable, typeOf: (column: string) => PostgresType): string | undefined {
  const [name, ...more] = table.primaryKey;
  if (name === undefined || more.length > 0) return undefined;
  const { type } = columnOf(table, name);
  return type.kind === "number" && type.scale === 0 && INTEGERS.has(typeOf(name).name) ? name : undefined;
}

export interface KeySpread {
  readonly min: bigint;
  readonly max: bigint;
}

/**
 * Ranges so wide that keys between `min` and `max` lie in at most `most` of them, however sparse they are; a key outside makes one more. Two at
 * least: no range holds keys on both sides of zero.
 *
 * `rangeBuckets("id", {min: 1n, max: 5_000_000n}, 4096)` has ranges of 2048 keys.
 */
export function rangeBuckets(column: string, { min, max }: KeySpread, most: number): KeyBuckets {
  const limit = BigInt(Math.max(2, most));
  let shift = 0;
  while ((max >> BigInt(shift)) - (min >> BigInt(shift)) >= limit) shift += 1;
  return { by: "range", column, shift };
}

/** About one bucket for `rows / size` rows, in a power of two, at most `most`. */
export function hashBuckets(rows: number, size: number, most: number): KeyBuckets {
  const wanted = Math.min(most, Math.max(1, rows / size));
  return { by: "hash", bits: Math.min(KEY_BITS, Math.ceil(Math.log2(wanted))) };
}

/** The keys of a bucket that is a range: from and to, both in it, within 64 bits. */
export function keyRange(bucket: bigint, shift: number): { readonly from: bigint; readonly to: bigint } {
  const width = 1n << BigInt(shift);
  const from = bucket * width;
  const to = from + width - 1n;
  return { from: from < LOWEST ? LOWEST : from, to: to > HIGHEST ? HIGHEST : to };
}

/** The bucket of a key, or of a hashed key's number. */
export function bucketOf(buckets: KeyBuckets, key: bigint): bigint {
  return key >> BigInt(buckets.by === "range" ? buckets.shift : KEY_BITS - buckets.bits);
}

/** Ranges that are worth to be looked up one by one; more are told by the numbers of their buckets, which is one look for each row. */
const MOST_RANGES = 64;

/**
 * How rows of some buckets are asked for: by ranges of their keys (or of keys' numbers), where those are few, which an index or the bounds of a
 * block can use; else by the range around all of them, and the buckets' own numbers.
 */
export function keyCondition(buckets: KeyBuckets, wanted: readonly bigint[]): KeyCondition {
  const ranges = keyRanges(buckets, wanted);
  const [first, last] = [ranges.at(0), ranges.at(-1)];
  if (!first || !last) return { ranges: [] };
  if (buckets.by === "range" && ranges.length <= MOST_RANGES) return { ranges };
  return {
    ranges: buckets.by === "range" ? [{ from: first.from, to: last.to }] : undefined,
    buckets: [...new Set(wanted)].toSorted((left, right) => (left < right ? -1 : 1)),
  };
}

export interface KeyCondition {
  /** Both ends in it; none: no row. Undefined: any. */
  readonly ranges?: readonly { readonly from: bigint; readonly to: bigint }[] | undefined;
  /** Undefined: any. */
  readonly buckets?: readonly bigint[] | undefined;
}

/** Buckets as few ranges of keys (or of keys' numbers), neighbours together. */
export function keyRanges(
  buckets: KeyBuckets,
  wanted: readonly bigint[],
): { readonly from: bigint; readonly to: bigint }[] {
  const shift = buckets.by === "range" ? buckets.shift : KEY_BITS - buckets.bits;
  const ranges: { from: bigint; to: bigint }[] = [];
  for (const bucket of wanted.toSorted((left, right) => (left < right ? -1 : left > right ? 1 : 0))) {
    const range = keyRange(bucket, shift);
    const last = ranges.at(-1);
    if (last && range.from <= last.to + 1n) last.to = range.to;
    else ranges.push(range);
  }
  return ranges;
}
