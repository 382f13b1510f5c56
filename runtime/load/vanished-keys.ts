/**
 * The keys by which vanished rows are found: of those buckets alone in which the source's keys are not what the stage table had, together with the
 * keys that this batch adds.
 */
import { bothAtOnce } from "../core/concurrency.ts";
import {
  isSummed,
  type BucketFingerprint,
  type FingerprintColumn,
  type KeySelection,
} from "../manifest/fingerprint.ts";
import { planTable } from "./plan.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import type { FingerprintBasis } from "../source/fingerprint.ts";
import type { Since, SourceSnapshot } from "../source/source.ts";
import type { Incoming, KeysWithin, Warehouse, Watermark } from "../warehouse/warehouse.ts";
import {
  chooseBuckets,
  countOf,
  differing,
  keyFence,
  keyNoteOf,
  widened,
  writeDigests,
  type ComparedBy,
  type KeyDigests,
  type KeyNote,
} from "./key-digests.ts";
import type { KeyStore } from "./key-store.ts";
import { isSyncedAs } from "./scope.ts";
import { groundOf } from "./verified-ground.ts";

/** Above this share of the rows, all keys are read: finding out which of them are wanted costs more than the others. */
const MOST = 0.5;

export interface VanishedKeysOptions {
  readonly table: ManifestTable;
  readonly snapshot: SourceSnapshot;
  readonly warehouse: Warehouse;
  /** Of the batch that the stage table is as of. */
  readonly previous: Watermark | undefined;
  /** Which rows this batch has read. */
  readonly since: Since | undefined;
  /** What this batch adds and changes, sealed, with their number. */
  readonly rows: { readonly incoming: Incoming; readonly count: number };
  readonly store: KeyStore | undefined;
  /** Reads keys into the warehouse; what it gives is sealed. */
  readonly readKeys: (within?: KeySelection) => Promise<ReadKeys>;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
}

interface ReadKeys {
  readonly incoming: Incoming;
  readonly count: number;
  readonly bytes: number;
}

export interface VanishedKeys {
  /** undefined where no key has vanished. */
  readonly keys?: Incoming | undefined;
  readonly within?: KeysWithin | undefined;
  /** Bytes of keys that were read. */
  readonly bytes: number;
  /** Rows of the source's table. */
  readonly count: number;
  /** For the watermark. */
  readonly fence: { readonly keys?: string };
  /** To be kept once the batch is published. */
  readonly digests?: KeyDigests | undefined;
}

export async function findVanishedKeys(options: VanishedKeysOptions): Promise<VanishedKeys> {
  const { table, snapshot, previous, rows, log, signal } = options;
  // What was noted of rows that were kept, or ignored, says nothing about those that are to be deleted now.
  const last = previous && isSyncedAs(table, previous) ? keyNoteOf(previous) : undefined;
  const same = last && (await sameRows(options));
  if (same) return same;
  const basis = await snapshot.fingerprintBasis(table, signal);
  const columns = keyColumns(table, basis);
  if (!columns || !previous || !last || (last.buckets.by === "range") !== (basis.range !== undefined)) {
    return readAll(options, columns && { basis });
  }
  const known = Math.max(basis.rows, Number(previous.fence["rows"] ?? 0));
  const note = chooseBuckets({ basis, rows: known, last });
  const shape = { table, columns, buckets: note.buckets };
  // A row that a cursor has overlooked is not among those that arrive: in the count, it would make up for one that vanished.
  const by = options.since?.by === "version" ? "counts" : "sums";
  const doing = `looking for deleted rows of ${table.name}`;
  const [{ buckets: now }, before] = await bothAtOnce(
    signal,
    (stop) => snapshot.fingerprint({ ...shape, counts: by === "counts", doing, signal: stop }),
    (stop) => digestsBefore({ ...options, signal: stop }, { last, shape, by }),
  );
  const arriving =
    rows.count === 0 ? [] : await options.warehouse.fingerprint({ ...shape, arriving: rows.incoming }, { signal });
  const differ = differing(before, arriving, now, by);
  if (differ.keyless) return readAll(options, { basis });
  const digests = { buckets: note.buckets, by, found: now } as const;
  const found = {
    count: countOf(now),
    digests,
    fence: keyFence({ ...note, digest: writeDigests(digests).digest }),
  };
  if (differ.only.length === 0) return { ...found, bytes: 0 };
  const within = { columns, buckets: note.buckets, only: differ.only, rows: differ.rows };
  const restricted = differ.rows <= differ.of * MOST;
  const keys = await options.readKeys(restricted ? within : undefined);
  log(
    `keys differ in ${differ.only.length} of ${Math.max(now.length, before.length)} buckets: read ${keys.count} of ${found.count} keys`,
  );
  return { ...found, keys: keys.incoming, within: restricted ? within : undefined, bytes: keys.bytes };
}

