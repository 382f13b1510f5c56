/** Which rows' keys lie in chosen buckets, in the SQL that both warehouses share. */
import type { FingerprintShape } from "../manifest/fingerprint.ts";
import { keyRanges } from "../manifest/key-buckets.ts";

type Chosen = Pick<FingerprintShape, "buckets"> & { readonly only?: readonly bigint[] | undefined };

/** A WHERE for a table that has the key's column; empty where all buckets are wanted, or the keys are hashed. @param name quotes the column */
export function whereInRanges({ buckets, only }: Chosen, name: (column: string) => string): string {
  if (!only || buckets.by === "hash") return "";
  return ` WHERE ${between(name(buckets.column), keyRanges(buckets, only))}`;
}

/** The same for keys that are hashed. @param key their number, in SQL */
export function whereHashed({ buckets, only }: Chosen, key: string): string {
  return only && buckets.by === "hash" ? ` WHERE ${between(key, keyRanges(buckets, only))}` : "";
}

export function between(column: string, ranges: readonly { readonly from: bigint; readonly to: bigint }[]): string {
  if (ranges.length === 0) return "FALSE";
  return `(${ranges.map(({ from, to }) => `${column} BETWEEN ${from} AND ${to}`).join(" OR ")})`;
}
