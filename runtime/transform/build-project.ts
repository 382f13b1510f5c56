/** Builds models and runs data tests in order of dependency: dbt's build, run and test. */
import { secondsBetween, systemClock, type Clock } from "../core/clock.ts";
import { NovaError, toNovaError } from "../core/errors.ts";
import type { ModelResult, TestResult } from "../core/result.ts";
import type { TaskRunner } from "../core/task.ts";
import type { Materialization, Warehouse } from "../warehouse/warehouse.ts";
import { compiledPath, writeCompiled } from "./compile-project.ts";
import { Compiler, relationOf, type Compiled } from "./compile.ts";
import { COUNTING_LINES_BEFORE, countingSql, verdict } from "./data-test.ts";
import { createGraph } from "./graph.ts";
import type { ModelNode, Project, ProjectNode, TestNode } from "./project.ts";
import { runSteps, type Step } from "./run-steps.ts";
import { selectNodes, type Selection } from "./select.ts";
import { sqlError } from "./sql-error.ts";
import type { Template } from "./macros.ts";

export interface BuildProjectOptions extends Selection {
  readonly project: Project;
  readonly warehouse: Warehouse;
  readonly tasks: TaskRunner;
  /** `both` (the default): a model waits for the tests of what it reads, and is skipped when one of them fails. */
  readonly what?: "models" | "tests" | "both" | undefined;
  /** Build incremental models anew. */
  readonly fullRefresh?: boolean | undefined;
  /** Models and tests at the same time; the warehouse's own measure, if absent. */
  readonly concurrency?: number | undefined;
  /** Folder to write compiled SQL to, as dbt's target; nothing is written if absent. */
  readonly targetFolder?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Called as results come in, in the order in which they come. */
  readonly onModel?: ((result: ModelResult) => void) | undefined;
  readonly onTest?: ((result: TestResult) => void) | undefined;
}

export interface BuildOutcome {
  readonly models: readonly ModelResult[];
  readonly tests: readonly TestResult[];
}

/**
 * A model or test that fails does so in its result; whatever does not depend on it goes on.
 *
 * @throws NovaError SELECTION_EMPTY, MODEL_SQL_FAILED for on-run-start and -end; the reason of `tasks.signal` when aborted, after what was
 *   running has ended
 */
export async function buildProject(options: BuildProjectOptions): Promise<BuildOutcome> {
  const { project, warehouse, tasks, what = "both", fullRefresh = false } = options;
  const steps = planSteps(project, options, what);
  const existing = await existingTables(project, warehouse);
  const compiler = new Compiler({
    project,
    relationName: (relation) => warehouse.relationName(relation),
    exists: ({ schema, name }) => existing.has(relationKey(schema, name)),
    fullRefresh,
  });
  const build = new Build(options, compiler);
  if (what !== "tests") await build.runHooks("on-run-start", project.onRunStart);
  await runSteps({
    steps,
    limit: Math.max(1, options.concurrency ?? warehouse.capabilities.parallelStatements),
    signal: tasks.signal,
    run: (step) => build.run(step.node),
    skip: (step) => build.skip(step.node),
  });
  if (what !== "tests") await build.runHooks("on-run-end", project.onRunEnd);
  return { models: build.models, tests: build.tests };
}

interface NodeStep extends Step {
  readonly node: ModelNode | TestNode;
}

/** What is to run, and what it waits for, also across nodes that are not selected. */
export function planSteps(
  project: Project,
  selection: Selection,
  what: "models" | "tests" | "both",
): readonly NodeStep[] {
  const selected = selectNodes(project, selection);
  const graph = createGraph([...project.nodes.values()]);
  const nodes = [...project.nodes.values()].filter((node): node is ModelNode | TestNode => {
    if (!selected.has(node.id)) return false;
    if (node.kind === "model") return what !== "tests" && node.config.materialized !== "ephemeral";
    return node.kind === "test" && what !== "models";
  });
  const tests = nodes.filter((node) => node.kind === "test");
  return nodes.map((node) => {
    const ancestors = graph.ancestors(node.id);
    // As in dbt: a model waits for the tests of which it needs everything that they read.
    const guards =
      node.kind === "model"
        ? tests.filter(({ dependsOn }) => dependsOn.length > 0 && dependsOn.every((id) => ancestors.has(id)))
        : [];
    return { id: node.id, node, after: [...ancestors, ...guards.map(({ id }) => id)] };
  });
}

