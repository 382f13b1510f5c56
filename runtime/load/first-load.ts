/**
 * The first load of a large table, so that it can be gone on with: each file is noted together with its rows, and a later batch reads only what
 * the notes lack, and what has changed since they were taken.
 */
import type { TaskContext } from "../core/task.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import type { ExtractSummary, SourceSnapshot } from "../source/source.ts";
import type { FirstLoad, FirstLoads, Incoming, KeptLoad, Warehouse, Watermark } from "../warehouse/warehouse.ts";
import { manifestFence } from "./scope.ts";
import { transfer } from "./transfer.ts";

/**
 * Bytes of a table, TOAST included, from which on a first load is worth going on with. Below that all of it is read again in a few seconds, which
 * is about what it takes to find out what has changed.
 */
const WORTH_KEEPING = 256e6;

/** How rows come into the warehouse; those of one load have to come in one way, so a change of that is noted here. */
const FORM = "1";

export interface FirstLoadOptions {
  readonly table: ManifestTable;
  readonly snapshot: SourceSnapshot;
  readonly warehouse: Warehouse;
  readonly batchId: number;
  readonly folder: string;
  /** Bytes; WORTH_KEEPING unless told. */
  readonly keepFrom?: number | undefined;
}

/** @returns undefined where the table is loaded as any other: nothing could go on with what would be left of it, or it is not worth it */
export async function loadFirst(
  options: FirstLoadOptions,
  context: TaskContext,
): Promise<(ExtractSummary & { readonly incoming: Incoming }) | undefined> {
  const { table, snapshot, warehouse, keepFrom = WORTH_KEEPING } = options;
  const { signal } = context;
  const { firstLoads } = warehouse;
  if (!firstLoads || !canBeCompleted(table)) return undefined;
  const standing = await snapshot.standing(table, signal);
  if (!standing || standing.bytes < keepFrom) return undefined;
  // What a crash of the source would take back must not be noted as read.
  await snapshot.settle(signal);
  const fence = { ...standing.fence, ...manifestFence(table), form: FORM };
  const { load, kept } = await begin(options, { firstLoads, fence, context });
  const summary = await transfer(options, {
    what: "rows",
    taken: kept?.notes,
    take: (file, note) => load.add(file, { signal, note }),
    context,
  });
  if (kept) {
    await load.complete(
      { rows: await snapshot.count(table, signal), keys: () => readKeys(options, context) },
      { signal },
    );
  }
  return { ...summary, incoming: load };
}

/**
 * Without a key, a row that is read again cannot be told from another; and values that are counted would be counted again with it, or not at
 * all.
 */
function canBeCompleted({ primaryKey, columns }: ManifestTable): boolean {
  return primaryKey.length > 0 && columns.every(({ onMisfit }) => onMisfit !== "null" && onMisfit !== "text");
}

interface Beginning {
  readonly firstLoads: FirstLoads;
  readonly fence: Watermark["fence"];
  readonly context: TaskContext;
}

async function begin(
  { table, snapshot, batchId }: FirstLoadOptions,
  { firstLoads, fence, context }: Beginning,
): Promise<{ readonly load: FirstLoad; readonly kept: KeptLoad | undefined }> {
  const { signal } = context;
  const found = await firstLoads.read(table, { signal });
  const kept = found && found.notes.length > 0 ? found : undefined;
  const why = kept && (changeHere(kept.fence, fence) ?? snapshot.cannotGoOn(table, kept));
  const goesOn = kept !== undefined && why === undefined;
  if (kept) {
    const what = `the first load that batch ${kept.batchId} did not end, with ${kept.rows} rows in ${kept.notes.length} files`;
    context.log(goesOn ? `goes on with ${what}` : `begins anew, without ${what}: ${why}`);
  }
  const load = await firstLoads.open({ batchId, table, goesOn, fence }, { signal });
  return { load, kept: goesOn ? kept : undefined };
}

function changeHere(before: Watermark["fence"], now: Watermark["fence"]): string | undefined {
  if (before["form"] !== now["form"]) return "another version of this program has read it";
  return before["shape"] === now["shape"] ? undefined : "the manifest names other columns, types or keys than before";
}

async function readKeys(options: FirstLoadOptions, context: TaskContext): Promise<Incoming> {
  const { batchId, table, warehouse } = options;
  const keys = await warehouse.openIncoming(batchId, table, "keys");
  await transfer(options, { what: "keys", take: (file) => keys.add(file, { signal: context.signal }), context });
  await keys.seal({ signal: context.signal });
  return keys;
}
