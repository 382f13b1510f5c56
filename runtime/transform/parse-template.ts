/** The first of two passes: renders a template without the warehouse, only to learn its settings and what it refers to. */
import { checkModelConfig, mergeConfigs, normalizeKeys, type RawConfig } from "./node-config.ts";
import { NovaError } from "../core/errors.ts";
import { hookTemplate } from "./hook-template.ts";
import type { Template } from "./macros.ts";
import type { TemplateEngine } from "./template-engine.ts";
import { lineAt } from "./template-scan.ts";
import { templateScope, type ScopeNode, type ScopeOptions } from "./template-scope.ts";

export interface ParseContext {
  readonly engine: TemplateEngine;
  readonly base: Pick<ScopeOptions, "target" | "vars" | "environment" | "projectName">;
}

export interface Reference {
  readonly kind: "ref" | "source";
  /** Model, or source and table. */
  readonly path: readonly string[];
}

export interface ParsedTemplate {
  readonly config: RawConfig;
  readonly references: readonly Reference[];
}

/**
 * Refs in a branch for incremental builds count too, although dbt would not find them; hooks are read with the template.
 *
 * @throws NovaError MODEL_COMPILE_FAILED
 */
export function parseTemplate(context: ParseContext, template: Template, node: ScopeNode): ParsedTemplate {
  const references = new Map<string, Reference>();
  const add = (kind: Reference["kind"], path: readonly string[]) => {
    references.set(JSON.stringify([kind, path]), { kind, path });
    return path.join(".");
  };
  const render = (what: Template, incremental: boolean): RawConfig => {
    const configs: RawConfig[] = [];
    const scope = templateScope({
      ...context.base,
      node,
      execute: false,
      incremental,
      fullRefresh: false,
      ref: (name, packageName) => {
        checkPackage(packageName, name, context.base.projectName);
        return add("ref", [name]);
      },
      source: (source_, table) => add("source", [source_, table]),
      configure: (config) => configs.push(normalizeKeys(config)),
      macro: (name) => context.engine.macroFunction(name),
    });
    context.engine.render(what, scope);
    return mergeConfigs(configs);
  };
  const config = render(template, false);
  const mayDiffer =
    [template.source, ...hooksOf(config)].some((text) => text.includes("is_incremental")) ||
    usesMacros(context, template);
  if (mayDiffer) render(template, true);
  checkInline(template, config);
  const from = { file: template.file, text: template.source };
  for (const hook of [...hooksOf(node.config), ...hooksOf(config)]) render(hookTemplate(hook, from), true);
  return { config, references: [...references.values()] };
}

function usesMacros({ engine }: ParseContext, { source }: Template): boolean {
  return [...engine.macros.keys()].some((name) => source.includes(name));
}

function hooksOf(config: RawConfig): readonly string[] {
  return [config["pre_hook"], config["post_hook"]].flat().flatMap((hook) => {
    if (typeof hook === "string") return [hook];
    return typeof hook === "object" && hook !== null && "sql" in hook ? [String(hook.sql)] : [];
  });
}

function checkInline({ file, source }: Template, config: RawConfig): void {
  const [problem] = checkModelConfig(config);
  if (!problem) return;
  const line = lineOf(source, problem.key);
  throw new NovaError("MODEL_COMPILE_FAILED", `${file}:${line} ${problem.message}`, {
    remedy: "Correct the setting in config().",
    details: { file, line },
  });
}

/** @throws NovaError MODEL_REF_MISSING for a package other than the project itself */
function checkPackage(packageName: string | undefined, name: string, projectName: string): void {
  if (packageName === undefined || packageName === projectName) return;
  throw new NovaError(
    "MODEL_REF_MISSING",
    `ref('${packageName}', '${name}') is about another package, and packages are not supported.`,
    {
      remedy: `Write ref('${name}') for a model of this project.`,
    },
  );
}

/** The first line on which a word stands, counted from 1. */
export function lineOf(source: string, word: string): number {
  const quoted = [`'${word}'`, `"${word}"`].map((text) => source.indexOf(text)).filter((at) => at >= 0);
  const at = quoted.length > 0 ? Math.min(...quoted) : source.indexOf(word);
  return at < 0 ? 1 : lineAt(source, at);
}