/** Names as the warehouse compares them: without regard to case. */
const relationKey = (schema: string, name: string): string => `${schema}.${name}`.toLowerCase();

async function existingTables(project: Project, warehouse: Warehouse): Promise<ReadonlySet<string>> {
  const incremental = [...project.nodes.values()].filter(
    (node) => node.kind === "model" && node.config.materialized === "incremental",
  );
  const schemas = new Set(incremental.flatMap((node) => (node.kind === "model" ? [node.schema] : [])));
  const relations = await Promise.all([...schemas].map((schema) => warehouse.relations(schema)));
  return new Set(
    relations
      .flat()
      .flatMap(({ kind, schema, name, unfinished }) =>
        kind === "table" && !unfinished ? [relationKey(schema, name)] : [],
      ),
  );
}

class Build {
  readonly models: ModelResult[] = [];
  readonly tests: TestResult[] = [];
  readonly #options: BuildProjectOptions;
  readonly #compiler: Compiler;
  readonly #clock: Clock;

  constructor(options: BuildProjectOptions, compiler: Compiler) {
    this.#options = options;
    this.#compiler = compiler;
    this.#clock = options.clock ?? systemClock;
  }

  /** @returns whether what depends on the node may run */
  run(node: ModelNode | TestNode): Promise<boolean> {
    return node.kind === "model" ? this.#runModel(node) : this.#runTest(node);
  }

  skip(node: ModelNode | TestNode): void {
    if (node.kind === "model") this.#report({ ...modelBase(node), status: "skipped", rows: null, seconds: 0 });
    else this.#reportTest({ name: node.name, status: "skipped", failures: 0, seconds: 0 });
  }

  async runHooks(name: string, hooks: readonly Template[]): Promise<void> {
    const { tasks, warehouse } = this.#options;
    for (const [index, hook] of hooks.entries()) {
      const compiled = this.#compiler.runHook(hook);
      if (compiled.sql.trim() === "") continue;
      await tasks.run({ kind: "model", subject: `${name}-${index}` }, async ({ signal }) => {
        try {
          await warehouse.query(compiled.sql, { signal });
        } catch (thrown) {
          throw sqlError(thrown, { node: { kind: "model", name, file: hook.file }, compiled: [compiled] });
        }
      });
    }
  }

