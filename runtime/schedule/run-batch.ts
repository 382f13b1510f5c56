/** One whole batch: load, models, tests; recorded from its first to its last event. */
import { join } from "node:path";
import type { Config } from "../config/options.ts";
import { secondsBetween, systemClock, type Clock } from "../core/clock.ts";
import { toNovaError, type NovaError } from "../core/errors.ts";
import type { BatchTrigger, EventBus } from "../core/events.ts";
import type { BatchResult, ModelResult, TableResult, TestResult, WarehouseUsage } from "../core/result.ts";
import type { Warning } from "../core/warning.ts";
import type { LoadBatchOptions } from "../load/load-batch.ts";
import { readManifest } from "../manifest/read.ts";
import type { Store } from "../store/store.ts";
import { selectNodes } from "../transform/select.ts";
import { openWarehouse } from "../warehouse/open.ts";
import type { Warehouse } from "../warehouse/warehouse.ts";
import { acquireBatchLock } from "./batch-lock.ts";
import { buildModels, openProject } from "./build-models.ts";
import { EarlyWarnings } from "./early-warnings.ts";
import { loadTables } from "./load-tables.ts";
import { openForBatch } from "./open-for-batch.ts";
import { projectFingerprint } from "./project-fingerprint.ts";
import { forgetPublished, writePublished, type PublishedState } from "./published-copy.ts";
import { createTaskRunner } from "./task-runner.ts";
import { untouchedModels } from "./untouched-models.ts";

export interface RunBatchOptions {
  readonly config: Config;
  readonly store: Store;
  readonly events: EventBus;
  readonly trigger: BatchTrigger;
  /** Aborted when the batch is to stop; nothing is published then, unless the publishing transaction is already over. */
  readonly signal: AbortSignal;
  /** Names of tables to load; all if empty. */
  readonly tables?: readonly string[] | undefined;
  /** dbt selection of models; all if absent. */
  readonly select?: string | undefined;
  readonly fullRefresh?: boolean | undefined;
  /** Tables to make equal again, and how. */
  readonly repair?: LoadBatchOptions["repair"];
  readonly clock?: Clock | undefined;
  /** How the settings' warehouse is opened, if not by its URL. */
  readonly openWarehouse?: typeof openWarehouse | undefined;
}

/**
 * What goes wrong inside the batch is told by its result; only what keeps it from beginning is thrown.
 *
 * @throws NovaError BATCH_RUNNING, FOLDER_NOT_WRITABLE
 */
export async function runBatch(options: RunBatchOptions): Promise<BatchResult> {
  const { config, store, clock = systemClock } = options;
  using _lock = acquireBatchLock(config.stateDir);
  store.closeAbandoned(clock.now());
  const warnings = new EarlyWarnings();
  const open = options.openWarehouse ?? openWarehouse;
  const { lastBatchId, ...opened } = await openForBatch({ config, store, open, warn: warnings.warn });
  await using warehouse = opened.warehouse;
  const context = { ...opened, warehouse, clock, warnings };
  const result = await runNumbered(options, { ...context, batchId: store.nextBatchId(lastBatchId) });
  if (result.error?.code !== "BATCH_NUMBER_TAKEN") return result;
  // The number was taken from what this machine remembers; now the warehouse has been asked.
  const batchId = store.nextBatchId(Number(result.error.details?.["lastBatchId"]));
  return await runNumbered(options, { ...context, batchId, remembered: undefined, accounted: result.usage });
}

interface NumberedContext {
  readonly batchId: number;
  readonly clock: Clock;
  /** The warehouse's. */
  readonly warnings: EarlyWarnings;
  /** undefined if it could not be opened, which `failure` explains. */
  readonly warehouse?: Warehouse | undefined;
  readonly failure?: NovaError | undefined;
  /** What this machine knows of the last batch, where the warehouse's statements cost money. */
  readonly remembered?: PublishedState | undefined;
  /** What the batch before it used of the same warehouse. */
  readonly accounted?: WarehouseUsage | undefined;
}

async function runNumbered(options: RunBatchOptions, context: NumberedContext): Promise<BatchResult> {
  const { events, trigger } = options;
  const { batchId, clock, failure, warehouse, warnings } = context;
  const startedAt = clock.now();
  events.emit({ type: "batch_started", batchId, at: startedAt, trigger });
  warnings.passTo((message) => events.emit({ type: "log", batchId, at: clock.now(), level: "warn", message }));
  const progress: BatchProgress = { snapshot: null, tables: [], models: [], tests: [], warnings: [] };
  const error = warehouse && !failure ? await runSteps(options, { ...context, warehouse, progress }) : failure;
  const usage = warehouse && usageSince(context.accounted, usageOf(warehouse));
  const result: BatchResult = {
    batch_id: batchId,
    status: outcome(progress, error),
    snapshot: progress.snapshot,
    seconds: secondsBetween(startedAt, clock.now()),
    tables: progress.tables,
    models: progress.models,
    tests: progress.tests,
    ...(progress.warnings.length > 0 && { warnings: progress.warnings }),
    ...(usage && { usage }),
    ...(error && { error: error.report() }),
  };
  events.emit({ type: "batch_finished", batchId, at: clock.now(), result });
  return result;
}

