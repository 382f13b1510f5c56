/** The second of two passes: templates → SQL in Snowflake's dialect, with the real names of relations. */
import { identifier } from "../core/sql.ts";
import type { Relation } from "../warehouse/warehouse.ts";
import { filtered, isBuiltIn, parseReference, testSql } from "./data-test.ts";
import { hookTemplate } from "./hook-template.ts";
import type { AnalysisNode, GenericTest, ModelNode, Project, ProjectNode, TestNode } from "./project.ts";
import type { FindPlace } from "./source-map.ts";
import type { Template } from "./macros.ts";
import type { TemplateScope } from "./template-function.ts";
import { templateScope, type ScopeNode } from "./template-scope.ts";

export interface CompilerOptions {
  readonly project: Project;
  /** SQL that names a relation; that of the warehouse, where one is open. */
  readonly relationName?: ((relation: Relation) => string) | undefined;
  /** Whether a table of that name is there, so that an incremental model adds to it; false for all, if absent. */
  readonly exists?: ((relation: Relation) => boolean) | undefined;
  readonly fullRefresh?: boolean | undefined;
  /** Takes what templates say by log(). */
  readonly log?: ((message: string, level: "info" | "warn") => void) | undefined;
}

export interface Compiled {
  readonly sql: string;
  /** Where a position of the SQL (counted from 1) stands in a template, if that can be told. */
  readonly place: FindPlace;
}

export class Compiler {
  readonly #options: CompilerOptions;
  readonly #project: Project;
  readonly #models: ReadonlyMap<string, ModelNode>;
  readonly #ephemeral = new Map<string, string>();

