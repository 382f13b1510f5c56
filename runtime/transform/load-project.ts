/** Folder → project: reads the files, parses the templates, ties references to nodes and puts everything in order. */
import { resolve } from "node:path";
import { closestMatch } from "leven";
import { NovaError } from "../core/errors.ts";
import { topologicalOrder } from "./graph.ts";
import { checkModelConfig, mergeConfigs, modelConfig, names, normalizeKeys, type RawConfig } from "./node-config.ts";
import { hookTemplate } from "./hook-template.ts";
import { baseName, folders, type LooseNode } from "./loose-node.ts";
import { lineOf, parseTemplate, type ParseContext, type Reference } from "./parse-template.ts";
import { checkTree, folderConfigs, projectVars, runHooks } from "./project-file.ts";
import { readProjectFiles, throwProblems, type ProjectFiles, type TextFile } from "./project-files.ts";
import type { AnalysisNode, ModelNode, Project, ProjectNode, SourceNode, Target, TestNode } from "./project.ts";
import { readSources } from "./read-sources.ts";
import { genericTests, singularTest } from "./read-tests.ts";
import { TemplateEngine } from "./template-engine.ts";

export interface LoadProjectOptions {
  /** Folder with dbt_project.yml. */
  readonly folder: string;
  readonly target: Target;
  /** Win over those of dbt_project.yml. */
  readonly vars?: Readonly<Record<string, unknown>> | undefined;
  /** What env_var() reads from; only names that begin with DBT_ are ever looked up. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Needs no warehouse, and takes some tens of milliseconds.
 *
 * @throws NovaError PROJECT_MISSING, PROJECT_INVALID, MODEL_DUPLICATE, MODEL_COMPILE_FAILED, MODEL_REF_MISSING, MODEL_CYCLE
 */
export async function loadProject(options: LoadProjectOptions): Promise<Project> {
  const folder = resolve(options.folder);
  const files = await readProjectFiles(folder);
  const { projectFile } = files;
  throwProblems(checkTree(files.projectYaml, "models", projectFile.models));
  const vars = { ...projectVars(projectFile), ...options.vars };
  const environment = options.environment ?? {};
  const engine = await TemplateEngine.load(files.macros.map(({ file, text }) => ({ file, source: text })));
  const base = { target: options.target, vars, environment, projectName: projectFile.name };
  const context: ParseContext = { engine, base };
  const hook = (sql: string) => hookTemplate(sql, { file: files.projectYaml.file, text: files.projectText });

  const sources = readSources(projectFile.name, files.properties);
  const { models, disabled } = readModels(context, files);
  const known = new Catalogue(models, sources, disabled);
  const singular = files.tests.map((file) => singularTest(context, files, file)).filter((test) => test !== undefined);
  const analyses = files.analyses.map((file) => analysis(context, files, file));
  const generic = genericTests({ context, files, models, sources, disabled });
  const nodes: ProjectNode[] = [...models, ...singular, ...generic, ...analyses].map(({ node, references, text }) => ({
    ...node,
    dependsOn: [...new Set([...node.dependsOn, ...references.map((reference) => known.id(reference, node, text))])],
  }));
  checkNames(nodes);
  return {
    name: projectFile.name,
    folder,
    nodes: new Map(topologicalOrder(nodes).map((node) => [node.id, node])),
    sources,
    vars,
    environment,
    target: options.target,
    onRunStart: runHooks(projectFile["on-run-start"]).map(hook),
    onRunEnd: runHooks(projectFile["on-run-end"]).map(hook),
    engine,
  };
}

function readModels(
  context: ParseContext,
  files: ProjectFiles,
): { readonly models: readonly LooseNode<ModelNode>[]; readonly disabled: ReadonlySet<string> } {
  const models: LooseNode<ModelNode>[] = [];
  const disabled = new Set<string>();
  const byName = new Map<string, TextFile>();
  for (const file of files.models) {
    const name = baseName(file.path);
    const other = byName.get(name);
    if (other) {
      throw new NovaError("MODEL_DUPLICATE", `Two models are named ${name}: ${other.file} and ${file.file}.`, {
        remedy: "Rename one of the files: ref() knows models by name, whatever their folder.",
        details: { file: file.file, model: name },
      });
    }
    byName.set(name, file);
    const model = readModel(context, files, file, name);
    if (model) models.push(model);
    else disabled.add(name);
  }
  throwProblems(
    files.properties.flatMap(({ yaml, content }) =>
      (content.models ?? []).flatMap((entry, index) => {
        if (byName.has(entry.name)) return [];
        const guess = closestMatch(entry.name, [...byName.keys()], { maxDistance: 3 });
        const instead = guess ? `did you mean "${guess}"?` : "take the entry out, or add the file";
        return [yaml.problem(["models", index, "name"], `there is no model file ${entry.name}.sql; ${instead}`)];
      }),
    ),
  );
  return { models, disabled };
}

function readModel(
  context: ParseContext,
  files: ProjectFiles,
  file: TextFile,
  name: string,
): LooseNode<ModelNode> | undefined {
  const { projectFile } = files;
  const fqn = [projectFile.name, ...folders(file.path, projectFile["model-paths"]), name];
  const properties = modelProperties(files, name);
  const outside = mergeConfigs([...folderConfigs(projectFile.models, fqn), properties.config]);
  const id = `model.${projectFile.name}.${name}`;
  const alias = aliasOf(outside, name);
  const { schema } = context.base.target;
  const scopeNode = {
    id,
    name,
    resourceType: "model",
    relation: `${schema}.${alias}`,
    schema,
    alias,
    config: outside,
    tags: names(outside["tags"]),
  };
  const parsed = parseTemplate(context, { file: file.file, source: file.text }, scopeNode);
  const merged = mergeConfigs([...folderConfigs(projectFile.models, fqn), properties.config, parsed.config]);
  if (merged["enabled"] === false) return undefined;
  const node: ModelNode = {
    kind: "model",
    id,
    name,
    file: file.file,
    path: file.path,
    fqn,
    tags: [...new Set(names(merged["tags"]))],
    description: properties.description,
    columns: properties.columns,
    dependsOn: [],
    source: file.text,
    schema: schemaOf(merged, schema),
    alias: aliasOf(merged, name),
    config: modelConfig(merged),
  };
  return { node, references: parsed.references, text: file.text };
}

function aliasOf(config: RawConfig, name: string): string {
  return typeof config["alias"] === "string" ? config["alias"] : name;
}

/** As dbt's own generate_schema_name: a schema of one's own is put behind the target's. */
function schemaOf(config: RawConfig, targetSchema: string): string {
  const own = config["schema"];
  return typeof own === "string" && own.trim() !== "" ? `${targetSchema}_${own.trim()}` : targetSchema;
}

function modelProperties(
  files: ProjectFiles,
  name: string,
): Pick<ModelNode, "description" | "columns"> & { readonly config: RawConfig } {
  const found = files.properties.flatMap(({ yaml, content }) =>
    (content.models ?? [])
      .map((entry, index) => ({ entry, yaml, path: ["models", index] as const }))
      .filter(({ entry }) => entry.name === name),
  );
  const [first, second] = found;
  if (!first) return { columns: [], config: {} };
  if (second)
    throwProblems([
      second.yaml.problem(
        [...second.path, "name"],
        `model "${name}" is described twice; the other place is ${first.yaml.file}`,
      ),
    ]);
  const { entry, yaml, path } = first;
  const config = normalizeKeys(entry.config ?? {});
  throwProblems(checkModelConfig(config).map(({ key, message }) => yaml.problem([...path, "config", key], message)));
  const columns = (entry.columns ?? []).map((column) => ({
    name: column.name,
    description: column.description?.trim(),
  }));
  return { description: entry.description?.trim(), columns, config };
}

function analysis(context: ParseContext, files: ProjectFiles, file: TextFile): LooseNode<AnalysisNode> {
  const { projectFile } = files;
  const name = baseName(file.path);
  const id = `analysis.${projectFile.name}.${name}`;
  const { schema } = context.base.target;
  const scopeNode = {
    id,
    name,
    resourceType: "analysis",
    relation: `${schema}.${name}`,
    schema,
    alias: name,
    config: {},
    tags: [],
  };
  const parsed = parseTemplate(context, { file: file.file, source: file.text }, scopeNode);
  const described = files.properties
    .flatMap(({ content }) => content.analyses ?? [])
    .find((entry) => entry.name === name);
  const node: AnalysisNode = {
    kind: "analysis",
    id,
    name,
    file: file.file,
    path: file.path,
    fqn: [projectFile.name, "analysis", ...folders(file.path, projectFile["analysis-paths"]), name],
    tags: names(parsed.config["tags"]),
    description: described?.description?.trim(),
    dependsOn: [],
    source: file.text,
  };
  return { node, references: parsed.references, text: file.text };
}

/** What can be referred to, by name. */
class Catalogue {
  readonly #models: ReadonlyMap<string, string>;
  readonly #sources: ReadonlyMap<string, string>;
  readonly #disabled: ReadonlySet<string>;

