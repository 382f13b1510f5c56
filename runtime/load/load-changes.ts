/**
 * The load into a warehouse that is billed by use: PostgreSQL is asked first whether there is anything new. Where there is not, the warehouse is
 * not even logged in to; else only the tables that have something new are staged and published.
 */
import { systemClock } from "../core/clock.ts";
import { NovaError } from "../core/errors.ts";
import type { TableResult } from "../core/result.ts";
import type { TaskContext } from "../core/task.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import type { PipelineState } from "../warehouse/warehouse.ts";
import { Digests, isComparable, isUnchanged, rowsMirrored } from "./digests.ts";
import type { Failures, LoadBatchOptions, Loaded } from "./load-batch.ts";
import { eachTable, publishTables } from "./publish-tables.ts";

export async function loadChanges(options: LoadBatchOptions, failures: Failures): Promise<Loaded> {
  const { batchId, manifest, source, tables, tasks, warehouse, fullRefresh, remembered, clock = systemClock } = options;
  const startedAt = clock.now();
  await using snapshot = await tasks.run({ kind: "open", subject: "" }, async (context) => {
    for (const warning of await source.preflight(tables, context.signal)) context.log(warning, "warn");
    return await source.openSnapshot(tables, context.signal);
  });
  options.onSnapshot(snapshot.at);
  const digests = new Digests(snapshot, clock);
  const compare = (state: PipelineState) => findUnchanged({ ...options, clock, digests, state }, failures);

  if (remembered && !fullRefresh) {
    const unchanged = await compare(remembered);
    if (options.mayRest && unchanged.size === tables.length) {
      return { tables: [...unchanged.values()], state: remembered, rested: true };
    }
  }
  options.onWake?.();
  const state = await tasks.run({ kind: "prepare", subject: "" }, async ({ signal }) => {
    await warehouse.prepare(manifest, { signal });
    return await warehouse.readState({ signal });
  });
  if (state.lastBatchId >= batchId) throw numberTaken(batchId, state.lastBatchId);
  // The warehouse's own watermarks decide; where they are the remembered ones, no digest is taken twice.
  const unchanged = fullRefresh ? new Map<string, TableResult>() : await compare(state);
  const changed = tables.filter((table) => !unchanged.has(table.name));
  if (changed.length === 0) return { tables: [...unchanged.values()], state };
  const published = await publishTables(
    { ...options, tables: changed, snapshot, state, digests, startedAt, clock },
    failures,
  );
  const results = new Map([...unchanged, ...published.results.map((result) => [result.name, result] as const)]);
  return {
    tables: tables.flatMap(({ name }) => results.get(name) ?? []),
    state: { lastBatchId: batchId, watermarks: new Map([...state.watermarks, ...published.watermarks]) },
  };
}

interface Comparison extends LoadBatchOptions {
  readonly digests: Digests;
  /** The last batch that was published. */
  readonly state: PipelineState;
}

/** The results of those tables that have nothing which the next batch would read, in their order. */
async function findUnchanged(comparison: Comparison, failures: Failures): Promise<ReadonlyMap<string, TableResult>> {
  const { tables } = comparison;
  const found = await eachTable(tables, comparison, failures, (table, signal) =>
    resultIfUnchanged(comparison, table, signal),
  );
  return new Map(found.flatMap((result) => (result ? [[result.name, result]] : [])));
}

async function resultIfUnchanged(
  { digests, state, tasks, repair }: Comparison,
  table: ManifestTable,
  stop: AbortSignal,
): Promise<TableResult | undefined> {
  const watermark = state.watermarks.get(table.name);
  if (repair?.has(table.name) || !isComparable(table, watermark)) return undefined;
  const { cursor } = watermark;
  if (!digests.has(table, cursor)) {
    const look = async (context: TaskContext) => {
      const same = isUnchanged(watermark, await digests.take(table, cursor, context.signal));
      context.log(`${same ? "nothing new" : "something has changed"} since batch ${watermark.batchId}`);
    };
    await tasks.run({ kind: "digest", subject: table.name }, look, { signal: stop });
  }
  const digest = await digests.take(table, cursor, stop);
  if (!isUnchanged(watermark, digest)) return undefined;
  const total = rowsMirrored(table, cursor, digest);
  return {
    name: table.name,
    mode: table.sync.mode,
    rows_read: 0,
    inserted: 0,
    updated: 0,
    deleted: 0,
    ...(total !== undefined && { rows_total: total }),
    bytes: 0,
    seconds: digests.seconds(table),
    status: "success",
  };
}

function numberTaken(batchId: number, lastBatchId: number): NovaError {
  return new NovaError(
    "BATCH_NUMBER_TAKEN",
    `Batch ${batchId} cannot be published: the warehouse has batches up to ${lastBatchId}, from another machine or state folder.`,
    { details: { lastBatchId } },
  );
}
