/**
 * What a fingerprint is: per bucket and column a sum over the rows that PostgreSQL and every warehouse compute alike, from the stored values.
 *
 * A value becomes a whole number v of 64 bits (see `ValueForm`), a row's key a number that weighs it, so that swapped values show:
 * ```
 * p = 1073741789, M = 2^30
 * k  = (key % p + p + 618033988) % p;   w1 = k*k % p * k % p + 1;   w2 = (w1 >> 2) + 1;   w3 = (w1*7919 + 12345) % 268435399
 * lo = v & (M-1);  hi = v >> 30;   column = Σ coalesce(w1*lo + w2*hi, w3), and count(v);   rows: count(*) and Σ w1
 * ```
 * Products fit 64 bits, sums need 128. A weight that is linear in the key misses pairs of changes. It is no defence against somebody who looks
 * for changes that cancel out.
 */
import type { ManifestTable } from "./manifest.ts";
import type { KeyBuckets } from "./key-buckets.ts";
import type { PostgresType } from "./postgres-type.ts";
import type { WarehouseType } from "./warehouse-type.ts";

/** The constants of the formula. */
export const WEIGHT = {
  prime: 1_073_741_789,
  offset: 618_033_988,
  mask: 1_073_741_823,
  bits: 30,
  nullFactor: 7919,
  nullOffset: 12_345,
  nullPrime: 268_435_399,
} as const;

/**
 * What stands for a value that no number of its form stands for: a stage value which the load cannot have written (an infinite timestamp, an
 * integer beyond 64 bits). NULL has none.
 */
export const BEYOND = 9_223_372_036_854_775_807n;

/**
 * How a value becomes v. `integer`: as it is. `scaled`: times 10^scale. `digits`: MD5 of the number with all digits of its scale, for more than
 * 18 of them, or more than 9 behind the point. `boolean`: 0 or 1. `days` and `micros`: since 1970. `clock`: microseconds since midnight. `text`: MD5; `bytes`: MD5 of the
 * lower-case hex. Of an MD5 the last 60 bits count. `float` and `json`: none, because no two engines write them alike; those values are compared
 * one by one.
 */
export type ValueForm =
  | { readonly as: "integer" | "boolean" | "days" | "micros" | "clock" | "text" | "bytes" | "float" | "json" }
  | { readonly as: "scaled" | "digits"; readonly scale: number };

export interface FingerprintColumn {
  readonly name: string;
  readonly form: ValueForm;
}

/** What is asked of both sides. */
export interface FingerprintShape {
  readonly table: ManifestTable;
  readonly buckets: KeyBuckets;
  /** Of all columns of the table, by which keys are read too. */
  readonly columns: readonly FingerprintColumn[];
}

/** The rows of some buckets. */
export interface KeySelection extends Omit<FingerprintShape, "table"> {
  readonly only: readonly bigint[];
}

/** One bucket of one side. */
export interface BucketFingerprint {
  /** null: rows whose key is NULL. */
  readonly bucket: bigint | null;
  readonly rows: number;
  /** Σ w1. */
  readonly key: string;
  /** By the columns that have sums, in the shape's order: sum and count of values that are not NULL. */
  readonly columns: readonly string[];
}

/** One row of one side, for what sums cannot tell. */
export interface FingerprintRow {
  /** The key's own numbers and texts, in the key's order; of all columns where the table has no key. */
  readonly key: readonly (string | null)[];
  /** By column of the request: v, or the value's text in one form (`float`, `json`). */
  readonly values: readonly (string | null)[];
}

const INTEGERS = new Set(["int2", "int4", "int8", "oid"]);
/** Digits that a whole number of 64 bits always has room for. */
const SAFE_DIGITS = 18;
/** Digits behind the point that are made whole by a factor: DuckDB's products of decimals have no room for more. */
const SAFE_SCALE = 9;

/** @param source type of the column in PostgreSQL, which fits the target */
export function valueForm(source: PostgresType, target: WarehouseType): ValueForm {
  switch (target.kind) {
    case "number":
      if (target.precision <= SAFE_DIGITS && target.scale <= SAFE_SCALE) return { as: "scaled", scale: target.scale };
      if (INTEGERS.has(source.name) && target.scale === 0) return { as: "integer" };
      return { as: "digits", scale: target.scale };
    case "varchar":
      return { as: "text" };
    case "binary":
      return { as: "bytes" };
    case "boolean":
      return { as: "boolean" };
    case "date":
      return { as: "days" };
    case "time":
      return { as: "clock" };
    case "timestamp_ltz":
    case "timestamp_ntz":
    case "timestamp_tz":
      return { as: "micros" };
    case "float":
      return { as: "float" };
    case "variant":
      return { as: "json" };
  }
}

/** Whether the engines compute v alike. */
export function isSummed({ form }: FingerprintColumn): boolean {
  return form.as !== "float" && form.as !== "json";
}

/**
 * The columns that a row is known by: those of the key, or all where there is none. A part of the key that has no number is left out, so that
 * rows which differ in nothing else are known by one name.
 */
export function identityColumns({ table, columns }: Pick<FingerprintShape, "table" | "columns">): FingerprintColumn[] {
  if (table.primaryKey.length === 0) return columns.filter(isSummed);
  return table.primaryKey.flatMap((name) => columns.find((column) => column.name === name && isSummed(column)) ?? []);
}

/** Whether v of a column is a hash already, so that a key of this column alone needs no second one. */
export function isHashed({ form }: FingerprintColumn): boolean {
  return form.as === "text" || form.as === "bytes" || form.as === "digits";
}
