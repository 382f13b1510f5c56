/** What the loader and the transformer need of a warehouse; adapters implement it, one contract suite holds them to it. */
import type { Finding } from "../core/finding.ts";
import type { WarehouseUsage } from "../core/result.ts";
import type { StagedFile, StagedFileFormat } from "../core/staged-file.ts";
import type { Warning } from "../core/warning.ts";
import type { BucketFingerprint, FingerprintRow, FingerprintShape, KeySelection } from "../manifest/fingerprint.ts";
import type { Manifest, ManifestTable } from "../manifest/manifest.ts";

/** Where engines differ, said once: callers ask these flags, never which engine it is. */
export interface WarehouseCapabilities {
  /** Whether CREATE, ALTER and DROP take part in a transaction. */
  readonly transactionalDdl: boolean;
  /** Whether the adapter itself creates and extends stage tables (else the infrastructure program does). */
  readonly managesStageTables: boolean;
  /** How many statements may run at the same time with a gain. */
  readonly parallelStatements: number;
  readonly stagedFiles: StagedFileFormat;
  /** Whether statements cost money, so that the loader should find out on its own side that there is nothing to do. */
  readonly metered: boolean;
}

export interface Warehouse extends AsyncDisposable {
  readonly capabilities: WarehouseCapabilities;

  /**
   * Makes the warehouse ready for a batch: schemas and the runtime's own tables exist, stage tables agree with the manifest,
   * leftovers of dead batches are gone. Idempotent.
   *
   * @returns what is worth a warning (columns that the manifest has no more)
   * @throws NovaError WAREHOUSE_SCHEMA_MISMATCH
   */
  prepare(manifest: Manifest, options?: StatementOptions): Promise<readonly Warning[]>;

  /** What the warehouse knows of the batches published so far. */
  readState(options?: StatementOptions): Promise<PipelineState>;

  /** A place for the rows of one table, which no reader sees until `publish`. An older one of the same name and purpose is emptied. */
  openIncoming(batchId: number, table: ManifestTable, purpose: IncomingPurpose): Promise<Incoming>;

  /** First loads that outlive the process which began them; undefined where every batch begins them anew. */
  readonly firstLoads?: FirstLoads | undefined;

  /**
   * Everything of the batch for all tables, in one transaction: afterwards readers see all of it, or (if this throws) none. It can be stopped up
   * to the commit, where the engine can stop.
   */
  publish(publication: Publication, options?: StatementOptions): Promise<readonly PublishedTable[]>;

  /**
   * By bucket, what the stage table comes to: equal to that of a source table with the same values. Rows that are kept although the source has
   * deleted them do not count.
   */
  fingerprint(request: FingerprintRequest, options?: StatementOptions): Promise<readonly BucketFingerprint[]>;

  /** The rows behind a fingerprint, one by one and in pieces; `take` is awaited. Values without a number come in the form of QueryResult. */
  fingerprintRows(
    request: FingerprintRequest,
    take: (rows: readonly FingerprintRow[]) => Promise<void> | void,
    options?: StatementOptions,
  ): Promise<void>;

  /** The SQL text that names a relation in a model, in Snowflake's dialect. */
  relationName(relation: Relation): string;

  /** Tables and views of a schema, in order of their names; empty if the schema does not exist. */
  relations(schema: string): Promise<readonly RelationInfo[]>;

  /** SQL in Snowflake's dialect → the SQL that this engine is sent. @throws NovaError MODEL_SQL_FAILED with line and column */
  translate(sql: string): string;

  /** Runs one query in Snowflake's dialect. Values come back as text in a fixed form, so that engines can be compared. */
  query(sql: string, options?: StatementOptions): Promise<QueryResult>;

  /** Builds one model, hooks and bookkeeping included, in as few transactions as the engine allows. */
  materialize(materialization: Materialization, options?: StatementOptions): Promise<Materialized>;

  /** What was used since the warehouse was opened; null where nothing is billed. */
  usage(): WarehouseUsage | null;

