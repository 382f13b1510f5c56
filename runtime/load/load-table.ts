/** One table's way from the source's snapshot into the warehouse, up to the point where it can be published. */
import { secondsBetween, type Clock } from "../core/clock.ts";
import { NovaError } from "../core/errors.ts";
import type { StagedFile } from "../core/staged-file.ts";
import type { TaskContext, TaskKind, TaskRunner } from "../core/task.ts";
import type { Misfits } from "../core/result.ts";
import type { KeySelection } from "../manifest/fingerprint.ts";
import { keepsDeleted, type ManifestTable } from "../manifest/manifest.ts";
import type { Since, SourceSnapshot } from "../source/source.ts";
import type { Incoming, IncomingPurpose, TablePublication, Warehouse, Watermark } from "../warehouse/warehouse.ts";
import { digestFence, type Digests } from "./digests.ts";
import { loadFirst } from "./first-load.ts";
import type { KeyDigests } from "./key-digests.ts";
import type { KeyStore } from "./key-store.ts";
import type { LoadBatchOptions } from "./load-batch.ts";
import { describeMisfits } from "./misfits.ts";
import { planFullRefresh } from "./mode-full-refresh.ts";
import { otherDetection } from "./other-detection.ts";
import { isReordered, planOtherKey } from "./other-key.ts";
import { LOAD_ANEW, planReplacing, planTable } from "./plan.ts";
import { formerKey, keyFence, loadScope, manifestFence, type FormerKey } from "./scope.ts";
import type { TablePlan } from "./table-plan.ts";
import { transfer } from "./transfer.ts";
import { findVanishedKeys, noteKeys, type VanishedKeys } from "./vanished-keys.ts";
import { shownBy } from "./verified-ground.ts";
import type { Warnings } from "./warnings.ts";

export interface LoadTableOptions {
  readonly table: ManifestTable;
  readonly snapshot: SourceSnapshot;
  readonly warehouse: Warehouse;
  readonly tasks: TaskRunner;
  readonly batchId: number;
  /** Of the last published batch. */
  readonly previous: Watermark | undefined;
  readonly fullRefresh: boolean;
  readonly repair?: LoadBatchOptions["repair"];
  readonly keepFrom?: LoadBatchOptions["keepFrom"];
  /** Where the watermark is to carry a digest. */
  readonly digests?: Digests | undefined;
  /** What this machine knows of the keys that are published. */
  readonly keyStore?: KeyStore | undefined;
  readonly warnings: Warnings;
  /** Folder for staged files; a folder of the table's own is made in it, and removed. */
  readonly folder: string;
  readonly clock: Clock;
  /** Aborted when another table has failed, so that this one's work is in vain. */
  readonly signal: AbortSignal;
}

/** Everything that the publishing transaction needs of the table, and what was read for it. */
export interface LoadedTable {
  readonly publication: TablePublication;
  readonly rowsRead: number;
  /** Bytes of CSV, keys included. */
  readonly bytes: number;
  /** By column; only those that have some. */
  readonly misfits: Misfits;
  readonly seconds: number;
  /** To be kept once it is published. */
  readonly keyDigests?: KeyDigests | undefined;
}

/** @throws NovaError of the source or the warehouse, after the task's retries */
export async function loadTable(options: LoadTableOptions): Promise<LoadedTable> {
  const { table, tasks, clock } = options;
  const startedAt = clock.now();
  const run = <T>(kind: TaskKind, work: (context: TaskContext) => Promise<T>) =>
    tasks.run({ kind, subject: table.name }, work, { signal: options.signal });
  const { plan, publishedAs, watermark } = await run("watermark", (context) => decide(options, context));
  const { rows, rowsRead, bytes, misfits } = await run("extract", (context) => extract(options, plan, context));
  const sealed = await run("load", (context) => seal(options, { plan, rows }, context)).catch(
    async (thrown: unknown) => {
      // What is wrong once all is there would be wrong again if a later batch went on with it.
      if (thrown instanceof NovaError && thrown.code.startsWith("LOAD_")) await rows.discard().catch(() => undefined);
      throw thrown;
    },
  );
  const { keys, within, count, ...vanished } = sealed;
  const fence = { ...watermark.fence, ...vanished.fence, ...shownBy(options.snapshot, count) };
  return {
    publication: {
      table: publishedAs,
      action: plan.action,
      rows,
      keys: plan.keys === "rows" ? rows : keys,
      ...(within && { keysWithin: within }),
      watermark: { ...watermark, fence },
    },
    rowsRead,
    bytes: bytes + vanished.bytes,
    misfits,
    keyDigests: vanished.digests,
    seconds: secondsBetween(startedAt, clock.now()),
  };
}

interface Decided {
  readonly plan: TablePlan;
  /** The table, with the key by which rows that vanish are told. */
  readonly publishedAs: ManifestTable;
  /** How far the table will have been read. */
  readonly watermark: Watermark;
}

