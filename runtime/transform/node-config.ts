/** Settings of models and tests: read from three places, checked, and laid over one another as dbt does. */
import { closestMatch } from "leven";
import type { ModelConfig, TestConfig, Threshold } from "./project.ts";

export type RawConfig = Readonly<Record<string, unknown>>;

const MODEL_KEYS = [
  "access",
  "alias",
  "batch_size",
  "begin",
  "cluster_by",
  "column_types",
  "concurrent_batches",
  "contract",
  "copy_grants",
  "database",
  "docs",
  "enabled",
  "event_time",
  "full_refresh",
  "grants",
  "group",
  "incremental_predicates",
  "incremental_strategy",
  "lookback",
  "materialized",
  "meta",
  "on_configuration_change",
  "on_schema_change",
  "packages",
  "persist_docs",
  "post_hook",
  "pre_hook",
  "query_tag",
  "quoting",
  "schema",
  "secure",
  "snowflake_warehouse",
  "sql_header",
  "static_analysis",
  "tags",
  "transient",
  "unique_key",
];
const TEST_KEYS = [
  "alias",
  "database",
  "enabled",
  "error_if",
  "fail_calc",
  "group",
  "limit",
  "meta",
  "schema",
  "severity",
  "sql_header",
  "store_failures",
  "store_failures_as",
  "tags",
  "warn_if",
  "where",
];
/** Keys that dbt takes as settings of a test when they stand beside its arguments, without `config:`. */
export const TEST_CONFIG_KEYS: ReadonlySet<string> = new Set(TEST_KEYS);

const STRATEGIES = ["merge", "delete+insert", "append"] as const;
const MATERIALIZATIONS = ["view", "table", "incremental", "ephemeral"] as const;

/** dbt's own spelling in yml files has hyphens: `pre-hook`. */
export function normalizeKeys(config: RawConfig): RawConfig {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key.replace(/^\+/, "").replace(/^(pre|post)-hook$/, "$1_hook"),
      value,
    ]),
  );
}

/** Later settings win; tags and hooks add up, meta is merged. */
export function mergeConfigs(configs: readonly RawConfig[]): RawConfig {
  const merged: Record<string, unknown> = {};
  for (const config of configs) {
    for (const [key, value] of Object.entries(config)) {
      if (key === "tags" || key === "pre_hook" || key === "post_hook")
        merged[key] = [...list(merged[key]), ...list(value)];
      else if (key === "meta" && isRecord(merged[key]) && isRecord(value)) merged[key] = { ...merged[key], ...value };
      else merged[key] = value;
    }
  }
  return merged;
}

/** What is wrong with one setting, and what to write instead. */
export interface ConfigProblem {
  readonly key: string;
  readonly message: string;
}

/** Checks the settings of a model as they stand in one place; unknown keys pass, as in dbt, unless they look like a slip. */
export function checkModelConfig(config: RawConfig): readonly ConfigProblem[] {
  const problems = slips(config, MODEL_KEYS);
  const { materialized, unique_key, incremental_strategy, full_refresh, enabled, schema, alias, tags } = config;
  const complain = (key: string, message: string) => problems.push({ key, message });
  if (materialized !== undefined && !isMaterialization(materialized)) {
    complain(
      "materialized",
      `materialized must be one of: ${MATERIALIZATIONS.join(", ")}; not ${JSON.stringify(materialized)}`,
    );
  }
  if (isSet(unique_key) && !isTextOrTexts(unique_key)) {
    complain("unique_key", "unique_key must be the name of a column, or a list of names");
  }
  if (isSet(incremental_strategy) && !STRATEGIES.some((known) => known === incremental_strategy)) {
    complain("incremental_strategy", `incremental_strategy must be one of: ${STRATEGIES.join(", ")}`);
  }
  for (const [key, value] of Object.entries({ full_refresh, enabled })) {
    if (isSet(value) && typeof value !== "boolean") complain(key, `${key} must be true or false`);
  }
  for (const [key, value] of Object.entries({ schema, alias })) {
    if (isSet(value) && typeof value !== "string") complain(key, `${key} must be a name`);
  }
  if (isSet(tags) && !isTextOrTexts(tags)) complain("tags", "tags must be a word, or a list of words");
  for (const key of ["pre_hook", "post_hook"]) {
    if (list(config[key]).some((hook) => hookSql(hook) === undefined))
      complain(key, `${key} must be an SQL statement, or a list of them`);
  }
  return problems;
}

