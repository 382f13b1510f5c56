/** The load of a batch: one snapshot, every table through it, and one transaction that publishes them all. */
import { systemClock, type Clock } from "../core/clock.ts";
import { toNovaError, type NovaError } from "../core/errors.ts";
import type { TableResult } from "../core/result.ts";
import type { TaskContext, TaskRunner } from "../core/task.ts";
import type { Warning } from "../core/warning.ts";
import type { Manifest, ManifestTable } from "../manifest/manifest.ts";
import type { Source } from "../source/source.ts";
import type { PipelineState, Warehouse } from "../warehouse/warehouse.ts";
import type { KeyStore } from "./key-store.ts";
import { loadChanges } from "./load-changes.ts";
import { publishTables } from "./publish-tables.ts";
import { findUntouched, inOrder } from "./untouched.ts";
import { Warnings } from "./warnings.ts";

export interface LoadBatchOptions {
  readonly batchId: number;
  readonly manifest: Manifest;
  /** The tables to load: all of the manifest, or those that the user named. */
  readonly tables: readonly ManifestTable[];
  readonly source: Source;
  readonly warehouse: Warehouse;
  readonly tasks: TaskRunner;
  readonly fullRefresh: boolean;
  /**
   * Tables that a verification found unequal, and how they are made equal: read whole and merged by key, so that rows which are equal stay as
   * they are, or replaced.
   */
  readonly repair?: ReadonlyMap<string, "merge" | "replace"> | undefined;
  /** Folder for staged files. */
  readonly folder: string;
  /** What this machine knows of the keys that are published. */
  readonly keyStore?: KeyStore | undefined;
  /** Tables under way at the same time. */
  readonly concurrency: number;
  readonly onSnapshot: (snapshot: string) => void;
  /** Hears each thing that is worth a warning once; the log has it too. */
  readonly onWarning?: ((warning: Warning) => void) | undefined;
  /** What this machine knows of the last batch; looked at only where the warehouse's statements cost money. */
  readonly remembered?: KnownState | undefined;
  /** Whether nothing is to be done at all if no table has anything new since `remembered`. */
  readonly mayRest?: boolean | undefined;
  /** Called before the first statement to a warehouse whose statements cost money. */
  readonly onWake?: (() => void) | undefined;
  /** Bytes of a table from which on a first load that did not end is gone on with; as large as is worth it unless told. */
  readonly keepFrom?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** What is published, and for which states of the source that is still all there is. */
export interface KnownState extends PipelineState {
  /** By table: a state of the source, later than that of its watermark, that has nothing new for it. */
  readonly seen: ReadonlyMap<string, string>;
}

export interface Loaded {
  /** In the order of the tables that were asked for. */
  readonly tables: readonly TableResult[];
  /** What the warehouse has now; undefined where nobody needs to remember it. */
  readonly state?: KnownState | undefined;
  /** Nothing was new, and the warehouse was not asked anything. */
  readonly rested?: true | undefined;
}

export interface LoadOutcome extends Loaded {
  /** Set if nothing was published. */
  readonly error?: NovaError | undefined;
}

/** What went wrong, by table. */
export type Failures = Map<string, NovaError>;

/** Does not throw: what went wrong is the outcome's `error`, and the result of the table where it did. */
export async function loadBatch(options: LoadBatchOptions): Promise<LoadOutcome> {
  const { tables, tasks, warehouse } = options;
  const failures: Failures = new Map();
  const warnings = new Warnings(options.onWarning);
  const load = warehouse.capabilities.metered ? loadChanges : loadEverything;
  try {
    return await tasks.restartable(() => {
      failures.clear();
      return load(options, failures, warnings);
    });
  } catch (thrown) {
    return { tables: tables.map((table) => unpublished(table, failures.get(table.name))), error: toNovaError(thrown) };
  }
}

/** Where looking first would cost more than it spares, unless it costs nothing. */
async function loadEverything(options: LoadBatchOptions, failures: Failures, warnings: Warnings): Promise<Loaded> {
  const { tables, tasks, fullRefresh, clock = systemClock } = options;
  const unrepaired = tables.filter(({ name }) => !options.repair?.has(name));
  const startedAt = clock.now();
  const { state, snapshot, untouched } = await tasks.run({ kind: "open", subject: "" }, async (context) => {
    const opened = await open(options, context, warnings);
    await using made = new AsyncDisposableStack();
    made.use(opened.snapshot);
    const found = fullRefresh ? new Map() : findUntouched({ ...opened, tables: unrepaired, context });
    made.move();
    return { ...opened, untouched: found };
  });
  await using _closed = snapshot;
  options.onSnapshot(snapshot.at);
  const rest = tables.filter(({ name }) => !untouched.has(name));
  if (rest.length === 0) return { tables: [...untouched.values()] };
  const { results } = await publishTables(
    { ...options, tables: rest, snapshot, state, warnings, startedAt, clock },
    failures,
  );
  return { tables: inOrder(tables, [...untouched.values(), ...results]) };
}

async function open(
  { source, warehouse, manifest, tables }: LoadBatchOptions,
  context: TaskContext,
  warnings: Warnings,
) {
  warnings.tell(context, await source.preflight(tables, context.signal));
  warnings.tell(context, await warehouse.prepare(manifest, { signal: context.signal }));
  const state = await warehouse.readState({ signal: context.signal });
  return { state, snapshot: await source.openSnapshot(tables, context.signal) };
}

function unpublished(table: ManifestTable, error: NovaError | undefined): TableResult {
  const nothing = { rows_read: 0, inserted: 0, updated: 0, deleted: 0, bytes: 0, seconds: 0 };
  const result = { ...nothing, name: table.name, mode: table.sync.mode };
  return error ? { ...result, status: "failed", error: error.report() } : { ...result, status: "skipped" };
}
