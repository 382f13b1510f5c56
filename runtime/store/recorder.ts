/** Writes batch events into the history: gathered for a moment, so that a batch of hundreds of small tasks costs a few commits. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ErrorReport } from "../core/errors.ts";
import type { BatchEvent } from "../core/events.ts";
import type { Misfits, ModelResult, TableResult, TestResult, WarehouseUsage } from "../core/result.ts";
import { taskId } from "../core/task.ts";
import type { Warning } from "../core/warning.ts";
import { durably, transaction } from "./database.ts";

/**
 * Gathered events are written at the latest after this time, or when there are this many. Committed one by one, the 240 events of a batch
 * took 41 ms.
 */
const FLUSH_AFTER_MS = 250;
const FLUSH_AT_EVENTS = 256;

/** A batch that logs without end must not fill the disk; its first lines say most. */
const MAX_LINES_OF_BATCH = 20_000;
const MAX_LINE_CHARACTERS = 8_192;

/** At most this many old batches are removed at the end of each batch, so that a smaller `keep` does not stall one. */
const PRUNE_AT_ONCE = 50;

const NOTHING_BILLED: Readonly<Record<keyof WarehouseUsage, null>> = {
  statements: null,
  warehouse_seconds: null,
  bytes_staged: null,
  rows_staged: null,
  credits: null,
};

type Event<T extends BatchEvent["type"]> = Extract<BatchEvent, { type: T }>;

export interface RecorderOptions {
  readonly database: DatabaseSync;
  /** Batches to keep. */
  readonly keep: number;
  /** Called when the timer finds that gathered events cannot be written. */
  readonly onError: (thrown: unknown) => void;
}