  /**
   * Whether the warehouse is fit for the manifest: connection, privileges, versions, clock, stage tables. Everything that can be checked is,
   * whatever fails; does not throw and changes nothing.
   *
   * @param modelSchemas where models are built
   */
  diagnose(manifest: Manifest, modelSchemas: readonly string[]): Promise<readonly Finding[]>;
}

export interface FingerprintRequest extends FingerprintShape {
  /** Only these buckets. */
  readonly only?: readonly bigint[] | undefined;
  /** Instead of the stage table's rows, those of these sealed ones whose key the stage table does not have. */
  readonly arriving?: Incoming | undefined;
}

export interface StatementOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PipelineState {
  /** Highest batch that was published; 0 if none. */
  readonly lastBatchId: number;
  /** By name of the stage table; a table that was never loaded has none. */
  readonly watermarks: ReadonlyMap<string, Watermark>;
}

/** How far a table has been read. Committed in the same transaction as the rows. */
export interface Watermark {
  readonly batchId: number;
  /** The cursor's value up to which everything was read, as PostgreSQL's own text; null for tables without a cursor. */
  readonly cursor: string | null;
  /** Cursor column and key that it was taken with: a change of either makes it worthless. */
  readonly cursorColumn: string | null;
  /** What else the next batch needs to know of this one, by name: row-version fence, the ground that it stands on, digests of what was there. */
  readonly fence: Readonly<Record<string, string>>;
}

/** `rows`: whole rows to publish. `keys`: every primary key that the source has, to find the vanished ones. */
export type IncomingPurpose = "rows" | "keys";

/** Rows on their way into one stage table. */
export interface Incoming {
  readonly table: ManifestTable;
  readonly purpose: IncomingPurpose;
  /**
   * Takes a staged file in; when it resolves, the file may be deleted. May be called several times at once.
   *
   * The file is CSV as PostgreSQL's COPY writes it: no header, texts quoted, NULL an unquoted empty field, timestamps in UTC, binary in
   * hex; its columns are the table's in the manifest's order (`rows`) or the primary key's (`keys`). Where that is a single nullable column, a
   * constant second one follows, since a row with nothing but NULL would be a blank line. Names that end in `.gz` are compressed.
   *
   * @throws NovaError WAREHOUSE_VALUE_INVALID naming table, column, row and value
   */
  add(file: StagedFile, options?: StatementOptions): Promise<void>;
  /**
   * After the last file: everything is in the warehouse, counted and checked.
   *
   * @returns the number of rows
   * @throws NovaError LOAD_ROWS_LOST, LOAD_KEY_DUPLICATE, LOAD_KEY_NULL, WAREHOUSE_VALUE_INVALID
   */
  seal(options?: StatementOptions): Promise<number>;
  /** Drops what was taken in, e.g. before another attempt. */
  discard(): Promise<void>;
}

/**
 * Loads of whole tables that nothing was published of yet. What a dead batch has left of one is kept by `prepare` as long as its table is in the
 * manifest and has no watermark, and is gone once the table is published.
 */
export interface FirstLoads {
  /** What is there of the table's. */
  read(table: ManifestTable, options?: StatementOptions): Promise<KeptLoad | undefined>;
  /** Begins one, or goes on with what is there: without `goesOn` that is dropped. */
  open(request: FirstLoadRequest, options?: StatementOptions): Promise<FirstLoad>;
}

export interface KeptLoad {
  /** The batch that went on with it last. */
  readonly batchId: number;
  /** As `open` was given it then. */
  readonly fence: Watermark["fence"];
  /** Of the files that were taken in. */
  readonly notes: readonly string[];
  /** Rows that were taken in; some may be older versions of others. */
  readonly rows: number;
}

export interface FirstLoadRequest {
  readonly batchId: number;
  readonly table: ManifestTable;
  readonly goesOn: boolean;
  /** What the load stands on, for the batch that may have to go on with it; kept before the first row. */
  readonly fence: Watermark["fence"];
}

export interface FirstLoad extends Incoming {
  /** The file's rows and the note are kept together, or neither. A file without a note is not known to a later batch. */
  add(file: StagedFile, options?: StatementOptions & { readonly note?: string | undefined }): Promise<void>;
  /**
   * To be called before `seal` where the load went on: makes the rows those that one snapshot shows. Of several with one key the last that was
   * taken in stays; where more are left than the snapshot has, those whose key it does not have go.
   */
  complete(completion: Completion, options?: StatementOptions): Promise<void>;
}

