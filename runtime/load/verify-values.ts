/**
 * Columns whose values no two engines write or compute alike (floats, JSON): both sides are read, and compared here. The table is gone through
 * in sums by bucket first, so that memory stays flat; only the rows of buckets that differ are held.
 */
import { createHash } from "node:crypto";
import type { FingerprintColumn, FingerprintRow, FingerprintShape, ValueForm } from "../manifest/fingerprint.ts";
import { identityColumns, isSummed } from "../manifest/fingerprint.ts";
import { canonicalJson } from "../warehouse/canonical-json.ts";
import { numberText } from "../warehouse/canonical-text.ts";
import type { ChangedSince } from "../source/fingerprint-sql.ts";
import type { SourceRow } from "../source/fingerprint.ts";
import { RowComparison, type RowDifference } from "./verify-rows.ts";
import { ROWS_AT_A_TIME, type VerifyTableOptions } from "./verify-options.ts";

const BUCKETS = 4096;
/** Readings of the table to find the rows; what is left then is told without its rows. */
const READINGS = 8;
const MODULUS = 2 ** 48;

interface Sums {
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly rows: Float64Array;
}

const sums = (): Sums => ({
  first: new Float64Array(BUCKETS),
  second: new Float64Array(BUCKETS),
  rows: new Float64Array(BUCKETS),
});

export interface ValuesCompared {
  /** Of columns of the shape. */
  readonly differences: readonly RowDifference[];
  /** Whether some buckets that differ were not looked into. */
  readonly more: boolean;
}

/** @param limit rows that are enough to be found */
export async function compareValues(
  options: VerifyTableOptions,
  shape: FingerprintShape,
  changedSince: ChangedSince | undefined,
  limit: number,
): Promise<ValuesCompared> {
  const identity = identityColumns(shape);
  const columns = shape.columns.filter((column) => identity.includes(column) || !isSummed(column));
  const request = { ...shape, columns };
  const { snapshot, warehouse, signal } = options;
  const keyed = shape.table.primaryKey.length > 0;
  const readSource = (take: (rows: readonly SourceRow[]) => void) =>
    snapshot.fingerprintRows({ ...request, changedSince, signal }, (rows) =>
      take(rows.map((row) => ({ ...inOneForm(row, columns, keyed), changed: row.changed }))),
    );
  const readStage = (take: (rows: readonly FingerprintRow[]) => void) =>
    warehouse.fingerprintRows(request, (rows) => take(rows.map((row) => inOneForm(row, columns, keyed))), { signal });

  const [source, stage] = [sums(), sums()];
  let changed = 0;
  await Promise.all([
    readSource((rows) => {
      for (const row of rows) {
        if (row.changed) changed += 1;
        else add(source, row);
      }
    }),
    readStage((rows) => rows.forEach((row) => add(stage, row))),
  ]);
  const differing = Array.from({ length: BUCKETS }, (_, bucket) => bucket).filter(
    (bucket) =>
      source.first[bucket] !== stage.first[bucket] ||
      source.second[bucket] !== stage.second[bucket] ||
      source.rows[bucket] !== stage.rows[bucket],
  );
  const differences: RowDifference[] = [];
  const groups = grouped(differing, (bucket) => (source.rows[bucket] ?? 0) + (stage.rows[bucket] ?? 0));
  let read = 0;
  for (const group of groups) {
    if (read === READINGS || differences.length >= limit) break;
    read += 1;
    const wanted = new Set(group);
    const comparison = new RowComparison(keyed);
    await readSource((rows) => comparison.takeSource(rows.filter((row) => wanted.has(bucketOf(row)))));
    await readStage((rows) => comparison.takeStage(rows.filter((row) => wanted.has(bucketOf(row)))));
    comparison.finish();
    const positions = columns.map((column) => shape.columns.indexOf(column));
    // Rows that only one side has are found by the sums.
    for (const { columns: found, ...difference } of comparison.differences) {
      if (difference.is === "changed")
        differences.push({ ...difference, columns: found?.map((index) => positions[index] ?? -1) });
      else if (!keyed) differences.push(difference);
    }
  }
  return { differences: differences.slice(0, limit), more: groups.length > read };
}

function grouped(buckets: readonly number[], rowsOf: (bucket: number) => number): number[][] {
  const groups: number[][] = [];
  let rows = Infinity;
  for (const bucket of buckets) {
    rows += rowsOf(bucket);
    if (rows > ROWS_AT_A_TIME) {
      groups.push([]);
      rows = rowsOf(bucket);
    }
    groups.at(-1)?.push(bucket);
  }
  return groups;
}

function digest(value: unknown): Buffer {
  return createHash("md5").update(JSON.stringify(value)).digest();
}

const bucketOf = ({ key }: FingerprintRow): number => digest(key).readUInt16BE(0) % BUCKETS;

function add(to: Sums, row: FingerprintRow): void {
  const bucket = bucketOf(row);
  const hash = digest([row.key, row.values]);
  to.first[bucket] = ((to.first[bucket] ?? 0) + hash.readUInt32BE(0)) % MODULUS;
  to.second[bucket] = ((to.second[bucket] ?? 0) + hash.readUInt32BE(4)) % MODULUS;
  to.rows[bucket] = (to.rows[bucket] ?? 0) + 1;
}

/** A row without a key is known by all its values. */
function inOneForm(row: FingerprintRow, columns: readonly FingerprintColumn[], keyed: boolean): FingerprintRow {
  const values = row.values.map((value, index) => {
    const form = columns[index]?.form;
    return value === null || !form ? value : canonical(value, form);
  });
  return keyed ? { key: row.key, values } : { key: values, values };
}

function canonical(text: string, { as }: ValueForm): string {
  if (as === "float") return numberText(Number(text));
  return as === "json" ? jsonInOneForm(text) : text;
}

/** Warehouses keep numbers, not their digits: 2.50 is 2.5, and what has an exponent is a double. */
function jsonInOneForm(text: string): string {
  const number = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    const source = context?.source;
    if (typeof value !== "number" || source === undefined) return value;
    if (/[eE]/.test(source)) return JSON.rawJSON(numberText(value));
    return JSON.rawJSON(source.includes(".") ? source.replace(/\.?0+$/, "") : source);
  };
  try {
    return JSON.stringify(JSON.parse(canonicalJson(text), number));
  } catch {
    return text;
  }
}