/** Settings that have passed the checks, in the form that the program uses. */
export function modelConfig(raw: RawConfig): ModelConfig {
  const append = raw["incremental_strategy"] === "append";
  const fullRefresh = raw["full_refresh"];
  return {
    materialized: isMaterialization(raw["materialized"]) ? raw["materialized"] : "view",
    uniqueKey: append ? [] : names(raw["unique_key"]),
    fullRefresh: typeof fullRefresh === "boolean" ? fullRefresh : undefined,
    preHooks: list(raw["pre_hook"]).flatMap((hook) => hookSql(hook) ?? []),
    postHooks: list(raw["post_hook"]).flatMap((hook) => hookSql(hook) ?? []),
    raw,
  };
}

export function checkTestConfig(config: RawConfig): readonly ConfigProblem[] {
  const problems = slips(config, TEST_KEYS);
  const { severity, where, limit, enabled } = config;
  const complain = (key: string, message: string) => problems.push({ key, message });
  if (isSet(severity) && !/^(?:error|warn)$/i.test(text(severity)))
    complain("severity", "severity must be error or warn");
  if (isSet(where) && typeof where !== "string") complain("where", "where must be an SQL condition");
  if (isSet(limit) && !(Number.isInteger(limit) && Number(limit) > 0))
    complain("limit", "limit must be a whole number above 0");
  if (isSet(enabled) && typeof enabled !== "boolean") complain("enabled", "enabled must be true or false");
  for (const key of ["error_if", "warn_if"]) {
    if (isSet(config[key]) && !parseThreshold(text(config[key])))
      complain(key, `${key} must be a comparison with a number, like ">10"`);
  }
  return problems;
}

export function testConfig(raw: RawConfig): TestConfig {
  const notZero: Threshold = { operator: "!=", value: 0 };
  const { where, limit, fail_calc: failCalc } = raw;
  return {
    severity: /^warn$/i.test(text(raw["severity"])) ? "warn" : "error",
    where: typeof where === "string" ? where : undefined,
    limit: typeof limit === "number" ? limit : undefined,
    failCalc: typeof failCalc === "string" ? failCalc : "count(*)",
    errorIf: parseThreshold(text(raw["error_if"])) ?? notZero,
    warnIf: parseThreshold(text(raw["warn_if"])) ?? notZero,
  };
}

const OPERATORS: Readonly<Record<string, Threshold["operator"]>> = {
  "=": "=",
  "==": "=",
  "!=": "!=",
  "<>": "!=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

function parseThreshold(condition: string): Threshold | undefined {
  const match = /^\s*([=!<>]{1,2})\s*(\d+)\s*$/.exec(condition);
  const operator = OPERATORS[match?.[1] ?? ""];
  return operator && { operator, value: Number(match?.[2]) };
}

function slips(config: RawConfig, known: readonly string[]): ConfigProblem[] {
  return Object.keys(config).flatMap((key) => {
    if (known.includes(key)) return [];
    const guess = closestMatch(key, [...known], { maxDistance: 2 });
    return guess ? [{ key, message: `unknown setting "${key}"; did you mean "${guess}"?` }] : [];
  });
}

function hookSql(hook: unknown): string | undefined {
  if (typeof hook === "string") return hook;
  return isRecord(hook) && typeof hook["sql"] === "string" ? hook["sql"] : undefined;
}

export const isRecord = (value: unknown): value is RawConfig =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const list = (value: unknown): readonly unknown[] =>
  !isSet(value) ? [] : Array.isArray(value) ? value : [value];
/** A word or a list of words, as a list. */
export const names = (value: unknown): readonly string[] => list(value).map(String);
const isMaterialization = (value: unknown): value is ModelConfig["materialized"] =>
  MATERIALIZATIONS.some((name) => name === value);
const isTextOrTexts = (value: unknown): boolean => list(value).every((item) => typeof item === "string");
const isSet = (value: unknown): boolean => value !== undefined && value !== null;
const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");