export interface Completion {
  /** Rows of the table in the snapshot; `seal` wants as many. */
  readonly rows: number;
  /** All keys of the snapshot; asked for only if they are needed. */
  readonly keys: () => Promise<Incoming>;
}

export interface Publication {
  readonly batch: PublishedBatch;
  readonly tables: readonly TablePublication[];
}

export interface PublishedBatch {
  readonly id: number;
  /** Tells this batch from every other, whatever became of the numbers. */
  readonly uuid: string;
  /** The source's snapshot, ISO 8601 in UTC with microseconds; becomes `_synced_at`. */
  readonly snapshot: string;
  readonly startedAt: Date;
}

export interface TablePublication {
  readonly table: ManifestTable;
  /**
   * `replace`: the incoming rows are the table. `merge`: by primary key; rows that are equal already stay untouched, their `_batch_id` too.
   */
  readonly action: "replace" | "merge";
  readonly rows: Incoming;
  /**
   * All keys of the source (incoming `keys`, or the `rows` themselves where they are the whole table): stage rows with another key are deleted
   * (or get their `_deleted_at`, where `deletes` is `soft`) and written to `pipeline.deleted_keys`, where `key` is a JSON array of the key's values in the order of `primaryKey`. NUMBER(38,0) is a
   * JSON number in it, everything else the text that `query` gives: `parse_json(key)[0]::integer` is the value again.
   */
  readonly keys?: Incoming | undefined;
  /** Where `keys` are all those of some buckets only: no other stage row is looked at. */
  readonly keysWithin?: KeysWithin | undefined;
  readonly watermark: Watermark;
}

export interface KeysWithin extends KeySelection {
  /** About how many rows the stage table has in them. */
  readonly rows: number;
}

export interface PublishedTable {
  readonly name: string;
  /** In the stage table, after the publication. */
  readonly rows: number;
  readonly inserted: number;
  /** Those that have come back after a soft delete included. */
  readonly updated: number;
  /** Soft deletes included. */
  readonly deleted: number;
}

export interface Relation {
  readonly schema: string;
  readonly name: string;
}

export interface RelationInfo extends Relation {
  readonly kind: "table" | "view";
  /** Set where an incremental model's table was being made anew when its build ended: it is no ground to build on, and has to be made anew. */
  readonly unfinished?: true | undefined;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/**
 * Values as text, the same in every engine: NULL is null; numbers with the digits of their scale (`12.50`); floats in the shortest form that
 * gives the number back, as JavaScript writes it (`0.1`, `1e+21`, `NaN`, `Infinity`, `-0`); `true` and `false`; dates `YYYY-MM-DD`; times
 * `HH:MM:SS.ffffff`; timestamps without zone `YYYY-MM-DD HH:MM:SS.ffffff`, with zone the same in UTC and `+00` behind; years over 9999 with
 * all their digits, before year 1 as in ISO 8601 (`-0043` is 44 BC); binary in lower-case hex; VARIANT, lists and structs as compact JSON,
 * members in the order of their names.
 */
export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

interface MaterializationBase {
  readonly relation: Relation;
  /** Compiled SELECT, in Snowflake's dialect. */
  readonly sql: string;
  readonly description?: string | undefined;
  readonly columnDescriptions?: Readonly<Record<string, string>> | undefined;
  /** Compiled statements, in Snowflake's dialect, run before and after in the same transaction where the engine can. */
  readonly preHooks: readonly string[];
  readonly postHooks: readonly string[];
}

export type Materialization =
  | (MaterializationBase & { readonly kind: "view" | "table" })
  | (MaterializationBase & {
      readonly kind: "incremental";
      /** Empty: rows are appended. */
      readonly uniqueKey: readonly string[];
      /** Build the table anew, because it does not exist yet or was asked for. */
      readonly fullRefresh: boolean;
    });

export interface Materialized {
  /** Rows written; null where the engine does not say (views). */
  readonly rows: number | null;
}
