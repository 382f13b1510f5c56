/**
 * One table of a verification: sums of both sides by bucket and column, then the rows of the buckets that differ.
 *
 * The stage table is as of the last batch, and the source goes on. A row whose version came after that batch is told by its xmin, and is not
 * compared; a row that only the stage table has may have been deleted since, so the counts of the batch decide (see docs/decisions/0020).
 */
import { bothAtOnce } from "../core/concurrency.ts";
import type { TableVerification } from "../core/verification.ts";
import { isSummed, type BucketFingerprint, type FingerprintShape } from "../manifest/fingerprint.ts";
import { hashBuckets, rangeBuckets, type KeyBuckets } from "../manifest/key-buckets.ts";
import { keepsDeleted, keepsRows } from "../manifest/manifest.ts";
import type { ChangedSince } from "../source/fingerprint-sql.ts";
import type { FingerprintBasis } from "../source/fingerprint.ts";
import type { Since } from "../source/source.ts";
import { loadScope } from "./scope.ts";
import { ROWS_AT_A_TIME, type VerifyTableOptions } from "./verify-options.ts";
import { groundOf } from "./verified-ground.ts";
import { differencesOf, keysOf, type BucketDifference, type Found } from "./verify-findings.ts";
import { RowComparison, type RowDifference } from "./verify-rows.ts";
import { compareValues } from "./verify-values.ts";

/** Buckets at first. 5 M rows make 4096 of some 1,200, which are read row by row in an instant. */
const BUCKETS = 4096;
const ROWS_A_BUCKET = 1000;
/** Rows that differ and are looked for one by one; beyond that, buckets are told. */
const ROWS_FOUND = 1000;
/** Into how many parts a bucket with more rows than can be held is divided, as a power of two. */
const SPLIT_BITS = 6;

export interface VerifiedTable {
  readonly found: Omit<TableVerification, "seconds">;
  /** Whether the stage table has rows that no merge by key can put right: they stand there twice, or have no key. */
  readonly unmergeable: boolean;
}

/** @throws NovaError of the source or the warehouse */
export async function verifyTable(options: VerifyTableOptions): Promise<VerifiedTable> {
  const { table, snapshot, warehouse, watermark, signal, progress } = options;
  const basis = await snapshot.fingerprintBasis(table, signal);
  const ground = groundOf(watermark);
  const { since: next } = loadScope(snapshot, table, watermark, undefined);
  const changedSince =
    basis.versioned && ground.changedSince !== undefined ? { horizon: ground.changedSince, next } : undefined;
  if (changedSince === undefined) {
    options.log(
      basis.versioned
        ? `batch ${watermark.batchId} did not say what it had seen: rows that have changed since count as differences; the next batch says it`
        : "its rows have no versions: those that have changed since the last batch count as differences",
      "warn",
    );
  }
  const shape = { table, columns: basis.columns, buckets: firstBuckets(basis) };
  const [source, stage] = await bothAtOnce(
    signal,
    (stop) => snapshot.fingerprint({ ...shape, changedSince, progress, signal: stop }),
    (stop) => warehouse.fingerprint(shape, { signal: stop }),
  );
  const rowsSource = countOf(source.buckets) + source.changed;
  const rowsStage = countOf(stage);
  const search: Search = { options, shape, changedSince, rows: [], suspects: [], buckets: [], keyless: false };
  await searchBuckets(search, compare(source.buckets, stage));
  if (!basis.columns.every(isSummed)) await searchValues(search);
  const only = onlyInStage(search, { rowsStage, rowsThen: ground.rows, next });
  const found: Found = {
    shape,
    rows: [...search.rows, ...only.rows],
    buckets: search.buckets,
  };
  const keys = keysOf(found);
  return {
    found: {
      name: table.name,
      rows_source: rowsSource,
      rows_stage: rowsStage,
      rows_changed_since: source.changed,
      ...(only.deferred > 0 && { deletes_deferred: only.deferred }),
      equal: found.rows.length + found.buckets.length === 0,
      differences: differencesOf(found),
      ...(keys.length > 0 && { keys }),
    },
    unmergeable: search.keyless || search.rows.some(({ is }) => is === "twice"),
  };
}