async function decide(options: LoadTableOptions, context: TaskContext): Promise<Decided> {
  const { table, snapshot, previous, fullRefresh, batchId, digests } = options;
  const { signal } = context;
  const repair = options.repair?.get(table.name);
  const goesOn = previous && !fullRefresh && repair === undefined;
  const scope = goesOn ? loadScope(snapshot, table, previous, undefined) : undefined;
  if (scope?.why !== undefined) context.log(`${scope.since ? "" : "all rows are read: "}${scope.why}`);
  const former = previous && formerKey(table, previous);
  const other = scope && former && planOtherKey(table, former);
  if (other?.warning) options.warnings.tell(context, [other.warning]);
  const plan = other?.plan ?? (scope ? planTable(table, scope.since) : planWhole(options, former));
  const position = await snapshot.position({ table, previous, since: plan.since, signal });
  if (position.cursorColumn !== null) {
    const moved = position.cursor !== previous?.cursor;
    context.log(
      `cursor ${position.cursorColumn} ${moved ? "reaches" : "stays at"} ${position.cursor ?? "the beginning"}`,
    );
  }
  const turned = previous && otherDetection(table, previous, position);
  if (turned) options.warnings.tell(context, [turned]);
  const next = snapshot.scope(table, position).since;
  const digest = digests ? digestFence(table, next, await digests.take(table, next, signal)) : {};
  return {
    plan,
    publishedAs: other?.table ?? table,
    watermark: {
      batchId,
      ...position,
      fence: { ...position.fence, ...manifestFence(table), ...keyFence(table), ...digest },
    },
  };
}

/** A table that is loaded for the first time, that is to be loaded anew, or that is repaired. */
function planWhole({ table, previous, repair }: LoadTableOptions, former: FormerKey | undefined): TablePlan {
  switch (repair?.get(table.name)) {
    // Rows that are equal stay as they are; and so do those that the source has deleted, where they are kept.
    case "merge":
      return planTable(table, undefined);
    case "replace":
      return planReplacing(table);
    case undefined: {
      const sameKey = former === undefined || isReordered(former, table);
      return keepsDeleted(table) && previous !== undefined && sameKey ? planFullRefresh(table) : LOAD_ANEW;
    }
  }
}

interface Extracted {
  readonly rows: Incoming;
  readonly rowsRead: number;
  readonly bytes: number;
  readonly misfits: Misfits;
}

/** Another attempt starts from nothing, unless it is a first load that goes on. */
async function extract(options: LoadTableOptions, plan: TablePlan, context: TaskContext): Promise<Extracted> {
  const isFirst = !options.previous && !options.fullRefresh && !options.repair?.has(options.table.name);
  const first = isFirst ? await loadFirst(options, context) : undefined;
  const rows = first ?? (await take(options, { what: "rows", since: plan.since, context }));
  context.log(`read ${rows.rows} rows${plan.since ? since(plan.since) : ""}`);
  const { misfits } = rows;
  for (const line of describeMisfits(options.table, misfits)) context.log(line, "warn");
  return { rows: rows.incoming, rowsRead: rows.rows, bytes: rows.bytes, misfits };
}

interface Sealed extends Omit<VanishedKeys, "count"> {
  /** Rows of the source's table, if they were counted. */
  readonly count?: number | undefined;
}

/** The rows are in the warehouse, and after them the keys by which vanished ones are found. */
async function seal(
  options: LoadTableOptions,
  { plan, rows }: { readonly plan: TablePlan; readonly rows: Incoming },
  context: TaskContext,
): Promise<Sealed> {
  const { table, snapshot, previous } = options;
  const { signal } = context;
  const count = await rows.seal({ signal });
  if (plan.keys === "all-keys") {
    return await findVanishedKeys({
      ...options,
      previous,
      since: plan.since,
      store: options.keyStore,
      rows: { incoming: rows, count },
      readKeys: async (within) => {
        const keys = await take(options, { what: "keys", within, context });
        await keys.incoming.seal({ signal });
        return { ...keys, count: keys.rows };
      },
      log: (message) => context.log(message),
      signal,
    });
  }
  if (plan.since !== undefined) return { bytes: 0, fence: {} };
  return { bytes: 0, count, fence: await noteKeys({ table, snapshot, rows: count, signal }) };
}

function since({ by, from, parts }: Since): string {
  const whole = parts ? `, and all of ${parts.length} partitions that were attached, truncated or rewritten` : "";
  return `${by === "cursor" ? ` since ${from}` : ` of transactions since ${from}`}${whole}`;
}

interface Taking {
  readonly what: IncomingPurpose;
  readonly since?: Since | undefined;
  readonly within?: KeySelection | undefined;
  readonly context: TaskContext;
}

async function take(options: LoadTableOptions, { context, ...which }: Taking) {
  const { table, warehouse, batchId } = options;
  const { signal } = context;
  const incoming = await warehouse.openIncoming(batchId, table, which.what);
  const add = (file: StagedFile) => incoming.add(file, { signal });
  return { ...(await transfer(options, { ...which, take: add, context })), incoming };
}
