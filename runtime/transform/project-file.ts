/** dbt_project.yml: the schema, and the settings that it lays on folders. */
import { z } from "zod";
import type { FileProblem, YamlFile } from "../core/yaml-file.ts";
import { checkModelConfig, isRecord, list, normalizeKeys, type RawConfig } from "./node-config.ts";

const folders = z.array(z.string());
const hooks = z.union([z.string(), z.array(z.string())]);
const settings = z.record(z.string(), z.unknown());

/** All keys that dbt 1.11 knows, so that a slip is found; those that the runtime has no use for are of any form. */
export const projectFileSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z_]\w*$/, "must be letters, digits and underscores"),
  version: z.unknown().optional(),
  "config-version": z.literal(2, { error: "must be 2" }).optional(),
  profile: z.string().optional(),
  "model-paths": folders.default(["models"]),
  "macro-paths": folders.default(["macros"]),
  "test-paths": folders.default(["tests"]),
  "analysis-paths": folders.default(["analyses"]),
  vars: settings.nullish(),
  models: settings.nullish(),
  data_tests: settings.nullish(),
  tests: settings.nullish(),
  "on-run-start": hooks.nullish(),
  "on-run-end": hooks.nullish(),
  ...Object.fromEntries(
    [
      "seed-paths",
      "snapshot-paths",
      "docs-paths",
      "asset-paths",
      "function-paths",
      "target-path",
      "log-path",
      "clean-targets",
      "packages-install-path",
      "require-dbt-version",
      "query-comment",
      "quoting",
      "dispatch",
      "flags",
      "seeds",
      "snapshots",
      "sources",
      "exposures",
      "metrics",
      "semantic-models",
      "saved-queries",
      "unit_tests",
      "functions",
      "analyses",
      "restrict-access",
      "dbt-cloud",
      "packages",
    ].map((key) => [key, z.unknown().optional()]),
  ),
});

export type ProjectFile = z.infer<typeof projectFileSchema>;

/** Variables: those of the project's own section win over the general ones. */
export function projectVars(file: ProjectFile): RawConfig {
  const { [file.name]: own, ...general } = file.vars ?? {};
  return { ...general, ...(isRecord(own) ? own : {}) };
}

/**
 * The settings that a tree such as `models:` lays on one node, general first.
 *
 * @param fqn project, folders and name of the node
 */
export function folderConfigs(tree: RawConfig | null | undefined, fqn: readonly string[]): readonly RawConfig[] {
  const configs: RawConfig[] = [];
  let at: unknown = tree;
  for (let depth = 0; isRecord(at); depth++) {
    const next: string | undefined = fqn[depth];
    configs.push(settingsOf(at, next));
    at = next === undefined ? undefined : at[next];
  }
  return configs;
}

/** Keys with `+` are settings; keys without are settings unless they hold a further level. */
function settingsOf(level: RawConfig, next: string | undefined): RawConfig {
  return normalizeKeys(
    Object.fromEntries(
      Object.entries(level).filter(([key, value]) => key.startsWith("+") || (key !== next && !isRecord(value))),
    ),
  );
}

/** Checks the settings of a tree at every level. */
export function checkTree(yaml: YamlFile, key: string, tree: unknown): readonly FileProblem[] {
  const walk = (path: readonly string[], level: unknown): FileProblem[] => {
    if (!isRecord(level)) return [];
    const problems = checkModelConfig(settingsOf(level, undefined)).map((problem) => {
      const written = Object.keys(level).find((name) => normalizeKeys({ [name]: 0 })[problem.key] === 0) ?? problem.key;
      return yaml.problem([...path, written], problem.message);
    });
    const deeper = Object.entries(level).filter(([name, value]) => !name.startsWith("+") && isRecord(value));
    return [...problems, ...deeper.flatMap(([name, value]) => walk([...path, name], value))];
  };
  return walk([key], tree);
}

/** Statements of on-run-start or on-run-end. */
export function runHooks(hooksValue: ProjectFile["on-run-start"]): readonly string[] {
  return list(hooksValue).map(String);
}