/**
 * Where a scan finds no row version that the last batch did not see, the table has what it had then, less what was deleted: as many rows are the
 * same rows. Counting them takes a tenth of what the sums by bucket take.
 */
async function sameRows({
  table,
  snapshot,
  previous,
  since,
  rows,
  signal,
}: VanishedKeysOptions): Promise<VanishedKeys | undefined> {
  const before = previous && groundOf(previous).rows;
  const keys = previous?.fence["keys"];
  if (since?.by !== "version" || rows.count > 0 || before === undefined || keys === undefined) return undefined;
  const count = await snapshot.count(table, signal);
  // What is known of the keys by bucket stays as good as it was.
  return count === before ? { bytes: 0, count, fence: { keys } } : undefined;
}

/** For the watermark of a batch that has read the whole table: by what the next one can compare its keys. */
export async function noteKeys({
  table,
  snapshot,
  rows,
  signal,
}: Pick<VanishedKeysOptions, "table" | "snapshot" | "signal"> & { readonly rows: number }): Promise<{
  readonly keys?: string;
}> {
  if (!comparesKeys(table)) return {};
  const basis = await snapshot.fingerprintBasis(table, signal);
  return keyColumns(table, basis) ? keyFence(chooseBuckets({ basis, rows })) : {};
}

/** Whether a batch that reads a part of the rows looks for vanished keys. */
const comparesKeys = (table: ManifestTable): boolean =>
  planTable(table, { by: "version", from: "0" }).keys === "all-keys";

/** Those of the key; undefined where one of them has no number that every engine computes alike. */
function keyColumns(table: ManifestTable, { columns }: FingerprintBasis): readonly FingerprintColumn[] | undefined {
  const key = columns.filter(({ name }) => table.primaryKey.includes(name));
  return key.every(isSummed) ? key : undefined;
}

async function readAll(
  { readKeys }: VanishedKeysOptions,
  comparable: { readonly basis: FingerprintBasis } | undefined,
): Promise<VanishedKeys> {
  const { incoming, count, bytes } = await readKeys();
  const fence = comparable ? keyFence(chooseBuckets({ basis: comparable.basis, rows: count })) : {};
  return { keys: incoming, bytes, count, fence };
}

interface DigestsBefore {
  readonly last: KeyNote;
  readonly shape: Omit<KeySelection, "only"> & { readonly table: ManifestTable };
  readonly by: ComparedBy;
}

/** What the last batch noted, if it is at hand; else the stage table's own keys. */
async function digestsBefore(
  { table, warehouse, store, signal }: VanishedKeysOptions,
  { last, shape, by }: DigestsBefore,
): Promise<readonly BucketFingerprint[]> {
  const stored = await store?.read(table, last.digest);
  const fits = stored && (stored.by === "sums" || by === "counts");
  const usable = fits ? widened(stored, shape.buckets) : undefined;
  return usable ? usable.found : await warehouse.fingerprint(shape, { signal });
}