function firstBuckets({ range, rows }: FingerprintBasis): KeyBuckets {
  return range ? rangeBuckets(range.column, range, BUCKETS) : hashBuckets(rows, ROWS_A_BUCKET, BUCKETS);
}

const countOf = (buckets: readonly BucketFingerprint[]): number => buckets.reduce((sum, { rows }) => sum + rows, 0);

/** A bucket that differs. */
interface Differing {
  readonly bucket: bigint | null;
  /** Of both sides. */
  readonly rows: number;
  /** Positions among the columns that have sums. */
  readonly columns: readonly number[];
}

function compare(source: readonly BucketFingerprint[], stage: readonly BucketFingerprint[]): Differing[] {
  const there = new Map(source.map((one) => [one.bucket, one]));
  const here = new Map(stage.map((one) => [one.bucket, one]));
  return [...new Set([...there.keys(), ...here.keys()])].flatMap((bucket) => {
    const [left, right] = [there.get(bucket), here.get(bucket)];
    const all = (left ?? right)?.columns ?? [];
    const columns = all.flatMap((_, index) => (left?.columns[index] === right?.columns[index] ? [] : [index]));
    const same = left?.rows === right?.rows && left?.key === right?.key && columns.length === 0;
    return same ? [] : [{ bucket, rows: (left?.rows ?? 0) + (right?.rows ?? 0), columns }];
  });
}

interface Search {
  readonly options: VerifyTableOptions;
  readonly shape: FingerprintShape;
  readonly changedSince: ChangedSince | undefined;
  readonly rows: RowDifference[];
  readonly suspects: RowDifference[];
  readonly buckets: BucketDifference[];
  /** Whether the stage table has rows whose key is NULL. */
  keyless: boolean;
}

/** Reads the rows of the buckets that differ, as many at a time as can be held. */
async function searchBuckets(
  search: Search,
  differing: readonly Differing[],
  buckets = search.shape.buckets,
): Promise<void> {
  const queue = [...differing];
  while (queue.length > 0) {
    const first = queue.shift();
    if (!first) break;
    if (first.bucket === null) search.keyless = true;
    if (first.bucket === null || search.rows.length >= ROWS_FOUND) {
      tellBucket(search, first, buckets);
    } else if (first.rows > ROWS_AT_A_TIME && canSplit(buckets)) {
      await splitBucket(search, first.bucket, buckets);
    } else {
      const together = [first.bucket];
      let rows = first.rows;
      for (let next = queue[0]; next && next.bucket !== null && rows + next.rows <= ROWS_AT_A_TIME; next = queue[0]) {
        together.push(next.bucket);
        rows += next.rows;
        queue.shift();
      }
      await searchRows(search, together, buckets);
    }
  }
}

const canSplit = (buckets: KeyBuckets): boolean => (buckets.by === "range" ? buckets.shift > 0 : buckets.bits < 48);

async function splitBucket(search: Search, bucket: bigint, buckets: KeyBuckets): Promise<void> {
  const { options, shape, changedSince } = search;
  const { snapshot, warehouse, signal } = options;
  const bits = buckets.by === "range" ? Math.min(SPLIT_BITS, buckets.shift) : SPLIT_BITS;
  const finer: KeyBuckets =
    buckets.by === "range" ? { ...buckets, shift: buckets.shift - bits } : { ...buckets, bits: buckets.bits + bits };
  const parts = 1n << BigInt(bits);
  const only = Array.from({ length: Number(parts) }, (_, index) => bucket * parts + BigInt(index));
  const request = { ...shape, buckets: finer, only };
  const [source, stage] = await bothAtOnce(
    signal,
    (stop) => snapshot.fingerprint({ ...request, changedSince, signal: stop }),
    (stop) => warehouse.fingerprint(request, { signal: stop }),
  );
  await searchBuckets(search, compare(source.buckets, stage), finer);
}

