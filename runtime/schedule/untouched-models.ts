/** What a batch says of models and tests that it need not touch, because nothing is new. */
import type { ModelResult, TestResult } from "../core/result.ts";
import { planSteps } from "../transform/build-project.ts";
import type { Project } from "../transform/project.ts";

/** Every model and test as skipped, in the order in which they would run. */
export function untouchedModels(project: Project): { readonly models: ModelResult[]; readonly tests: TestResult[] } {
  const models: ModelResult[] = [];
  const tests: TestResult[] = [];
  for (const { node } of planSteps(project, {}, "both")) {
    if (node.kind === "test") {
      tests.push({ name: node.name, status: "skipped", failures: 0, seconds: 0 });
    } else {
      const { materialized } = node.config;
      const kind = materialized === "ephemeral" ? undefined : materialized;
      models.push({ name: node.name, status: "skipped", rows: null, materialized: kind, seconds: 0 });
    }
  }
  return { models, tests };
}
