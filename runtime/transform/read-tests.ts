/** The project's data tests: singular ones from files, generic ones from the yml files. */
import { closestMatch } from "leven";
import type { FileProblem, YamlFile } from "../core/yaml-file.ts";
import { argumentProblem, BUILT_IN_TESTS, columnSql, isBuiltIn, parseReference, testName } from "./data-test.ts";
import { baseName, folders, type LooseNode } from "./loose-node.ts";
import { checkTestConfig, mergeConfigs, names, normalizeKeys, testConfig, type RawConfig } from "./node-config.ts";
import { parseTemplate, type ParseContext, type Reference } from "./parse-template.ts";
import { folderConfigs } from "./project-file.ts";
import { throwProblems, type ProjectFiles, type TextFile } from "./project-files.ts";
import type { ModelNode, SourceNode, TestNode } from "./project.ts";
import { readTests, type TestEntry } from "./properties-file.ts";

/** A file under tests/: a query whose rows break the rule. @returns undefined if it is disabled */
export function singularTest(
  context: ParseContext,
  files: ProjectFiles,
  file: TextFile,
): LooseNode<TestNode> | undefined {
  const { projectFile } = files;
  const name = baseName(file.path);
  const id = `test.${projectFile.name}.${name}`;
  const fqn = [projectFile.name, ...folders(file.path, projectFile["test-paths"]), name];
  const { schema } = context.base.target;
  const scopeNode = {
    id,
    name,
    resourceType: "test",
    relation: `${schema}.${name}`,
    schema,
    alias: name,
    config: {},
    tags: [],
  };
  const parsed = parseTemplate(context, { file: file.file, source: file.text }, scopeNode);
  const found = files.properties.flatMap(({ yaml, content }) =>
    (["data_tests", "tests"] as const).flatMap((key) =>
      (content[key] ?? []).flatMap((entry, index) =>
        entry.name === name ? [{ entry, yaml, path: [key, index, "config"] }] : [],
      ),
    ),
  )[0];
  const described = normalizeKeys(found?.entry.config ?? {});
  if (found)
    throwProblems(
      checkTestConfig(described).map(({ key, message }) => found.yaml.problem([...found.path, key], message)),
    );
  const config = mergeConfigs([...projectTestConfigs(files, fqn), described, parsed.config]);
  if (config["enabled"] === false) return undefined;
  const node: TestNode = {
    kind: "test",
    id,
    name,
    file: file.file,
    path: file.path,
    fqn,
    tags: names(config["tags"]),
    description: found?.entry.description?.trim(),
    dependsOn: [],
    config: testConfig(config),
    test: { kind: "singular", source: file.text },
  };
  return { node, references: parsed.references, text: file.text };
}

export interface GenericTestsOptions {
  readonly context: ParseContext;
  readonly files: ProjectFiles;
  readonly models: readonly LooseNode<ModelNode>[];
  readonly sources: ReadonlyMap<string, SourceNode>;
  /** Names of models that are switched off, and their tests with them. */
  readonly disabled: ReadonlySet<string>;
}

/** @throws NovaError PROJECT_INVALID */
export function genericTests({
  context,
  files,
  models,
  sources,
  disabled,
}: GenericTestsOptions): readonly LooseNode<TestNode>[] {
  const problems: FileProblem[] = [];
  const byName = new Map(models.map(({ node }) => [node.name, node]));
  const project = files.projectFile.name;
  const tests = files.properties.flatMap(({ yaml, path, content }) => {
    const ofModels = (content.models ?? []).flatMap((entry, index) => {
      const model = byName.get(entry.name);
      if (!model || disabled.has(entry.name)) return [];
      const subject = { id: model.id, label: model.name, prefix: "", folders: model.fqn.slice(1, -1) };
      return readTests(yaml, ["models", index], entry, problems).map((test) => ({ test, subject, yaml, path }));
    });
    const ofSources = (content.sources ?? []).flatMap((source, s) =>
      (source.tables ?? []).flatMap((table, t) => {
        const id = `source.${project}.${source.name}.${table.name}`;
        if (!sources.has(id)) return [];
        const subject = { id, label: `${source.name}_${table.name}`, prefix: "source_", folders: [] };
        return readTests(yaml, ["sources", s, "tables", t], table, problems).map((test) => ({
          test,
          subject,
          yaml,
          path,
        }));
      }),
    );
    return [...ofModels, ...ofSources];
  });
  const nodes = tests.flatMap((found) => genericTest(context, files, found, problems) ?? []);
  throwProblems(problems);
  return nodes;
}

interface Found {
  readonly test: TestEntry;
  readonly subject: {
    readonly id: string;
    readonly label: string;
    readonly prefix: string;
    readonly folders: readonly string[];
  };
  readonly yaml: YamlFile;
  readonly path: string;
}

function genericTest(
  context: ParseContext,
  files: ProjectFiles,
  { test, subject, yaml, path }: Found,
  problems: FileProblem[],
): LooseNode<TestNode> | undefined {
  const project = files.projectFile.name;
  const problem = unknownTest(context, test) ?? argumentProblem(test);
  if (problem !== undefined) {
    problems.push({ file: yaml.file, line: test.line, column: 1, message: problem });
    return undefined;
  }
  const named = { ...(test.column !== undefined && { column_name: test.column }), ...test.arguments };
  const name = test.customName ?? testName(`${subject.prefix}${test.name}`, subject.label, named);
  const fqn = [project, ...subject.folders, name];
  const config = mergeConfigs([...projectTestConfigs(files, fqn), test.config]);
  if (config["enabled"] === false) return undefined;
  const column = test.column === undefined ? undefined : columnSql(test.column, test.quoteColumn);
  const node: TestNode = {
    kind: "test",
    id: `test.${project}.${name}`,
    name,
    file: yaml.file,
    path,
    fqn,
    tags: names(config["tags"]),
    description: test.description?.trim(),
    dependsOn: [subject.id],
    config: testConfig(config),
    test: { kind: "generic", name: test.name, subject: subject.id, column, arguments: test.arguments, line: test.line },
  };
  return { node, references: argumentReferences(test), text: "" };
}

function unknownTest({ engine }: ParseContext, test: TestEntry): string | undefined {
  if (isBuiltIn(test.name) || engine.macros.has(`test_${test.name}`)) return undefined;
  const own = [...engine.macros.keys()]
    .filter((name) => name.startsWith("test_"))
    .map((name) => name.slice("test_".length));
  const known = [...BUILT_IN_TESTS, ...own];
  const guess = closestMatch(test.name, known, { maxDistance: 3 });
  return `there is no test "${test.name}"; ${guess ? `did you mean "${guess}"?` : `known here: ${known.join(", ")}`}`;
}

function argumentReferences(test: TestEntry): readonly Reference[] {
  return Object.values(test.arguments).flatMap((value): readonly Reference[] => {
    const reference = typeof value === "string" ? parseReference(value) : undefined;
    if (!reference) return [];
    return reference.kind === "ref"
      ? [{ kind: "ref", path: [reference.name] }]
      : [{ kind: "source", path: [reference.source, reference.table] }];
  });
}

function projectTestConfigs({ projectFile }: ProjectFiles, fqn: readonly string[]): readonly RawConfig[] {
  return [...folderConfigs(projectFile.data_tests, fqn), ...folderConfigs(projectFile.tests, fqn)];
}
