/** Builds or tests models in the foreground. It is no batch: nothing is loaded, and the history does not show it. */
import type { Config } from "../config/options.ts";
import { secondsBetween, systemClock } from "../core/clock.ts";
import { toNovaError } from "../core/errors.ts";
import { EventBus } from "../core/events.ts";
import type { BatchResult } from "../core/result.ts";
import { acquireBatchLock } from "../schedule/batch-lock.ts";
import { buildModels, cacheFolder, openProject, type BuildModelsOptions } from "../schedule/build-models.ts";
import { forgetPublished } from "../schedule/published-copy.ts";
import { createTaskRunner } from "../schedule/task-runner.ts";
import { openWarehouse } from "../warehouse/open.ts";
import { showProgress } from "./output/progress.ts";

export interface RunModelsOptions extends Pick<BuildModelsOptions, "what" | "select" | "exclude" | "fullRefresh"> {
  readonly config: Config;
  readonly signal: AbortSignal;
}

export type ModelsResult = Omit<BatchResult, "batch_id" | "snapshot">;

/** @throws NovaError of the settings, the project and the warehouse's opening */
export async function runModels({ config, signal, ...selection }: RunModelsOptions): Promise<ModelsResult> {
  using _lock = acquireBatchLock(config.stateDir);
  const startedAt = systemClock.now();
  const project = await openProject(config);
  const events = new EventBus();
  using _view = showProgress(events, process.stderr, config.logLevel);
  const warn = (message: string) =>
    events.emit({ type: "log", batchId: 0, at: systemClock.now(), level: "warn", message });
  await using warehouse = await openWarehouse({ url: config.warehouseUrl, cacheFolder: cacheFolder(config), warn });
  const { lastBatchId: batchId } = await warehouse.readState();
  const tasks = createTaskRunner({
    batchId,
    clock: systemClock,
    signal,
    emit: (event) => events.emit(event),
    retry: { retries: config.retries, delay: config.retryDelay, backoff: config.retryBackoff },
    timeout: config.taskTimeout,
  });
  // What the models are after this, the next batch is to find out for itself.
  if (warehouse.capabilities.metered && selection.what !== "tests") forgetPublished(config);
  const emit = { batchId, at: startedAt };
  const { models, tests } = await buildModels({
    ...selection,
    config,
    project,
    warehouse,
    tasks,
    clock: systemClock,
    onModel: (result) => events.emit({ ...emit, type: "model_finished", result }),
    onTest: (result) => events.emit({ ...emit, type: "test_finished", result }),
  }).catch((thrown: unknown) => {
    throw signal.aborted ? toNovaError(signal.reason) : thrown;
  });
  const wrong =
    models.some((model) => model.status === "failed") ||
    tests.some((test) => test.status === "fail" || test.status === "error");
  const usage = warehouse.usage();
  return {
    status: wrong ? "failed" : "success",
    seconds: secondsBetween(startedAt, systemClock.now()),
    tables: [],
    models,
    tests,
    ...(usage && { usage }),
  };
}
