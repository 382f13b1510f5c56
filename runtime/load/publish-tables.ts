/** Several tables from one snapshot through to the one transaction that publishes them. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { toNovaError } from "../core/errors.ts";
import type { TableResult } from "../core/result.ts";
import type { TaskContext } from "../core/task.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import type { SourceSnapshot } from "../source/source.ts";
import type { PipelineState, Watermark } from "../warehouse/warehouse.ts";
import type { Digests } from "./digests.ts";
import type { Failures, LoadBatchOptions } from "./load-batch.ts";
import { loadTable, type LoadedTable } from "./load-table.ts";
import type { Warnings } from "./warnings.ts";

export interface PublishTablesOptions extends LoadBatchOptions {
  /** Those to publish, of the tables that were named. */
  readonly tables: readonly ManifestTable[];
  readonly snapshot: SourceSnapshot;
  readonly state: PipelineState;
  /** Where the watermarks are to carry digests. */
  readonly digests?: Digests | undefined;
  readonly warnings: Warnings;
  readonly startedAt: Date;
  readonly clock: Clock;
}

export interface PublishedTables {
  /** In the order of `tables`. */
  readonly results: readonly TableResult[];
  /** By table. */
  readonly watermarks: ReadonlyMap<string, Watermark>;
}

export async function publishTables(options: PublishTablesOptions, failures: Failures): Promise<PublishedTables> {
  const { batchId, tables, tasks, warehouse, snapshot, state, startedAt } = options;
  const loaded = await eachTable(tables, options, failures, (table, signal) =>
    loadTable({ ...options, table, previous: state.watermarks.get(table.name), signal }),
  );
  await snapshot.settle(tasks.signal);
  // Everything is read: publishing may take long, and what VACUUM could remove should not wait for it.
  await snapshot[Symbol.asyncDispose]();
  // One for all attempts: what became of the first one is found by it.
  const uuid = randomUUID();
  const published = await tasks.run({ kind: "publish", subject: "" }, async (context) => {
    const batch = { id: batchId, uuid, snapshot: snapshot.at, startedAt };
    const publication = { batch, tables: loaded.map((table) => table.publication) };
    const done = await warehouse.publish(publication, { signal: context.signal });
    await keepDigests(options, loaded, context);
    return done;
  });
  const counts = new Map(published.map(({ rows, ...changes }) => [changes.name, { ...changes, rows_total: rows }]));
  return {
    results: loaded.map((table) => ({ ...successful(table), ...counts.get(table.publication.table.name) })),
    watermarks: new Map(loaded.map(({ publication: { table, watermark } }) => [table.name, watermark])),
  };
}

/** Not part of the publication, which is committed: the next batch can do without. */
async function keepDigests(
  { keyStore, manifest }: PublishTablesOptions,
  loaded: readonly LoadedTable[],
  context: TaskContext,
): Promise<void> {
  try {
    await keyStore?.keepOnly(manifest.tables);
    for (const { publication, keyDigests } of loaded) {
      if (keyDigests) await keyStore?.write(publication.table, keyDigests);
    }
  } catch (thrown) {
    context.log(`what is known of the keys could not be noted: ${toNovaError(thrown).message}`, "warn");
  }
}

/** Does `work` for several tables at once, and remembers of which one it was that it failed. */
export function eachTable<T>(
  tables: readonly ManifestTable[],
  { concurrency, tasks }: LoadBatchOptions,
  failures: Failures,
  work: (table: ManifestTable, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  return mapConcurrently(tables, { limit: concurrency, signal: tasks.signal }, async (table, signal) => {
    try {
      return await work(table, signal);
    } catch (thrown) {
      if (!signal.aborted) failures.set(table.name, toNovaError(thrown));
      throw thrown;
    }
  });
}

function successful({ publication: { table }, rowsRead, bytes, misfits, seconds }: LoadedTable): TableResult {
  return {
    name: table.name,
    mode: table.sync.mode,
    rows_read: rowsRead,
    inserted: 0,
    updated: 0,
    deleted: 0,
    bytes,
    ...(Object.keys(misfits).length > 0 && { misfits }),
    seconds,
    status: "success",
  };
}