/** Where nothing was sent, nothing is owed, though the warehouse's size was not asked for. */
function usageOf(warehouse: Warehouse): WarehouseUsage | null {
  const usage = warehouse.usage();
  return usage?.statements === 0 ? { ...usage, credits: 0 } : usage;
}

/** What this batch used of a warehouse that was opened before it: its number may have turned out to be taken. */
function usageSince(before: WarehouseUsage | undefined, now: WarehouseUsage | null): WarehouseUsage | null {
  if (!before || !now) return now;
  return {
    statements: now.statements - before.statements,
    warehouse_seconds: now.warehouse_seconds - before.warehouse_seconds,
    bytes_staged: now.bytes_staged - before.bytes_staged,
    rows_staged: now.rows_staged - before.rows_staged,
    credits: now.credits === null ? null : now.credits - (before.credits ?? 0),
  };
}

/** What is known of the batch so far. */
interface BatchProgress {
  snapshot: string | null;
  tables: readonly TableResult[];
  models: readonly ModelResult[];
  tests: readonly TestResult[];
  warnings: readonly Warning[];
}

interface StepsContext extends NumberedContext {
  readonly warehouse: Warehouse;
  readonly progress: BatchProgress;
}

/** @returns the error that ended the batch before its end, if there was one */
async function runSteps(options: RunBatchOptions, context: StepsContext): Promise<NovaError | undefined> {
  const { config, events, fullRefresh = false, select, signal } = options;
  const { batchId, clock, progress, remembered, warehouse } = context;
  const { metered } = warehouse.capabilities;
  const tasks = createTaskRunner({
    batchId,
    clock,
    signal,
    emit: (event) => events.emit(event),
    retry: { retries: config.retries, delay: config.retryDelay, backoff: config.retryBackoff },
    timeout: config.taskTimeout,
  });
  try {
    const manifest = readManifest(join(config.projectDir, "models", "manifest.yml"));
    const fingerprint = metered ? await projectFingerprint(config.projectDir, process.env) : null;
    // Before the load, so that a project that cannot be built leaves the last good batch whole.
    const project = await openProject(config);
    if (select !== undefined) selectNodes(project, { select });
    const loaded = await loadTables({
      config,
      events,
      batchId,
      clock,
      tasks,
      manifest,
      warehouse,
      fullRefresh,
      repair: options.repair,
      names: options.tables ?? [],
      remembered,
      // Models that were named are built in any case.
      mayRest: select === undefined && remembered !== undefined && remembered.project === fingerprint,
      onWake: () => forgetPublished(config),
      onWarning: (warning) => {
        progress.warnings = [...progress.warnings, warning];
      },
      onSnapshot: (snapshot) => {
        progress.snapshot = snapshot;
        events.emit({ type: "snapshot_opened", batchId, at: clock.now(), snapshot });
      },
    });
    progress.tables = loaded.tables;
    if (loaded.error) return loaded.error;
    if (loaded.rested) {
      const message = `nothing new since batch ${remembered?.lastBatchId}: no model needs to be built`;
      events.emit({ type: "log", batchId, at: clock.now(), level: "info", message });
      Object.assign(progress, untouchedModels(project));
      // A later batch may see by less that there is nothing new.
      if (loaded.state) remember(options, context, { ...loaded.state, project: fingerprint });
      return undefined;
    }
    await buildModels({
      config,
      project,
      warehouse,
      tasks,
      clock,
      select,
      fullRefresh,
      onModel: (result) => {
        progress.models = [...progress.models, result];
        events.emit({ type: "model_finished", batchId, at: clock.now(), result });
      },
      onTest: (result) => {
        progress.tests = [...progress.tests, result];
        events.emit({ type: "test_finished", batchId, at: clock.now(), result });
      },
    });
    if (signal.aborted) return toNovaError(signal.reason);
    const good = select === undefined && outcome(progress, undefined) === "success";
    if (loaded.state) remember(options, context, { ...loaded.state, project: good ? fingerprint : null });
    return undefined;
  } catch (thrown) {
    return toNovaError(thrown);
  }
}

/** So that the next batch need not ask the warehouse whether there is something to do; it asks if this fails. */
function remember({ config, events }: RunBatchOptions, { batchId, clock }: StepsContext, state: PublishedState): void {
  try {
    writePublished(config, state);
  } catch (thrown) {
    const message = `What is published could not be noted in ${config.stateDir}: ${toNovaError(thrown).message}`;
    events.emit({ type: "log", batchId, at: clock.now(), level: "warn", message });
  }
}

function outcome({ models, tests }: BatchProgress, error: NovaError | undefined): BatchResult["status"] {
  if (error) return error.code === "BATCH_CANCELLED" || error.code === "BATCH_NUMBER_TAKEN" ? "cancelled" : "failed";
  const failed =
    models.some((model) => model.status === "failed") ||
    tests.some((test) => test.status === "fail" || test.status === "error");
  return failed ? "failed" : "success";
}
