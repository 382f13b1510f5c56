/** The transforming half of a batch, also run by itself by `build` and `test`. */
import { join } from "node:path";
import type { Config } from "../config/options.ts";
import type { Clock } from "../core/clock.ts";
import type { ModelResult, TestResult } from "../core/result.ts";
import type { TaskRunner } from "../core/task.ts";
import { buildProject, type BuildOutcome } from "../transform/build-project.ts";
import { loadProject } from "../transform/load-project.ts";
import type { Project, Target } from "../transform/project.ts";
import type { Warehouse } from "../warehouse/warehouse.ts";

export interface BuildModelsOptions {
  readonly config: Config;
  readonly project: Project;
  readonly warehouse: Warehouse;
  readonly tasks: TaskRunner;
  readonly clock: Clock;
  /** dbt's selection syntax; everything if absent. */
  readonly select?: string | undefined;
  readonly exclude?: string | undefined;
  readonly fullRefresh?: boolean | undefined;
  /** `both` by default. */
  readonly what?: "models" | "tests" | "both" | undefined;
  readonly onModel: (result: ModelResult) => void;
  readonly onTest: (result: TestResult) => void;
}

const TARGET: Target = { name: "prod", schema: "analytics", type: "snowflake" };

/** The dbt project of the settings. @throws NovaError PROJECT_*, MODEL_* */
export function openProject(config: Config): Promise<Project> {
  return loadProject({ folder: config.projectDir, target: TARGET, environment: process.env });
}

/** Where compiled SQL is written, as dbt's `target` folder. */
export const compiledFolder = (config: Config): string => join(config.stateDir, "target");

/** Where the warehouse's adapter keeps what spares the next process work. */
export const cacheFolder = (config: Config): string => join(config.stateDir, "cache");

/** @throws NovaError SELECTION_EMPTY; what fails in a model or test is in its result */
export function buildModels({ config, ...options }: BuildModelsOptions): Promise<BuildOutcome> {
  return buildProject({
    ...options,
    concurrency: config.threads,
    targetFolder: compiledFolder(config),
  });
}
