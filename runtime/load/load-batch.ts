/** The load of a batch: one snapshot, every table through it, and one transaction that publishes them all. */
import { randomUUID } from "node:crypto";
import { systemClock, type Clock } from "../core/clock.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { toNovaError, type NovaError } from "../core/errors.ts";
import type { TableResult } from "../core/result.ts";
import type { TaskContext, TaskRunner } from "../core/task.ts";
import type { Manifest, ManifestTable } from "../manifest/manifest.ts";
import type { Source } from "../source/source.ts";
import type { Warehouse } from "../warehouse/warehouse.ts";
import { loadTable, type LoadedTable } from "./load-table.ts";

export interface LoadBatchOptions {
  readonly batchId: number;
  readonly manifest: Manifest;
  /** The tables to load: all of the manifest, or those that the user named. */
  readonly tables: readonly ManifestTable[];
  readonly source: Source;
  readonly warehouse: Warehouse;
  readonly tasks: TaskRunner;
  readonly fullRefresh: boolean;
  /** Folder for staged files. */
  readonly folder: string;
  /** Tables under way at the same time. */
  readonly concurrency: number;
  readonly onSnapshot: (snapshot: string) => void;
  readonly clock?: Clock | undefined;
}

export interface LoadOutcome {
  /** In the order of `tables`. */
  readonly tables: readonly TableResult[];
  /** Set if nothing was published. */
  readonly error?: NovaError | undefined;
}

/** Does not throw: what went wrong is the outcome's `error`, and the result of the table where it did. */
export async function loadBatch(options: LoadBatchOptions): Promise<LoadOutcome> {
  const failures = new Map<string, NovaError>();
  try {
    return { tables: await options.tasks.restartable(() => loadAndPublish(options, failures)) };
  } catch (thrown) {
    const tables = options.tables.map((table) => unpublished(table, failures.get(table.name)));
    return { tables, error: toNovaError(thrown) };
  }
}

async function loadAndPublish(
  options: LoadBatchOptions,
  failures: Map<string, NovaError>,
): Promise<readonly TableResult[]> {
  const { batchId, tables, tasks, warehouse, fullRefresh, folder, clock = systemClock } = options;
  failures.clear();
  const startedAt = clock.now();
  const { state, snapshot } = await tasks.run({ kind: "open", subject: "" }, (context) => open(options, context));
  await using _closed = snapshot;
  options.onSnapshot(snapshot.at);
  const loaded = await mapConcurrently(
    tables,
    { limit: options.concurrency, signal: tasks.signal },
    async (table, signal) => {
      try {
        const previous = state.watermarks.get(table.name);
        return await loadTable({
          table,
          snapshot,
          warehouse,
          tasks,
          batchId,
          previous,
          fullRefresh,
          folder,
          clock,
          signal,
        });
      } catch (thrown) {
        if (!signal.aborted) failures.set(table.name, toNovaError(thrown));
        throw thrown;
      }
    },
  );
  const published = await tasks.run({ kind: "publish", subject: "" }, () =>
    warehouse.publish({
      batch: { id: batchId, uuid: randomUUID(), snapshot: snapshot.at, startedAt },
      tables: loaded.map((table) => table.publication),
    }),
  );
  const counts = new Map(published.map(({ rows, ...changes }) => [changes.name, { ...changes, rows_total: rows }]));
  return loaded.map((table) => ({ ...successful(table), ...counts.get(table.publication.table.name) }));
}

async function open({ source, warehouse, manifest, tables }: LoadBatchOptions, context: TaskContext) {
  for (const warning of await source.preflight(tables, context.signal)) context.log(warning, "warn");
  await warehouse.prepare(manifest);
  const state = await warehouse.readState();
  return { state, snapshot: await source.openSnapshot(tables, context.signal) };
}

const NOTHING = { rows_read: 0, inserted: 0, updated: 0, deleted: 0, bytes: 0 };

function successful({ publication: { table }, rowsRead, bytes, seconds }: LoadedTable): TableResult {
  return {
    ...NOTHING,
    name: table.name,
    mode: table.sync.mode,
    rows_read: rowsRead,
    bytes,
    seconds,
    status: "success",
  };
}

function unpublished(table: ManifestTable, error: NovaError | undefined): TableResult {
  const result = { ...NOTHING, name: table.name, mode: table.sync.mode, seconds: 0 };
  return error ? { ...result, status: "failed", error: error.report() } : { ...result, status: "skipped" };
}
