/** A dbt project as the program knows it, after reading, parsing and checking. */
import type { Template } from "./macros.ts";
import type { TemplateEngine } from "./template-engine.ts";

export interface Project {
  readonly name: string;
  /** Absolute path. */
  readonly folder: string;
  /** By unique id, in order of dependency: what a node needs stands before it. */
  readonly nodes: ReadonlyMap<string, ProjectNode>;
  readonly sources: ReadonlyMap<string, SourceNode>;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly target: Target;
  /** What env_var() may read: only names that begin with DBT_. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onRunStart: readonly Template[];
  readonly onRunEnd: readonly Template[];
  readonly engine: TemplateEngine;
}

/** `target` in templates. */
export interface Target {
  /** The name of the environment, `prod` or `dev`. */
  readonly name: string;
  /** Schema of the models. */
  readonly schema: string;
  readonly database?: string | undefined;
  /** The dialect that the SQL is written in; also chooses `<type>__macro` in adapter.dispatch. */
  readonly type: string;
}

export type ProjectNode = ModelNode | TestNode | AnalysisNode;
export type GraphNode = ProjectNode | SourceNode;

interface NodeBase {
  /** As dbt forms them: `model.novadrive.fct_vendas`, `source.novadrive.stage.vendas`. */
  readonly id: string;
  readonly name: string;
  /** Path for messages, relative to the working directory. */
  readonly file: string;
  /** Path relative to the project folder, with `/`. */
  readonly path: string;
  /** Folders and name, for selection: `["novadrive", "facts", "fct_vendas"]`. */
  readonly fqn: readonly string[];
  readonly tags: readonly string[];
  readonly description?: string | undefined;
  /** Ids of what it reads. */
  readonly dependsOn: readonly string[];
}

export interface ModelNode extends NodeBase {
  readonly kind: "model";
  readonly source: string;
  readonly schema: string;
  /** Name of the table or view. */
  readonly alias: string;
  readonly config: ModelConfig;
  readonly columns: readonly ColumnProperties[];
}

export interface ModelConfig {
  readonly materialized: "view" | "table" | "incremental" | "ephemeral";
  readonly uniqueKey: readonly string[];
  readonly fullRefresh?: boolean | undefined;
  readonly preHooks: readonly string[];
  readonly postHooks: readonly string[];
  /** Everything that was configured, for config.get(). */
  readonly raw: Readonly<Record<string, unknown>>;
}

interface ColumnProperties {
  readonly name: string;
  readonly description?: string | undefined;
}

export interface AnalysisNode extends NodeBase {
  readonly kind: "analysis";
  readonly source: string;
}

export interface SourceNode extends NodeBase {
  readonly kind: "source";
  readonly sourceName: string;
  readonly schema: string;
  /** Name of the table in the warehouse. */
  readonly identifier: string;
  readonly columns: readonly ColumnProperties[];
}

export interface TestNode extends NodeBase {
  readonly kind: "test";
  readonly config: TestConfig;
  readonly test: SingularTest | GenericTest;
}

interface SingularTest {
  readonly kind: "singular";
  readonly source: string;
}

/** A test of the yml files: `unique`, `not_null`, `accepted_values`, `relationships`, or a `{% test %}` of the project. */
export interface GenericTest {
  readonly kind: "generic";
  readonly name: string;
  /** Id of the model or source that it is about. */
  readonly subject: string;
  readonly column?: string | undefined;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Line of the yml file, counted from 1. */
  readonly line: number;
}

export interface TestConfig {
  readonly severity: "error" | "warn";
  readonly where?: string | undefined;
  readonly limit?: number | undefined;
  readonly failCalc: string;
  readonly errorIf: Threshold;
  readonly warnIf: Threshold;
}

/** `> 10` */
export interface Threshold {
  readonly operator: "=" | "!=" | "<" | "<=" | ">" | ">=";
  readonly value: number;
}