export class Recorder {
  readonly #database: DatabaseSync;
  readonly #keep: number;
  readonly #onError: (thrown: unknown) => void;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #linesOfBatch = new Map<number, number>();
  #gathered: BatchEvent[] = [];
  /** The latest progress of each task since the last event of another kind; earlier ones are of no interest. */
  readonly #progress = new Map<string, Event<"task_progress">>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ database, keep, onError }: RecorderOptions) {
    this.#database = database;
    this.#keep = keep;
    this.#onError = onError;
    this.#statements = prepare(database);
  }

  record(event: BatchEvent): void {
    if (event.type === "task_progress") {
      this.#progress.set(`${event.batchId}:${taskId(event.task)}`, event);
      this.#scheduleFlush();
      return;
    }
    this.#gatherProgress();
    this.#gathered.push(event);
    if (event.type === "batch_finished") this.#write(durably);
    else if (event.type === "batch_started" || this.#gathered.length >= FLUSH_AT_EVENTS) this.#write(transaction);
    else this.#scheduleFlush();
  }

  /** Writes what is gathered, so that a reader sees it. */
  flush(): void {
    this.#gatherProgress();
    if (this.#gathered.length > 0) this.#write(transaction);
  }

  /** Ends the timer, and drops what is still gathered. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#gathered = [];
    this.#progress.clear();
  }

  /** Closes what a dead process left open. */
  closeAbandoned(at: Date, error: ErrorReport): number[] {
    this.flush();
    return durably(this.#database, () => {
      const text = JSON.stringify(error);
      const ids = this.#statements.closeBatches.all({ at: iso(at), error: text }).map((row) => Number(row["id"]));
      for (const id of ids) this.#statements.abandonTasks.run({ batch: id, at: iso(at), error: text });
      return ids;
    });
  }

  #gatherProgress(): void {
    this.#gathered.push(...this.#progress.values());
    this.#progress.clear();
  }

  #scheduleFlush(): void {
    this.#timer ??= setTimeout(() => {
      try {
        this.flush();
      } catch (thrown) {
        this.#onError(thrown);
      }
    }, FLUSH_AFTER_MS).unref();
  }

  #write(within: typeof transaction): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#gathered;
    // Taken out before they are written: what cannot be written is lost, rather than gathered without end.
    this.#gathered = [];
    const failures: unknown[] = [];
    within(this.#database, () => {
      for (const event of events) {
        try {
          this.#writeEvent(event);
        } catch (thrown) {
          // One event that the tables refuse must not take the others along; after a full disk there is no transaction left.
          if (!this.#database.isTransaction) throw thrown;
          failures.push(thrown);
        }
      }
    });
    if (failures.length > 0) throw failures[0];
  }

  #writeLine({ batchId, at, level, task, message }: Event<"log">): void {
    const count = (this.#linesOfBatch.get(batchId) ?? 0) + 1;
    this.#linesOfBatch.set(batchId, count);
    if (count > MAX_LINES_OF_BATCH) return;
    const full = count === MAX_LINES_OF_BATCH;
    this.#statements.log.run({
      batch: batchId,
      at: iso(at),
      level: full ? "warn" : level,
      task: task ? taskId(task) : null,
      message: full ? `The batch has logged ${count} lines; further lines are not kept.` : shorten(message),
    });
  }

  #writeEvent(event: BatchEvent): void {
    const batch = event.batchId;
    const at = iso(event.at);
    switch (event.type) {
      case "batch_started":
        this.#linesOfBatch.clear();
        this.#statements.startBatch.run({ batch, at, trigger: event.trigger });
        break;
      case "snapshot_opened":
        this.#statements.snapshot.run({ batch, snapshot: event.snapshot });
        break;
      case "task_started":
        this.#statements.startTask.run({ batch, at, ...event.task, attempt: event.attempt });
        break;
      case "task_progress":
        this.#statements.progress.run({ batch, ...event.task, ...event.progress });
        break;
      case "log":
        this.#writeLine(event);
        break;
      case "task_finished": {
        const { task, attempt, status, seconds, error } = event;
        this.#statements.finishTask.run({ batch, at, ...task, attempt, status, seconds, error: json(error) });
        break;
      }
      case "table_finished":
        this.#writeTable(batch, at, event.result);
        break;
      case "model_finished":
        this.#writeModel(batch, at, event.result);
        break;
      case "test_finished":
        this.#writeTest(batch, at, event.result);
        break;
      case "batch_finished":
        this.#finishBatch(batch, at, event);
        break;
    }
  }

  #finishBatch(batch: number, at: string, { result }: Event<"batch_finished">): void {
    // The result is the last word: it also has what was skipped, of which there was no event.
    for (const table of result.tables) this.#writeTable(batch, at, table);
    for (const model of result.models) this.#writeModel(batch, at, model);
    for (const test of result.tests) this.#writeTest(batch, at, test);
    const { status, snapshot, seconds, error, warnings, usage = NOTHING_BILLED } = result;
    const told = { warnings: json(warnings), error: json(error) };
    this.#statements.finishBatch.run({ batch, at, status, snapshot, seconds, ...told, ...usage });
    this.#statements.cancelTasks.run({ batch, at });
    this.#statements.prune.run({ keep: this.#keep, atOnce: PRUNE_AT_ONCE });
  }

  #writeTable(batch: number, at: string, { error, rows_total, misfits, ...result }: TableResult): void {
    const more = { rows_total: rows_total ?? null, misfits: json(misfits), error: json(error) };
    this.#statements.table.run({ batch, at, ...result, ...more });
  }

  #writeModel(batch: number, at: string, { error, materialized, ...result }: ModelResult): void {
    this.#statements.model.run({ batch, at, ...result, materialized: materialized ?? null, error: json(error) });
  }

  #writeTest(batch: number, at: string, { error, ...result }: TestResult): void {
    this.#statements.test.run({ batch, at, ...result, error: json(error) });
  }
}

/** Writes only to a batch that is open: events of an unknown batch, or too late ones of a finished batch, change nothing. */
const OPEN = "EXISTS (SELECT 1 FROM batches WHERE id = $batch AND status = 'running')";