  async #runModel(node: ModelNode): Promise<boolean> {
    const { tasks, warehouse } = this.#options;
    const startedAt = this.#clock.now();
    const seconds = () => secondsBetween(startedAt, this.#clock.now());
    try {
      const rows = await tasks.run({ kind: "model", subject: node.name }, async ({ signal }) => {
        const compiled = this.#compiler.compile(node);
        const preHooks = this.#compiler.hooks(node, "preHooks");
        const postHooks = this.#compiler.hooks(node, "postHooks");
        const compiledFile = await this.#write(node, compiled.sql);
        try {
          const built = await warehouse.materialize(this.#materialization(node, compiled, preHooks, postHooks), {
            signal,
          });
          return built.rows;
        } catch (thrown) {
          const translate = (sql: string) => warehouse.translate(sql);
          throw sqlError(thrown, { node, compiled: [compiled, ...preHooks, ...postHooks], compiledFile, translate });
        }
      });
      this.#report({ ...modelBase(node), status: "success", rows, seconds: seconds() });
      return true;
    } catch (thrown) {
      this.#options.tasks.signal.throwIfAborted();
      this.#report({
        ...modelBase(node),
        status: "failed",
        rows: null,
        seconds: seconds(),
        error: toNovaError(thrown).report(),
      });
      return false;
    }
  }

  #materialization(
    node: ModelNode,
    compiled: Compiled,
    preHooks: readonly Compiled[],
    postHooks: readonly Compiled[],
  ): Materialization {
    const base = {
      relation: relationOf(node),
      sql: compiled.sql,
      description: node.description,
      columnDescriptions: Object.fromEntries(
        node.columns.flatMap(({ name, description }) => (description === undefined ? [] : [[name, description]])),
      ),
      preHooks: preHooks.map(({ sql }) => sql),
      postHooks: postHooks.map(({ sql }) => sql),
    };
    const { materialized, uniqueKey } = node.config;
    if (materialized !== "incremental") return { ...base, kind: materialized === "table" ? "table" : "view" };
    return { ...base, kind: "incremental", uniqueKey, fullRefresh: !this.#compiler.isIncremental(node) };
  }

  async #runTest(node: TestNode): Promise<boolean> {
    const startedAt = this.#clock.now();
    const seconds = () => secondsBetween(startedAt, this.#clock.now());
    let failures = 0;
    try {
      const status = await this.#options.tasks.run({ kind: "test", subject: node.name }, async (task) => {
        const compiled = this.#compiler.compile(node);
        const compiledFile = await this.#write(node, compiled.sql);
        failures = await this.#countFailures(node, compiled, compiledFile, task.signal);
        const found = verdict(failures, node.config);
        if (found === "fail") throw testFailed(node, failures, compiled.sql, compiledFile);
        if (found === "warn") task.log(`${node.name}: ${rowsThatBreak(failures)}`, "warn");
        return found;
      });
      this.#reportTest({ name: node.name, status, failures, seconds: seconds() });
      return true;
    } catch (thrown) {
      this.#options.tasks.signal.throwIfAborted();
      const error = toNovaError(thrown);
      const status = error.code === "TEST_FAILED" ? "fail" : "error";
      this.#reportTest({ name: node.name, status, failures, seconds: seconds(), error: error.report() });
      return false;
    }
  }

  async #countFailures(
    node: TestNode,
    compiled: Compiled,
    compiledFile: string | undefined,
    signal: AbortSignal,
  ): Promise<number> {
    try {
      const { rows } = await this.#options.warehouse.query(countingSql(compiled.sql, node.config), { signal });
      return Number(rows[0]?.[0] ?? 0);
    } catch (thrown) {
      throw sqlError(thrown, { node, compiled: [compiled], linesBefore: COUNTING_LINES_BEFORE, compiledFile });
    }
  }

  async #write(node: ProjectNode, sql: string): Promise<string | undefined> {
    const { targetFolder, project } = this.#options;
    if (targetFolder === undefined) return undefined;
    const path = compiledPath(targetFolder, project, node);
    await writeCompiled(path, sql);
    return path;
  }

  #report(result: ModelResult): void {
    this.models.push(result);
    this.#options.onModel?.(result);
  }

  #reportTest(result: TestResult): void {
    this.tests.push(result);
    this.#options.onTest?.(result);
  }
}

function modelBase({ name, config }: ModelNode): Pick<ModelResult, "name" | "materialized"> {
  return { name, materialized: config.materialized === "ephemeral" ? undefined : config.materialized };
}

const rowsThatBreak = (failures: number): string =>
  `${failures} ${failures === 1 ? "row breaks" : "rows break"} the rule`;

function testFailed(node: TestNode, failures: number, sql: string, compiledFile: string | undefined): NovaError {
  const about = node.dependsOn.map((id) => id.split(".").slice(2).join(".")).join(", ");
  const description = node.description === undefined ? "" : ` (${node.description})`;
  return new NovaError(
    "TEST_FAILED",
    `The test ${node.name} of ${about} failed: ${rowsThatBreak(failures)}${description}.`,
    {
      remedy:
        compiledFile === undefined
          ? `Read the rows with: ${sql.replaceAll(/\s+/g, " ")}`
          : `Read the rows with the SQL in ${compiledFile}.`,
      details: { test: node.name, file: node.file, sql, ...(compiledFile !== undefined && { compiled: compiledFile }) },
    },
  );
}
