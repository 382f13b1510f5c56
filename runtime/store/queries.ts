/** What the status page and its JSON ask of the history. */
import type { DatabaseSync } from "node:sqlite";
import * as record from "./records.ts";

/** A table, model or test that none of so many batches had has left the project. */
const BATCHES_OF_LATEST = 30;

/** Batches that the median of durations is taken over. */
const BATCHES_OF_STATS = 200;

/** Grouped by the primary key, so that SQLite walks it in order and stops at the limit instead of summing up the whole history. */
const summary = (where: string) => `
  SELECT id AS batch_id, trigger, batches.status, snapshot, started_at, finished_at, batches.seconds, batches.error, warnings,
    statements, warehouse_seconds, bytes_staged, rows_staged, credits,
    coalesce(sum(rows_read), 0) AS rows_read, coalesce(sum(inserted), 0) AS inserted, coalesce(sum(updated), 0) AS updated,
    coalesce(sum(deleted), 0) AS deleted, coalesce(sum(bytes), 0) AS bytes,
    coalesce(sum(results.status = 'failed'), 0) AS tables_failed,
    (SELECT count(*) FROM model_results WHERE batch_id = batches.id AND status = 'failed') AS models_failed,
    (SELECT count(*) FROM test_results WHERE batch_id = batches.id AND status IN ('fail', 'error')) AS tests_failed
  FROM batches LEFT JOIN table_results AS results ON results.batch_id = batches.id
  WHERE ${where}
  GROUP BY batches.id ORDER BY batches.id DESC`;

export interface BatchesRequest {
  readonly limit: number;
  /** Only batches before this one. */
  readonly before?: number | undefined;
}

export interface LogsRequest {
  /** As `taskId` writes it, or the subject alone (`vendas`): all tasks of that table, model or test. */
  readonly task?: string | undefined;
  /** Only lines behind the one with this id, oldest first; without it, the newest lines (in the order of time). */
  readonly after?: number | undefined;
  readonly limit: number;
}

export interface Neighbours {
  readonly previous: number | undefined;
  readonly next: number | undefined;
}