function prepare(database: DatabaseSync) {
  const statement = (sql: string): StatementSync => {
    const prepared = database.prepare(sql);
    prepared.setAllowUnknownNamedParameters(true);
    return prepared;
  };
  const upsert = (table: string, columns: readonly string[]): StatementSync =>
    statement(`
      INSERT INTO ${table} (batch_id, name, at, ${columns.join(", ")})
      SELECT $batch, $name, $at, ${columns.map((column) => `$${column}`).join(", ")} WHERE ${OPEN}
      ON CONFLICT (batch_id, name) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(", ")}`);
  return {
    startBatch: statement(`
      INSERT INTO batches (id, trigger, status, started_at) VALUES ($batch, $trigger, 'running', $at)
      ON CONFLICT DO NOTHING`),
    snapshot: statement("UPDATE batches SET snapshot = $snapshot WHERE id = $batch AND status = 'running'"),
    finishBatch: statement(`
      UPDATE batches SET status = $status, snapshot = coalesce($snapshot, snapshot), finished_at = $at, seconds = $seconds,
        error = $error, warnings = $warnings, statements = $statements, warehouse_seconds = $warehouse_seconds, bytes_staged = $bytes_staged,
        rows_staged = $rows_staged, credits = $credits
      WHERE id = $batch AND status = 'running'`),
    startTask: statement(`
      INSERT INTO task_attempts (batch_id, kind, subject, attempt, status, started_at)
      SELECT $batch, $kind, $subject, $attempt, 'running', $at WHERE ${OPEN}`),
    progress: statement(`
      UPDATE task_attempts SET rows = $rows, bytes = $bytes
      WHERE batch_id = $batch AND kind = $kind AND subject = $subject AND status = 'running'`),
    finishTask: statement(`
      UPDATE task_attempts SET status = $status, finished_at = $at, seconds = $seconds, error = $error
      WHERE batch_id = $batch AND kind = $kind AND subject = $subject AND attempt = $attempt AND status = 'running'`),
    // A task that the end of its batch finds running was told to stop.
    cancelTasks: statement(`
      UPDATE task_attempts SET status = 'cancelled', finished_at = $at,
        seconds = round((julianday($at) - julianday(started_at)) * 86400, 3)
      WHERE batch_id = $batch AND status = 'running'`),
    abandonTasks: statement(`
      UPDATE task_attempts SET status = 'failed', finished_at = $at, error = $error WHERE batch_id = $batch AND status = 'running'`),
    // How long it ran before the process died is known no better than by its last sign of life.
    closeBatches: statement(`
      UPDATE batches SET status = 'failed', finished_at = $at, error = $error,
        seconds = round((julianday(max(started_at,
          coalesce((SELECT max(max(started_at, coalesce(finished_at, ''))) FROM task_attempts WHERE batch_id = batches.id), ''),
          coalesce((SELECT max(at) FROM logs WHERE batch_id = batches.id), '')
        )) - julianday(started_at)) * 86400, 3)
      WHERE status = 'running'
      RETURNING id`),
    table: upsert("table_results", [
      "mode",
      "status",
      "seconds",
      "rows_read",
      "inserted",
      "updated",
      "deleted",
      "rows_total",
      "bytes",
      "misfits",
      "error",
    ]),
    model: upsert("model_results", ["materialized", "status", "seconds", "rows", "error"]),
    test: upsert("test_results", ["status", "seconds", "failures", "error"]),
    log: statement(`
      INSERT INTO logs (batch_id, at, level, task, message)
      SELECT $batch, $at, $level, $task, $message WHERE EXISTS (SELECT 1 FROM batches WHERE id = $batch)`),
    // What models and tests last came to is kept, however many batches have found nothing new since.
    prune: statement(`
      DELETE FROM batches WHERE id IN (
        SELECT id FROM batches
        WHERE status <> 'running' AND id <= (SELECT id FROM batches ORDER BY id DESC LIMIT 1 OFFSET $keep)
          AND id NOT IN (SELECT max(batch_id) FROM model_results WHERE status <> 'skipped' GROUP BY name)
          AND id NOT IN (SELECT max(batch_id) FROM test_results WHERE status <> 'skipped' GROUP BY name)
        ORDER BY id LIMIT $atOnce
      )`),
  };
}

function iso(at: Date): string {
  return at.toISOString();
}

function json(value: ErrorReport | Misfits | readonly Warning[] | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function shorten(message: string): string {
  return message.length > MAX_LINE_CHARACTERS ? `${message.slice(0, MAX_LINE_CHARACTERS)} …` : message;
}
