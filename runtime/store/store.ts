/** The run history: what happened in each batch. Losing its file loses history only; nothing needed for correctness lives here. */
import type { DatabaseSync } from "node:sqlite";
import { NovaError, toNovaError } from "../core/errors.ts";
import type { BatchEvent } from "../core/events.ts";
import { durably, openDatabase } from "./database.ts";
import { Queries, type BatchesRequest, type LogsRequest, type Neighbours } from "./queries.ts";
import { Recorder } from "./recorder.ts";
import type { BatchRecord, BatchSummary, LogLine, ModelState, StoreStats, TableState, TestState } from "./records.ts";
import {
  latestVerifications,
  recordVerification,
  type VerificationRecord,
  type VerificationState,
} from "./verifications.ts";

const DEFAULT_KEEP = 1_000;

export interface StoreOptions {
  /** The state folder; created if it does not exist. */
  readonly folder: string;
  /** Batches whose history is kept; default 1000. */
  readonly keep?: number | undefined;
  /** Told when an event could not be recorded (a full disk); the batch goes on without its history. Default: a process warning. */
  readonly onError?: ((error: NovaError) => void) | undefined;
}

export class Store implements Disposable {
  readonly #folder: string;
  readonly #database: DatabaseSync;
  readonly #recorder: Recorder;
  readonly #queries: Queries;
  readonly #onError: (thrown: unknown) => void;

  private constructor({ folder, keep = DEFAULT_KEEP, onError = warn }: StoreOptions) {
    this.#folder = folder;
    this.#database = openDatabase(folder);
    this.#onError = (thrown) => onError(writeFailure(folder, thrown));
    this.#recorder = new Recorder({ database: this.#database, keep, onError: this.#onError });
    this.#queries = new Queries(this.#database);
  }

  /** @throws NovaError FOLDER_NOT_WRITABLE, STORE_UNREADABLE */
  static open(options: StoreOptions): Store {
    return new Store(options);
  }

  /**
   * Takes one event into the history: a subscriber of the event bus. Never throws: a history that cannot be written must not stop a
   * batch. The end of a batch is on disk when it returns; other events are written within a quarter of a second.
   */
  record(event: BatchEvent): void {
    try {
      this.#recorder.record(event);
    } catch (thrown) {
      this.#onError(thrown);
    }
  }

  /** The number for a new batch: behind everything that the warehouse or the history knows. */
  nextBatchId(lastInWarehouse: number): number {
    return Math.max(lastInWarehouse, this.#queries.highestBatchId()) + 1;
  }

  /**
   * Claims a due tick, so that it starts one batch even if two processes see it.
   *
   * @returns whether the caller is the one that got it; false also for a tick before the last one claimed
   */
  claimTick({ schedule, tick }: { readonly schedule: string; readonly tick: Date }): boolean {
    const claimed = durably(this.#database, () =>
      this.#database
        .prepare(
          `INSERT INTO ticks (schedule, tick) VALUES ($schedule, $tick)
           ON CONFLICT (schedule) DO UPDATE SET tick = excluded.tick WHERE excluded.tick > ticks.tick`,
        )
        .run({ schedule, tick: tick.toISOString() }),
    );
    return Number(claimed.changes) === 1;
  }

  /**
   * Closes batches that a dead process left running, as failed with BATCH_ABANDONED, and their running tasks. The caller guarantees
   * that no batch runs.
   *
   * @returns the batches that were closed
   */
  closeAbandoned(at: Date): number[] {
    const error = new NovaError("BATCH_ABANDONED", "The process ended in the middle of the batch");
    return this.#recorder.closeAbandoned(at, error.report());
  }

  /** Newest first. */
  batches(request: BatchesRequest): BatchSummary[] {
    return this.#read((queries) => queries.batches(request));
  }

  batch(id: number): BatchRecord | undefined {
    return this.#read((queries) => queries.batch(id));
  }

  /** The batches before and after one, where there are any: numbers may have gaps. */
  neighbours(id: number): Neighbours {
    return this.#read((queries) => queries.neighbours(id));
  }

  /** The batch that is running, in this process or another; undefined if none. */
  runningBatchId(): number | undefined {
    return this.#read((queries) => queries.runningBatchId());
  }

  /** Log lines of a batch in the order of time: the newest `limit`, or the first `limit` behind the line `after`. */
  logs(batchId: number, request: LogsRequest): LogLine[] {
    return this.#read((queries) => queries.logs(batchId, request));
  }

  /** The latest result of each table that a recent batch had, in order of names. */
  tables(): TableState[] {
    return this.#read((queries) => queries.latestTables());
  }

  /** The latest result of each model that a recent batch had, in order of names. */
  models(): ModelState[] {
    return this.#read((queries) => queries.latestModels());
  }

  /** The latest result of each test that a recent batch had, in order of names. */
  tests(): TestState[] {
    return this.#read((queries) => queries.latestTests());
  }

  /** On disk when it returns. Never throws: a result that cannot be kept is still the command's result. */
  recordVerification(verification: VerificationRecord): void {
    try {
      recordVerification(this.#database, verification);
    } catch (thrown) {
      this.#onError(thrown);
    }
  }

  /** What the latest verification of each table found, and when it was last proven. */
  verifications(): VerificationState[] {
    return this.#read(() => latestVerifications(this.#database));
  }

  stats(): StoreStats {
    return this.#read((queries) => queries.stats());
  }

  /** A number that changes whenever another process has written to the history. */
  foreignVersion(): number {
    return Number(this.#database.prepare("PRAGMA data_version").get()?.["data_version"]);
  }

  [Symbol.dispose](): void {
    if (!this.#database.isOpen) return;
    try {
      this.#recorder.flush();
    } catch (thrown) {
      this.#onError(thrown);
    } finally {
      this.#recorder.stop();
      this.#database.close();
    }
  }

  #read<T>(query: (queries: Queries) => T): T {
    try {
      this.#recorder.flush();
    } catch (thrown) {
      this.#onError(thrown);
    }
    try {
      return query(this.#queries);
    } catch (thrown) {
      throw readFailure(this.#folder, thrown);
    }
  }
}

function readFailure(folder: string, thrown: unknown): NovaError {
  return new NovaError(
    "STORE_UNREADABLE",
    `The run history in ${folder} could not be read: ${toNovaError(thrown).message}`,
    { cause: thrown },
  );
}

function writeFailure(folder: string, thrown: unknown): NovaError {
  return new NovaError(
    "STORE_UNREADABLE",
    `The run history in ${folder} could not be written: ${toNovaError(thrown).message}`,
    {
      remedy: "Free space on the disk of the state folder; batches go on, but their history has a gap.",
      cause: thrown,
    },
  );
}

function warn(error: NovaError): void {
  process.emitWarning(`${error.message}. ${error.remedy}`, { code: error.code });
}