export class Queries {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync) {
    this.#statements = prepare(database);
  }

  highestBatchId(): number {
    return Number(this.#statements.highest.get()?.["id"] ?? 0);
  }

  runningBatchId(): number | undefined {
    const row = this.#statements.running.get();
    return row && Number(row["id"]);
  }

  batches({ limit, before }: BatchesRequest): record.BatchSummary[] {
    return this.#statements.batches.all({ limit, before: before ?? null }).map(record.toBatchSummary);
  }

  batch(id: number): record.BatchRecord | undefined {
    const row = this.#statements.batch.get({ id });
    if (!row) return undefined;
    return {
      ...record.toBatchSummary(row),
      tasks: this.#statements.tasks.all({ id }).map(record.toTaskAttempt),
      tables: this.#statements.tables.all({ id }).map(record.toTableRecord),
      models: this.#statements.models.all({ id }).map(record.toModelRecord),
      tests: this.#statements.tests.all({ id }).map(record.toTestRecord),
    };
  }

  neighbours(id: number): Neighbours {
    const row = this.#statements.neighbours.get({ id });
    const numberOf = (value: unknown) => (typeof value === "number" ? value : undefined);
    return { previous: numberOf(row?.["previous"]), next: numberOf(row?.["next"]) };
  }

  logs(batch: number, { task, after, limit }: LogsRequest): record.LogLine[] {
    const filter = { batch, task: task ?? null, limit };
    return after === undefined
      ? this.#statements.newestLogs.all(filter).map(record.toLogLine).reverse()
      : this.#statements.logsAfter.all({ ...filter, after }).map(record.toLogLine);
  }

  latestTables(): record.TableState[] {
    return this.#statements.latestTables.all().map(record.toTableState);
  }

  latestModels(): record.ModelState[] {
    return this.#statements.latestModels.all().map(record.toModelState);
  }

  latestTests(): record.TestState[] {
    return this.#statements.latestTests.all().map(record.toTestState);
  }

  stats(): record.StoreStats {
    return record.toStats(this.#statements.stats.get() ?? {});
  }
}

/** The latest result of each name; SQLite takes the bare columns of a `max` query from the row that has the maximum. */
function latest(table: string): string {
  return `
    SELECT *, max(batch_id) FROM ${table}
    WHERE batch_id >= (
      SELECT min(batch_id) FROM (SELECT DISTINCT batch_id FROM ${table} ORDER BY batch_id DESC LIMIT ${BATCHES_OF_LATEST})
    )
    GROUP BY name ORDER BY name`;
}

/**
 * The same for models and tests, which are skipped where nothing is new: what a successful batch skipped stays as it was, so its result is the
 * last one of a batch that ran it.
 */
function latestRun(table: string): string {
  return `
    WITH newest AS (${latest(table)})
    SELECT shown.* FROM newest JOIN batches ON batches.id = newest.batch_id
    JOIN ${table} AS shown ON shown.name = newest.name AND shown.batch_id =
      iif(newest.status = 'skipped' AND batches.status = 'success',
        coalesce((SELECT max(batch_id) FROM ${table} WHERE name = newest.name AND status <> 'skipped'), newest.batch_id),
        newest.batch_id)
    ORDER BY shown.name`;
}

function prepare(database: DatabaseSync) {
  const logs = `
    SELECT id, at, level, task, message FROM logs
    WHERE batch_id = $batch
      AND ($task IS NULL OR task = $task OR substr(task, 1, length($task) + 1) = $task || '/')`;
  return {
    highest: database.prepare("SELECT max(id) AS id FROM batches"),
    running: database.prepare("SELECT max(id) AS id FROM batches WHERE status = 'running' HAVING max(id) IS NOT NULL"),
    batches: database.prepare(`${summary("id < coalesce($before, 9e18)")} LIMIT $limit`),
    batch: database.prepare(summary("id = $id")),
    neighbours: database.prepare(`
      SELECT (SELECT max(id) FROM batches WHERE id < $id) AS previous, (SELECT min(id) FROM batches WHERE id > $id) AS next`),
    tasks: database.prepare(`
      SELECT id, kind, subject, attempt, status, started_at, finished_at, seconds, rows, bytes, error
      FROM task_attempts WHERE batch_id = $id ORDER BY started_at, id`),
    tables: database.prepare("SELECT * FROM table_results WHERE batch_id = $id ORDER BY name"),
    models: database.prepare("SELECT * FROM model_results WHERE batch_id = $id ORDER BY at, name"),
    tests: database.prepare("SELECT * FROM test_results WHERE batch_id = $id ORDER BY name"),
    newestLogs: database.prepare(`${logs} ORDER BY id DESC LIMIT $limit`),
    logsAfter: database.prepare(`${logs} AND id > $after ORDER BY id LIMIT $limit`),
    latestTables: database.prepare(`
      WITH latest AS (${latest("table_results")})
      SELECT latest.*,
        -- A table that had nothing new was not counted again where counting means reading it.
        iif(latest.status = 'success', coalesce(latest.rows_total, (SELECT rows_total FROM table_results AS counted
          WHERE counted.name = latest.name AND counted.status = 'success' AND counted.rows_total IS NOT NULL
          ORDER BY counted.batch_id DESC LIMIT 1)), latest.rows_total) AS rows_known,
        (SELECT coalesce(batches.snapshot, done.at) FROM table_results AS done JOIN batches ON batches.id = done.batch_id
          WHERE done.name = latest.name AND done.status = 'success' ORDER BY done.batch_id DESC LIMIT 1) AS loaded_as_of,
        changed.batch_id AS changed_batch_id, changed.at AS changed_at, changed.inserted AS changed_inserted,
        changed.updated AS changed_updated, changed.deleted AS changed_deleted
      FROM latest LEFT JOIN table_results AS changed ON changed.name = latest.name AND changed.batch_id = (
        SELECT max(batch_id) FROM table_results
        WHERE name = latest.name AND status = 'success' AND inserted + updated + deleted > 0
      )
      ORDER BY latest.name`),
    latestModels: database.prepare(latestRun("model_results")),
    latestTests: database.prepare(latestRun("test_results")),
    stats: database.prepare(`
      WITH recent AS (SELECT * FROM batches WHERE status <> 'running' ORDER BY id DESC LIMIT ${BATCHES_OF_STATS}),
        ordered AS (SELECT seconds, row_number() OVER (ORDER BY seconds) AS place, count(*) OVER () AS of FROM recent)
      SELECT (SELECT count(*) FROM recent) AS batches,
        (SELECT count(*) FROM recent WHERE status = 'success') AS succeeded,
        (SELECT count(*) FROM recent WHERE status = 'failed') AS failed,
        (SELECT avg(seconds) FROM ordered WHERE place IN ((of + 1) / 2, (of + 2) / 2)) AS median_seconds,
        (SELECT max(finished_at) FROM batches WHERE status = 'success') AS last_success_at`),
  };
}
