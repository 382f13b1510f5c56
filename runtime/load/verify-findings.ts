/** From rows and buckets that differ to what a person is told: ranges of keys with their columns, and the first of the keys. */
import type { Difference, DifferingKey, Key, KeyValue } from "../core/verification.ts";
import { identityColumns, type FingerprintShape, type ValueForm } from "../manifest/fingerprint.ts";
import { bucketOf, keyRange } from "../manifest/key-buckets.ts";
import { dateText, timestampText, timeText } from "../warehouse/canonical-text.ts";
import type { RowDifference } from "./verify-rows.ts";

/** Entries of a table's differences; what lies closest together is told as one beyond that. */
const DIFFERENCES = 100;
/** Keys that are named. */
const KEYS = 100;

/** A bucket that differs, and whose rows were not looked at. */
export interface BucketDifference {
  readonly bucket: bigint | null;
  /** Names of the columns whose sums differ. */
  readonly columns: readonly string[];
}

export interface Found {
  readonly shape: FingerprintShape;
  readonly rows: readonly RowDifference[];
  readonly buckets: readonly BucketDifference[];
}

interface Entry {
  /** undefined: of a bucket. */
  readonly row?: RowDifference | undefined;
  readonly from: bigint | null;
  readonly to: bigint | null;
  readonly columns: readonly string[];
}

export function differencesOf({ shape, rows, buckets }: Found): readonly Difference[] {
  const keyless = keylessColumns({ shape, rows, buckets });
  const ranged = shape.buckets.by === "range" ? shape.buckets : undefined;
  const ofRows = rows.map((row): Entry => {
    const columns = columnsOf(shape, row, keyless);
    const key = ranged ? integerOf(row) : null;
    return { row, from: key, to: key, columns };
  });
  const ofBuckets = buckets.map(({ bucket, columns }): Entry => {
    const range = ranged && bucket !== null ? keyRange(bucket, ranged.shift) : undefined;
    return { from: range?.from ?? null, to: range?.to ?? null, columns };
  });
  const all = [...ofRows, ...ofBuckets];
  if (ranged) return rangesOf(all, (key) => bucketOf(ranged, key));
  const named = shape.table.primaryKey.length > 0 ? ofRows.slice(0, DIFFERENCES) : [];
  const rest = all.filter((entry) => !named.includes(entry));
  const entries = named.map(({ row, columns }) => {
    const key = row ? shownKey(shape, row) : null;
    return { key_from: key, key_to: key, columns };
  });
  return rest.length === 0 ? entries : [...entries, { key_from: null, key_to: null, columns: union(rest, shape) }];

  function rangesOf(entries: readonly Entry[], bucket: (key: bigint) => bigint): readonly Difference[] {
    const known = entries.filter(
      (entry): entry is Entry & { from: bigint; to: bigint } => entry.from !== null && entry.to !== null,
    );
    const sorted = known.toSorted((left, right) => (left.from < right.from ? -1 : left.from > right.from ? 1 : 0));
    const groups: { from: bigint; to: bigint; entries: Entry[] }[] = [];
    for (const entry of sorted) {
      const last = groups.at(-1);
      if (last && bucket(last.from) === bucket(entry.from)) {
        last.to = entry.to > last.to ? entry.to : last.to;
        last.entries.push(entry);
      } else groups.push({ from: entry.from, to: entry.to, entries: [entry] });
    }
    const size = Math.ceil(groups.length / DIFFERENCES);
    const merged = Array.from({ length: Math.ceil(groups.length / Math.max(1, size)) }, (_, index) =>
      groups.slice(index * size, (index + 1) * size),
    );
    const unknown = entries.filter((entry) => entry.from === null);
    return [
      ...merged.map((part) => ({
        key_from: whole(part[0]?.from ?? 0n),
        key_to: whole(part.at(-1)?.to ?? 0n),
        columns: union(
          part.flatMap((group) => group.entries),
          shape,
        ),
      })),
      ...(unknown.length === 0 ? [] : [{ key_from: null, key_to: null, columns: union(unknown, shape) }]),
    ];
  }
}

export function keysOf({ shape, rows }: Found): readonly DifferingKey[] {
  if (shape.table.primaryKey.length === 0) return [];
  const sorted = shape.buckets.by === "range" ? rows.toSorted(byInteger) : rows;
  return sorted
    .slice(0, KEYS)
    .map((row) => ({ key: shownKey(shape, row), is: row.is, columns: columnsOf(shape, row, []) }));
}

function union(entries: readonly Entry[], { table }: FingerprintShape): readonly string[] {
  const found = new Set(entries.flatMap((entry) => entry.columns));
  return table.columns.map((column) => column.name).filter((name) => found.has(name));
}

function columnsOf(
  { table, columns }: FingerprintShape,
  row: RowDifference,
  keyless: readonly string[],
): readonly string[] {
  if (table.primaryKey.length === 0) return keyless;
  if (row.columns === undefined) return table.columns.map((column) => column.name);
  const { columns: positions } = row;
  return columns.flatMap(({ name }, index) => (positions.includes(index) ? [name] : []));
}

/**
 * Without a key nobody can say which row of one side is which of the other: the columns are told whose values, all together, are not the same.
 * Where they are, only who has which of them differs, and that may be any column.
 */
function keylessColumns({ shape, rows, buckets }: Found): readonly string[] {
  const all = shape.table.columns.map((column) => column.name);
  if (shape.table.primaryKey.length > 0 || buckets.length > 0) return all;
  const columns = identityColumns(shape);
  const differing = columns.filter((_, index) => {
    const counts = new Map<string | null, number>();
    for (const { key, is } of rows) {
      const value = key[index] ?? null;
      counts.set(value, (counts.get(value) ?? 0) + (is === "missing" ? 1 : -1));
    }
    return [...counts.values()].some((count) => count !== 0);
  });
  return differing.length === 0 ? all : differing.map((column) => column.name);
}

function byInteger(left: RowDifference, right: RowDifference): number {
  const [from, to] = [integerOf(left) ?? 0n, integerOf(right) ?? 0n];
  return from < to ? -1 : from > to ? 1 : 0;
}

function integerOf({ key }: RowDifference): bigint | null {
  const [text] = key;
  return typeof text === "string" && /^-?\d+$/.test(text) ? BigInt(text) : null;
}

function shownKey(shape: FingerprintShape, { key }: RowDifference): Key {
  const parts = identityColumns(shape).map(({ name, form }, index) => {
    const zoned = shape.table.columns.some((column) => column.name === name && column.type.kind !== "timestamp_ntz");
    return shownPart(form, key[index] ?? null, zoned);
  });
  return parts.length === 1 ? (parts[0] ?? null) : parts;
}

function shownPart(form: ValueForm, text: string | null, zoned: boolean): KeyValue {
  if (text === null) return null;
  switch (form.as) {
    case "integer":
      return whole(BigInt(text));
    case "scaled":
      return form.scale === 0 ? whole(BigInt(text)) : decimal(BigInt(text), form.scale);
    case "boolean":
      return text === "1" ? "true" : "false";
    case "days":
      return dateText(BigInt(text));
    case "micros":
      return `${timestampText(BigInt(text))}${zoned ? "+00" : ""}`;
    case "clock":
      return timeText(BigInt(text));
    case "digits":
    case "text":
    case "bytes":
    case "float":
    case "json":
      return text;
  }
}

function whole(value: bigint): KeyValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function decimal(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