  constructor(options: CompilerOptions) {
    this.#options = options;
    this.#project = options.project;
    this.#models = new Map(
      [...options.project.nodes.values()].flatMap((node) => (node.kind === "model" ? [[node.name, node]] : [])),
    );
  }

  /** Whether the model adds to the table that is there. */
  isIncremental(model: ModelNode): boolean {
    const fullRefresh = model.config.fullRefresh ?? this.#options.fullRefresh ?? false;
    const exists = this.#options.exists?.(relationOf(model)) ?? false;
    return model.config.materialized === "incremental" && exists && !fullRefresh;
  }

  /** @throws NovaError MODEL_COMPILE_FAILED */
  compile(node: ProjectNode): Compiled {
    // Rendering cannot be interrupted by another one, so what is put in place of a ref has to be there before.
    for (const id of node.dependsOn) this.#prepare(id);
    if (node.kind !== "test") return this.#render({ file: node.file, source: node.source }, this.#scope(node));
    const { test } = node;
    if (test.kind === "singular") return this.#render({ file: node.file, source: test.source }, this.#scope(node));
    return this.#genericTest(node, test);
  }

  /** Hooks of a model that are not empty. @throws NovaError MODEL_COMPILE_FAILED */
  hooks(model: ModelNode, which: "preHooks" | "postHooks"): readonly Compiled[] {
    const compiled = model.config[which].map((source) =>
      this.#render(hookTemplate(source, { file: model.file, text: model.source }), this.#scope(model)),
    );
    return compiled.filter(({ sql }) => sql.trim() !== "");
  }

  /** on-run-start or on-run-end. @throws NovaError MODEL_COMPILE_FAILED */
  runHook(template: Template): Compiled {
    return this.#render(template, this.#scope(undefined));
  }

  #prepare(id: string): void {
    const node = this.#project.nodes.get(id);
    if (node?.kind !== "model" || node.config.materialized !== "ephemeral" || this.#ephemeral.has(id)) return;
    this.#ephemeral.set(id, this.compile(node).sql);
  }

  #genericTest(node: TestNode, test: GenericTest): Compiled {
    const model = filtered(this.#relation(test.subject), node.config.where);
    const args = Object.fromEntries(Object.entries(test.arguments).map(([key, value]) => [key, this.#argument(value)]));
    if (isBuiltIn(test.name)) {
      const sql = testSql({ ...test, name: test.name }, model, typeof args["to"] === "string" ? args["to"] : undefined);
      return { sql, place: () => ({ file: node.file, line: test.line }) };
    }
    const column = test.column === undefined ? {} : { column_name: test.column };
    const sql = this.#project.engine.call(`test_${test.name}`, { model, ...column, ...args }, this.#scope(node));
    return { sql: trimmed(sql), place: () => ({ file: node.file, line: test.line }) };
  }

  /** An argument that is a ref() or source(), as SQL. */
  #argument(value: unknown): unknown {
    const reference = typeof value === "string" ? parseReference(value) : undefined;
    if (!reference) return value;
    return reference.kind === "ref" ? this.#ref(reference.name) : this.#source(reference.source, reference.table);
  }

  #render(template: Template, scope: TemplateScope): Compiled {
    const { engine } = this.#project;
    const text = engine.render(template, scope);
    const blank = /^(?:[^\S\n]*\n)*/.exec(text)?.[0] ?? "";
    const linesBefore = blank.split("\n").length - 1;
    let trace: FindPlace | undefined | "unknown" = "unknown";
    return {
      sql: trimmed(text.slice(blank.length)),
      place: (line, column) => {
        if (trace === "unknown") trace = engine.trace(template, scope, text);
        return trace?.(line + linesBefore, column);
      },
    };
  }

  #scope(node: ProjectNode | undefined): TemplateScope {
    const { project, fullRefresh = false, log } = this.#options;
    return templateScope({
      target: project.target,
      vars: project.vars,
      environment: project.environment,
      projectName: project.name,
      node: node && this.#scopeNode(node),
      execute: true,
      incremental: node?.kind === "model" && this.isIncremental(node),
      fullRefresh: (node?.kind === "model" ? node.config.fullRefresh : undefined) ?? fullRefresh,
      ref: (name) => this.#ref(name),
      source: (source, table) => this.#source(source, table),
      log,
      macro: (name) => project.engine.macroFunction(name),
    });
  }

  #scopeNode(node: ModelNode | TestNode | AnalysisNode): ScopeNode {
    const { id, name, tags } = node;
    const model = node.kind === "model";
    const schema = model ? node.schema : this.#project.target.schema;
    const alias = model ? node.alias : name;
    const config = model ? node.config.raw : {};
    return {
      id,
      name,
      resourceType: node.kind,
      relation: this.#named({ schema, name: alias }),
      schema,
      alias,
      config,
      tags,
    };
  }

  #ref(name: string): string {
    const model = this.#models.get(name);
    // Parsing has tied every reference that a template can come to.
    if (!model)
      throw new RangeError(
        `ref('${name}') was not there when the project was read; name it in a comment that is rendered`,
      );
    return this.#relation(model.id);
  }

  #source(source: string, table: string): string {
    const id = `source.${this.#project.name}.${source}.${table}`;
    if (!this.#project.sources.has(id)) throw new RangeError(`source('${source}', '${table}') does not exist`);
    return this.#relation(id);
  }

  #relation(id: string): string {
    const source = this.#project.sources.get(id);
    if (source) return this.#named({ schema: source.schema, name: source.identifier });
    const model = this.#project.nodes.get(id);
    if (model?.kind !== "model") throw new RangeError(`${id} is not a relation`);
    if (model.config.materialized !== "ephemeral") return this.#named(relationOf(model));
    const sql = this.#ephemeral.get(id);
    if (sql === undefined)
      throw new RangeError(`The ephemeral model ${model.name} was not there when the project was read`);
    return `(\n${sql}\n)`;
  }

  #named(relation: Relation): string {
    return this.#options.relationName?.(relation) ?? identifier(relation.schema, relation.name);
  }
}

export function relationOf(model: ModelNode): Relation {
  return { schema: model.schema, name: model.alias };
}

const trimmed = (sql: string): string => sql.replace(/[\s;]+$/, "");
