/** One whole batch: load, models, tests; recorded from its first to its last event. */
import { join } from "node:path";
import type { Config } from "../config/options.ts";
import { requireSourceUrl } from "../config/config.ts";
import { secondsBetween, systemClock, type Clock } from "../core/clock.ts";
import { NovaError, toNovaError } from "../core/errors.ts";
import type { BatchTrigger, EventBus } from "../core/events.ts";
import type { BatchResult, ModelResult, TableResult, TestResult } from "../core/result.ts";
import type { TaskRunner } from "../core/task.ts";
import { loadBatch } from "../load/load-batch.ts";
import type { Manifest, ManifestTable } from "../manifest/manifest.ts";
import { readManifest } from "../manifest/read.ts";
import { connectSource } from "../source/postgres.ts";
import type { Store } from "../store/store.ts";
import { selectNodes } from "../transform/select.ts";
import { openWarehouse } from "../warehouse/open.ts";
import type { Warehouse } from "../warehouse/warehouse.ts";
import { acquireBatchLock } from "./batch-lock.ts";
import { createTaskRunner } from "./task-runner.ts";
import { buildModels, cacheFolder, openProject } from "./build-models.ts";

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
  readonly clock?: Clock | undefined;
}

/**
 * What goes wrong inside the batch is told by its result; only what keeps it from beginning is thrown.
 *
 * @throws NovaError BATCH_RUNNING, FOLDER_NOT_WRITABLE
 */
export async function runBatch(options: RunBatchOptions): Promise<BatchResult> {
  const { config, events, store, trigger, clock = systemClock } = options;
  using _lock = acquireBatchLock(config.stateDir);
  store.closeAbandoned(clock.now());
  const startedAt = clock.now();
  const opened = await openWarehouseForBatch(config);
  await using warehouse = opened.warehouse;
  const batchId = store.nextBatchId(opened.lastBatchId);
  events.emit({ type: "batch_started", batchId, at: startedAt, trigger });
  const progress: BatchProgress = { snapshot: null, tables: [], models: [], tests: [] };
  const error = await runSteps(options, { batchId, warehouse, clock, progress }, opened.error);
  const result: BatchResult = {
    batch_id: batchId,
    status: outcome(progress, error),
    snapshot: progress.snapshot,
    seconds: secondsBetween(startedAt, clock.now()),
    tables: progress.tables,
    models: progress.models,
    tests: progress.tests,
    ...(error && { error: error.report() }),
  };
  events.emit({ type: "batch_finished", batchId, at: clock.now(), result });
  return result;
}

/** What is known of the batch so far. */
interface BatchProgress {
  snapshot: string | null;
  tables: readonly TableResult[];
  models: readonly ModelResult[];
  tests: readonly TestResult[];
}

interface OpenedWarehouse {
  readonly warehouse?: Warehouse | undefined;
  readonly lastBatchId: number;
  readonly error?: NovaError | undefined;
}

/** The batch's number continues the warehouse's; where that cannot be asked, the failed batch gets the next one of the history. */
async function openWarehouseForBatch(config: Config): Promise<OpenedWarehouse> {
  let warehouse: Warehouse | undefined;
  try {
    warehouse = await openWarehouse({ url: config.warehouseUrl, cacheFolder: cacheFolder(config) });
    return { warehouse, lastBatchId: (await warehouse.readState()).lastBatchId };
  } catch (thrown) {
    await warehouse?.[Symbol.asyncDispose]();
    return { lastBatchId: 0, error: toNovaError(thrown) };
  }
}

interface BatchContext {
  readonly batchId: number;
  readonly warehouse: Warehouse | undefined;
  readonly clock: Clock;
  readonly progress: BatchProgress;
}

/** @returns the error that ended the batch before its end, if there was one */
async function runSteps(
  options: RunBatchOptions,
  context: BatchContext,
  failure: NovaError | undefined,
): Promise<NovaError | undefined> {
  const { config, events, signal } = options;
  const { batchId, clock, progress, warehouse } = context;
  if (!warehouse) return failure;
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
    // Before the load, so that a project that cannot be built leaves the last good batch whole.
    const project = await openProject(config);
    if (options.select !== undefined) selectNodes(project, { select: options.select });
    const loadError = await load(options, { ...context, warehouse, tasks, manifest });
    if (loadError) return loadError;
    await buildModels({
      config,
      project,
      warehouse,
      tasks,
      clock,
      select: options.select,
      fullRefresh: options.fullRefresh,
      onModel: (result) => {
        progress.models = [...progress.models, result];
        events.emit({ type: "model_finished", batchId, at: clock.now(), result });
      },
      onTest: (result) => {
        progress.tests = [...progress.tests, result];
        events.emit({ type: "test_finished", batchId, at: clock.now(), result });
      },
    });
    return signal.aborted ? toNovaError(signal.reason) : undefined;
  } catch (thrown) {
    return toNovaError(thrown);
  }
}

interface LoadContext extends BatchContext {
  readonly warehouse: Warehouse;
  readonly tasks: TaskRunner;
  readonly manifest: Manifest;
}

async function load(options: RunBatchOptions, context: LoadContext): Promise<NovaError | undefined> {
  const { config, events } = options;
  const { batchId, clock, manifest, progress, tasks, warehouse } = context;
  const tables = selectTables(manifest, options.tables ?? []);
  const warn = (message: string) => events.emit({ type: "log", batchId, at: clock.now(), level: "warn", message });
  await using source = connectSource({ url: requireSourceUrl(config), readers: config.readers, warn, clock });
  const outcome = await loadBatch({
    batchId,
    manifest,
    tables,
    source,
    warehouse,
    tasks,
    clock,
    fullRefresh: options.fullRefresh ?? false,
    folder: join(config.stateDir, "staged"),
    concurrency: config.readers,
    onSnapshot: (snapshot) => {
      progress.snapshot = snapshot;
      events.emit({ type: "snapshot_opened", batchId, at: clock.now(), snapshot });
    },
  });
  progress.tables = outcome.tables;
  for (const result of outcome.tables) events.emit({ type: "table_finished", batchId, at: clock.now(), result });
  return outcome.error;
}

/** @throws NovaError TABLE_UNKNOWN */
function selectTables(manifest: Manifest, names: readonly string[]): readonly ManifestTable[] {
  if (names.length === 0) return manifest.tables;
  const unknown = names.filter((name) => !manifest.tables.some((table) => table.name === name));
  if (unknown.length > 0) {
    const known = manifest.tables.map((table) => table.name).join(", ");
    throw new NovaError("TABLE_UNKNOWN", `${unknown.join(", ")}: not in the manifest, which has ${known}.`);
  }
  return manifest.tables.filter((table) => names.includes(table.name));
}

function outcome({ models, tests }: BatchProgress, error: NovaError | undefined): BatchResult["status"] {
  if (error) return error.code === "BATCH_CANCELLED" ? "cancelled" : "failed";
  const failed =
    models.some((model) => model.status === "failed") ||
    tests.some((test) => test.status === "fail" || test.status === "error");
  return failed ? "failed" : "success";
}