async function searchRows(search: Search, only: readonly bigint[], buckets: KeyBuckets): Promise<void> {
  const { options, shape, changedSince } = search;
  const { snapshot, warehouse, signal, table } = options;
  const keyed = table.primaryKey.length > 0;
  // Of a row with a key the values that have no number are compared elsewhere.
  const columns = shape.columns.filter(isSummed);
  const request = { ...shape, columns, buckets, only };
  const comparison = new RowComparison(keyed);
  await snapshot.fingerprintRows({ ...request, changedSince, signal }, (rows) => comparison.takeSource(rows));
  await warehouse.fingerprintRows(request, (rows) => comparison.takeStage(rows), { signal });
  comparison.finish();
  const positions = columns.map((column) => shape.columns.indexOf(column));
  for (const { columns: found, ...difference } of comparison.differences) {
    search.rows.push({ ...difference, columns: found?.map((index) => positions[index] ?? -1) });
  }
  search.suspects.push(...comparison.suspects);
}

/** Of finer buckets the coarse one is told, which says where they are as well. */
function tellBucket({ shape, buckets: told }: Search, { bucket, columns }: Differing, buckets: KeyBuckets): void {
  const summed = shape.columns.filter(isSummed);
  const names = columns.flatMap((index) => summed[index]?.name ?? []);
  const shift = buckets.by === "range" && shape.buckets.by === "range" ? shape.buckets.shift - buckets.shift : 0;
  told.push({ bucket: bucket === null ? null : bucket >> BigInt(shift), columns: names });
}

async function searchValues(search: Search): Promise<void> {
  const { options, shape, changedSince, rows, buckets } = search;
  const { differences, more } = await compareValues(options, shape, changedSince, ROWS_FOUND);
  const byKey = new Map(rows.map((row, index) => [JSON.stringify(row.key), index]));
  for (const difference of differences) {
    const known = byKey.get(JSON.stringify(difference.key));
    const before = known === undefined ? undefined : rows[known];
    if (known === undefined || !before) rows.push(difference);
    else if (before.columns && difference.columns)
      rows[known] = { ...before, columns: [...before.columns, ...difference.columns] };
  }
  const names = shape.columns.filter((column) => !isSummed(column)).map((column) => column.name);
  if (more) buckets.push({ bucket: null, columns: names });
}

interface OnlyInStage {
  readonly rows: readonly RowDifference[];
  /** How many of them the source has deleted, and no batch looks for. */
  readonly deferred: number;
}

/**
 * Which of the rows that only the stage table has were never to be there. As many as it has more than the source had at the batch, and as many
 * again as it lacks; the others were deleted from the source since. The next batch removes these, unless deletes are left to verifications: then
 * they are told, however young, since nothing else would ever tell them. Where rows stay although the source has deleted them, none.
 */
function onlyInStage(
  { options: { table }, suspects, rows, changedSince }: Search,
  counts: {
    readonly rowsStage: number;
    readonly rowsThen: number | undefined;
    /** What the next batch reads. */
    readonly next: Since | undefined;
  },
): OnlyInStage {
  const { rowsStage, rowsThen, next } = counts;
  if (keepsRows(table) && !keepsDeleted(table)) return { rows: [], deferred: 0 };
  const defers = table.sync.deleteCheck === "verify" && next !== undefined;
  // Without the count nobody can tell; what the settings leave there is the likelier.
  if (rowsThen === undefined || changedSince === undefined)
    return { rows: suspects, deferred: defers ? suspects.length : 0 };
  const missing = rows.filter((row) => row.is === "missing").length;
  const twice = rows.filter((row) => row.is === "twice").length;
  const extra = Math.max(0, rowsStage - twice + missing - rowsThen);
  if (defers) return { rows: suspects, deferred: Math.max(0, suspects.length - extra) };
  return { rows: extra > 0 ? suspects : [], deferred: 0 };
}
