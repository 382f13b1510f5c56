/**
 * The load into a warehouse that is billed by use: PostgreSQL is asked first whether there is anything new. Where there is not, the warehouse is
 * not even logged in to; else only the tables that have something new are staged and published.
 */
import { systemClock } from "../core/clock.ts";
import { NovaError } from "../core/errors.ts";
import type { TableResult } from "../core/result.ts";
import type { TaskContext } from "../core/task.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import type { SourceSnapshot } from "../source/source.ts";
import type { PipelineState } from "../warehouse/warehouse.ts";
import { Digests, isComparable, isUnchanged, rowsMirrored } from "./digests.ts";
import type { Failures, KnownState, LoadBatchOptions, Loaded } from "./load-batch.ts";
import { eachTable, publishTables } from "./publish-tables.ts";
import { loadScope } from "./scope.ts";
import { findUntouched, inOrder, nothingNew } from "./untouched.ts";
import type { Warnings } from "./warnings.ts";

export async function loadChanges(options: LoadBatchOptions, failures: Failures, warnings: Warnings): Promise<Loaded> {
  const { batchId, manifest, source, tables, tasks, warehouse, fullRefresh, clock = systemClock } = options;
  const remembered = fullRefresh ? undefined : options.remembered;
  const unrepaired = tables.filter(({ name }) => !options.repair?.has(name));
  const startedAt = clock.now();
  const { snapshot, untouched } = await tasks.run({ kind: "open", subject: "" }, async (context) => {
    warnings.tell(context, await source.preflight(tables, context.signal));
    await using made = new AsyncDisposableStack();
    const opened = made.use(await source.openSnapshot(tables, context.signal));
    const found = remembered && untouchedSince(remembered, opened, unrepaired, context);
    made.move();
    return { snapshot: opened, untouched: found };
  });
  await using _closed = snapshot;
  options.onSnapshot(snapshot.at);
  const digests = new Digests(snapshot, clock);
  const seenNow = (unchanged: ReadonlyMap<string, TableResult>): [string, string][] =>
    [...unchanged.keys()].flatMap((name) => (snapshot.state === undefined ? [] : [[name, snapshot.state]]));
  const compare = async (state: PipelineState, known: ReadonlyMap<string, TableResult>) => {
    const rest = tables.filter(({ name }) => !known.has(name));
    const found = await findUnchanged({ ...options, tables: rest, snapshot, clock, digests, state }, failures);
    return new Map([...known, ...found]);
  };

  if (remembered && untouched) {
    const unchanged = await compare(remembered, untouched);
    if (options.mayRest && unchanged.size === tables.length) {
      const seen = new Map([...remembered.seen, ...seenNow(unchanged)]);
      const state: KnownState | undefined = untouched.size < tables.length ? { ...remembered, seen } : undefined;
      return { tables: inOrder(tables, [...unchanged.values()]), state, rested: true };
    }
  }
  options.onWake?.();
  const state = await tasks.run({ kind: "prepare", subject: "" }, async (context) => {
    const { signal } = context;
    warnings.tell(context, await warehouse.prepare(manifest, { signal }));
    return await warehouse.readState({ signal });
  });
  if (state.lastBatchId >= batchId) throw numberTaken(batchId, state.lastBatchId);
  // The warehouse's own watermarks decide; where they are the remembered ones, no digest is taken twice.
  const unchanged = fullRefresh
    ? new Map<string, TableResult>()
    : await compare(state, findUntouched({ snapshot, tables: unrepaired, state }));
  const changed = tables.filter((table) => !unchanged.has(table.name));
  const seen = new Map(seenNow(unchanged));
  if (changed.length === 0) return { tables: inOrder(tables, [...unchanged.values()]), state: { ...state, seen } };
  const published = await publishTables(
    { ...options, tables: changed, snapshot, state, warnings, digests, startedAt, clock },
    failures,
  );
  return {
    tables: inOrder(tables, [...unchanged.values(), ...published.results]),
    state: { lastBatchId: batchId, watermarks: new Map([...state.watermarks, ...published.watermarks]), seen },
  };
}

function untouchedSince(
  remembered: KnownState,
  snapshot: SourceSnapshot,
  tables: readonly ManifestTable[],
  context: TaskContext,
): ReadonlyMap<string, TableResult> {
  return findUntouched({ snapshot, tables, state: remembered, seen: remembered.seen, context });
}

interface Comparison extends LoadBatchOptions {
  readonly snapshot: SourceSnapshot;
  readonly digests: Digests;
  /** The last batch that was published. */
  readonly state: PipelineState;
}

/** The results of those tables that have nothing which the next batch would read. */
async function findUnchanged(comparison: Comparison, failures: Failures): Promise<ReadonlyMap<string, TableResult>> {
  const { tables } = comparison;
  const found = await eachTable(tables, comparison, failures, (table, signal) =>
    resultIfUnchanged(comparison, table, signal),
  );
  return new Map(found.flatMap((result) => (result ? [[result.name, result]] : [])));
}

async function resultIfUnchanged(
  { digests, snapshot, state, tasks, repair }: Comparison,
  table: ManifestTable,
  stop: AbortSignal,
): Promise<TableResult | undefined> {
  const watermark = state.watermarks.get(table.name);
  if (!watermark || repair?.has(table.name)) return undefined;
  const { since } = loadScope(snapshot, table, watermark, undefined);
  if (!isComparable(table, watermark, since)) return undefined;
  if (!digests.has(table, since)) {
    const look = async (context: TaskContext) => {
      const same = isUnchanged(watermark, await digests.take(table, since, context.signal));
      context.log(`${same ? "nothing new" : "something has changed"} since batch ${watermark.batchId}`);
    };
    await tasks.run({ kind: "digest", subject: table.name }, look, { signal: stop });
  }
  const digest = await digests.take(table, since, stop);
  if (!isUnchanged(watermark, digest)) return undefined;
  return nothingNew(table, { rows: rowsMirrored(table, watermark, since), seconds: digests.seconds(table) });
}

function numberTaken(batchId: number, lastBatchId: number): NovaError {
  return new NovaError(
    "BATCH_NUMBER_TAKEN",
    `Batch ${batchId} cannot be published: the warehouse has batches up to ${lastBatchId}, from another machine or state folder.`,
    { details: { lastBatchId } },
  );
}