  constructor(
    models: readonly LooseNode<ModelNode>[],
    sources: ReadonlyMap<string, SourceNode>,
    disabled: ReadonlySet<string>,
  ) {
    this.#models = new Map(models.map(({ node }) => [node.name, node.id]));
    this.#sources = new Map([...sources.values()].map((node) => [`${node.sourceName}.${node.name}`, node.id]));
    this.#disabled = disabled;
  }

  /** @throws NovaError MODEL_REF_MISSING */
  id(reference: Reference, from: ProjectNode, text: string): string {
    const known = reference.kind === "ref" ? this.#models : this.#sources;
    const key = reference.path.join(".");
    const id = known.get(key);
    if (id !== undefined) return id;
    const name = reference.path.at(-1) ?? "";
    const line = from.kind === "test" && from.test.kind === "generic" ? from.test.line : lineOf(text, name);
    const call = `${reference.kind}(${reference.path.map((part) => `'${part}'`).join(", ")})`;
    const guess = closestMatch(key, [...known.keys()], { maxDistance: Math.max(3, Math.floor(key.length / 3)) });
    const why = this.#disabled.has(key) ? "is disabled (enabled: false)" : "does not exist";
    const what = reference.kind === "ref" ? `the model ${key}` : `the source table ${key}`;
    const correct = guess
      ? `Did you mean ${reference.kind}(${(reference.kind === "ref" ? [guess] : guess.split(".")).map((part) => `'${part}'`).join(", ")})?`
      : undefined;
    throw new NovaError("MODEL_REF_MISSING", `${from.file}:${line} ${call}: ${what} ${why}.`, {
      remedy:
        correct ??
        `Correct the name, or add ${reference.kind === "ref" ? `${key}.sql to the models` : "the table to a yml file's sources"}.`,
      details: { file: from.file, line, node: from.name },
    });
  }
}

function checkNames(nodes: readonly ProjectNode[]): void {
  const tests = new Map<string, TestNode>();
  for (const node of nodes) {
    if (node.kind !== "test") continue;
    const other = tests.get(node.name);
    if (other) {
      throw new NovaError(
        "PROJECT_INVALID",
        `Two tests are named ${node.name}: in ${placeOf(other)} and ${placeOf(node)}.`,
        {
          remedy: "Take one of them out, or give it a name: of its own.",
          details: { file: node.file },
        },
      );
    }
    tests.set(node.name, node);
  }
}

const placeOf = ({ file, test }: TestNode): string => (test.kind === "generic" ? `${file}:${test.line}` : file);
