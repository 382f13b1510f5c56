/** What a batch says of models and tests that it need not touch, because nothing is new. */
import type { ModelResult, TestResult } from "../core/result.ts";
import { planSteps } from "../transform/build-project.ts";
import type { Project } from "../transform/project.ts";

export interface SkipModelsOptions {
  readonly project: Project;
  readonly onModel: (result: ModelResult) => void;
  readonly onTest: (result: TestResult) => void;
}

/** Reports every model and test as skipped, in the order in which they would run. */
export function skipModels({ project, onModel, onTest }: SkipModelsOptions): void {
  for (const { node } of planSteps(project, {}, "both")) {
    if (node.kind === "test") onTest({ name: node.name, status: "skipped", failures: 0, seconds: 0 });
    else {
      const { materialized } = node.config;
      const kind = materialized === "ephemeral" ? undefined : materialized;
      onModel({ name: node.name, status: "skipped", rows: null, materialized: kind, seconds: 0 });
    }
  }
}
