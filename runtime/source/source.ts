/** What the loader needs of the source: checks before the first read, one snapshot for the whole batch, streams of rows out of it. */
import type { StagedFile, StagedFileFormat } from "../core/staged-file.ts";
import type { TaskProgress } from "../core/task.ts";
import type { Warning } from "../core/warning.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import type { KeySelection } from "../manifest/fingerprint.ts";
import type { FingerprintBasis, SourceFingerprint, SourceFingerprintRequest, SourceRow } from "./fingerprint.ts";

export interface Source extends AsyncDisposable {
  /**
   * Checks server, privileges, tables, columns, types and keys against the manifest before anything is read.
   *
   * @returns what is worth a warning (columns that the manifest does not have, or has too narrow)
   * @throws NovaError SOURCE_* naming table and column
   */
  preflight(tables: readonly ManifestTable[], signal?: AbortSignal): Promise<readonly Warning[]>;

  /** Opens one REPEATABLE READ snapshot; every reader of the batch imports it. */
  openSnapshot(tables: readonly ManifestTable[], signal?: AbortSignal): Promise<SourceSnapshot>;
}

export interface SourceSnapshot extends AsyncDisposable {
  /** The instant that it shows, ISO 8601 in UTC with microseconds. */
  readonly at: string;

  /** What this snapshot may not show: `4711` for transactions from there on (xid8), `4711:4702,4705` for some below it too. */
  readonly horizon: string;

  /**
   * Names what it shows: where the ground of a table is the same, snapshots of the same state show the same rows. Undefined where that cannot
   * be known (a standby, or a server that does not say which one it is).
   */
  readonly state: string | undefined;

  /**
   * Which rows a batch has to read that goes on from `previous`, so that none is left out whose transaction was open then; some may be
   * among them that were read before.
   */
  scope(table: ManifestTable, previous: TablePosition): ReadScope;

  /** How far the table has been read once `since` is read from this snapshot. */
  position(request: PositionRequest): Promise<TablePosition>;

  /** Waits until what it shows would outlast a crash of the source; to be called before anything of it is published. */
  settle(signal?: AbortSignal): Promise<void>;

  /** What the table comes to, cheaper than reading it: by this a later batch sees that there is nothing new. */
  digest(request: DigestRequest): Promise<TableDigest>;

  /** Streams rows into staged files of bounded size, a bounded number at a time; `take` is awaited before its file is deleted. */
  extract(request: ExtractRequest): Promise<ExtractSummary>;

  /**
   * What a load of the whole table stands on, if a load from a later snapshot could go on with it; undefined where rows have no versions to go on
   * by, or would not outlast a crash of the source.
   */
  standing(table: ManifestTable, signal: AbortSignal): Promise<Standing | undefined>;

  /** Why what the load has read is worth nothing for a load from this snapshot; undefined if it can go on. */
  cannotGoOn(table: ManifestTable, earlier: EarlierLoad): string | undefined;

  /** Rows of the table. */
  count(table: ManifestTable, signal: AbortSignal): Promise<number>;

  /** What a fingerprint of the table can be made of: from the catalogue and the key's index, without reading the table. */
  fingerprintBasis(table: ManifestTable, signal: AbortSignal): Promise<FingerprintBasis>;

  /** By bucket, what the table comes to: a warehouse that holds the same values comes to the same. */
  fingerprint(request: SourceFingerprintRequest): Promise<SourceFingerprint>;

  /** The rows behind a fingerprint, one by one and in pieces; `take` is awaited. */
  fingerprintRows(
    request: SourceFingerprintRequest,
    take: (rows: readonly SourceRow[]) => Promise<void> | void,
  ): Promise<void>;

  /** Whether the snapshot can still be imported; false once the source has ended its transaction. */
  alive(): boolean;
}

/** How far a table has been read; it commits with the rows. Texts are PostgreSQL's own, and compared only there. */
export interface TablePosition {
  /** No row is missing whose cursor lies before it; null where that is not known, or nobody asks. */
  readonly cursor: string | null;
  /** What `cursor` is a value of. */
  readonly cursorColumn: string | null;
  /** By name: row-version fence, ground, and what else the next batch needs to know. */
  readonly fence: Readonly<Record<string, string>>;
}

/** Part of a table. */
export interface Since {
  /**
   * `cursor`: rows whose cursor is at or after `from`, or NULL. `version`: rows whose version was written by the transaction `from` (its xid8)
   * or a later one.
   */
  readonly by: "cursor" | "version";
  readonly from: string;
  /** OIDs of partitions of which all rows are wanted. */
  readonly parts?: readonly number[] | undefined;
}

export interface ReadScope {
  /** Undefined: the whole table. */
  readonly since: Since | undefined;
  /** Why the whole table, or a way other than the one that was asked for; for the log. */
  readonly why?: string | undefined;
  /** Whether the rows are what they were then if the snapshot's `state` is. */
  readonly sameGround: boolean;
}

export interface Standing {
  /** By name, as in `TablePosition`. */
  readonly fence: Readonly<Record<string, string>>;
  /** Of the table, TOAST included. */
  readonly bytes: number;
}

export interface EarlierLoad {
  /** What it stood on. */
  readonly fence: Standing["fence"];
  /** Of its files that were taken. */
  readonly notes: readonly string[];
}

export interface PositionRequest {
  readonly table: ManifestTable;
  /** Of the last batch; undefined for a table that is read for the first time. */
  readonly previous: TablePosition | undefined;
  /** What this batch reads. */
  readonly since: Since | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DigestRequest {
  readonly table: ManifestTable;
  /** Only part of the rows; undefined takes the whole table. */
  readonly since?: Since | undefined;
  /** Whether the keys of all rows are taken too. */
  readonly keys: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface TableDigest {
  /** Of the rows that were asked for, in the manifest's columns. */
  readonly rows: Digest;
  /** Of the primary keys of all rows. */
  readonly keys?: Digest | undefined;
}

/** Equal for the same rows (in any order), and different after a change. */
interface Digest {
  readonly count: number;
  /** Sum of 64-bit hashes, in decimal digits. */
  readonly hash: string;
}

export interface ExtractRequest {
  readonly table: ManifestTable;
  /** `rows`: the columns of the manifest in its order. `keys`: only those of the primary key, in the key's order. */
  readonly what: "rows" | "keys";
  /** Only part of the rows; undefined reads the whole table. */
  readonly since?: Since | undefined;
  /** Only rows whose key lies in these buckets. */
  readonly within?: KeySelection | undefined;
  readonly format: StagedFileFormat;
  /** Existing folder for the files. */
  readonly folder: string;
  /** Notes of an earlier load of the whole table, all of whose files were taken: only what they lack is read. See `cannotGoOn`. */
  readonly taken?: readonly string[] | undefined;
  /** @param note what the file holds, for a later load's `taken`; undefined where that cannot be told */
  readonly take: (file: StagedFile, note: string | undefined) => Promise<void>;
  readonly progress: (progress: TaskProgress) => void;
  readonly signal: AbortSignal;
}

export interface ExtractSummary {
  readonly rows: number;
  /** Bytes of CSV, before compression. */
  readonly bytes: number;
  /** By column, where the manifest allows it: how many values did not fit; columns without one are left out. */
  readonly misfits: Readonly<Record<string, number>>;
}
