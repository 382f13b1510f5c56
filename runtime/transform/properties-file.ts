/** The yml files beside the models: descriptions, columns, tests and sources, in dbt's current form and in the older one. */
import { z } from "zod";
import type { FileProblem, YamlFile } from "../core/yaml-file.ts";
import { checkTestConfig, isRecord, normalizeKeys, TEST_CONFIG_KEYS, type RawConfig } from "./node-config.ts";

const anything = z.unknown().optional();
const name = z.string().min(1);
const description = z.string().nullish();
const config = z.record(z.string(), z.unknown()).nullish();
const tests = z.array(z.unknown()).nullish();

const column = z.strictObject({
  name,
  description,
  config,
  data_tests: tests,
  tests,
  data_type: anything,
  constraints: anything,
  quote: z.boolean().nullish(),
  tags: anything,
  meta: anything,
  policy_tags: anything,
  granularity: anything,
});

const model = z.strictObject({
  name,
  description,
  config,
  columns: z.array(column).nullish(),
  data_tests: tests,
  tests,
  access: anything,
  constraints: anything,
  deprecation_date: anything,
  docs: anything,
  group: anything,
  latest_version: anything,
  meta: anything,
  primary_key: anything,
  time_spine: anything,
  versions: z.never({ error: "model versions are not supported; make each version a model of its own" }).optional(),
});

const sourceTable = z.strictObject({
  name,
  description,
  config,
  identifier: z.string().nullish(),
  columns: z.array(column).nullish(),
  data_tests: tests,
  tests,
  external: anything,
  freshness: anything,
  loaded_at_field: anything,
  loaded_at_query: anything,
  loader: anything,
  meta: anything,
  quoting: anything,
  tags: anything,
});

const source = z.strictObject({
  name,
  description,
  config,
  schema: z.string().nullish(),
  database: z.string().nullish(),
  tables: z.array(sourceTable).nullish(),
  freshness: anything,
  loaded_at_field: anything,
  loaded_at_query: anything,
  loader: anything,
  meta: anything,
  overrides: anything,
  quoting: anything,
  tags: anything,
});

const described = z.looseObject({ name, description, config });

export const propertiesSchema = z.strictObject({
  version: z.literal(2, { error: "must be 2" }).optional(),
  models: z.array(model).nullish(),
  sources: z.array(source).nullish(),
  analyses: z.array(described).nullish(),
  data_tests: z.array(described).nullish(),
  tests: z.array(described).nullish(),
  macros: z.array(described).nullish(),
  exposures: anything,
  functions: anything,
  groups: anything,
  metrics: anything,
  saved_queries: anything,
  seeds: anything,
  semantic_models: anything,
  snapshots: anything,
  unit_tests: anything,
  anchors: anything,
});

export type PropertiesFile = z.infer<typeof propertiesSchema>;
type ColumnEntry = z.infer<typeof column>;

/** One test of a column or of a model, whatever the form it was written in. */
export interface TestEntry {
  readonly name: string;
  readonly customName?: string | undefined;
  readonly description?: string | undefined;
  readonly column?: string | undefined;
  readonly quoteColumn: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly config: RawConfig;
  readonly line: number;
}

interface Tested {
  readonly data_tests?: readonly unknown[] | null | undefined;
  readonly tests?: readonly unknown[] | null | undefined;
  readonly columns?: readonly ColumnEntry[] | null | undefined;
}

/** All tests of a model or source table and of its columns. @param problems what is wrong is added here */
export function readTests(
  yaml: YamlFile,
  path: readonly PropertyKey[],
  entry: Tested,
  problems: FileProblem[],
): readonly TestEntry[] {
  const here = (at: readonly PropertyKey[], tested: Tested, col?: ColumnEntry) =>
    (["data_tests", "tests"] as const).flatMap((key) =>
      (tested[key] ?? []).flatMap((item, index) => readTest(yaml, [...at, key, index], item, col, problems) ?? []),
    );
  const columns = (entry.columns ?? []).flatMap((col, index) =>
    here([...path, "columns", index], { data_tests: col.data_tests, tests: col.tests }, col),
  );
  return [...here(path, { data_tests: entry.data_tests, tests: entry.tests }), ...columns];
}

function readTest(
  yaml: YamlFile,
  path: readonly PropertyKey[],
  item: unknown,
  col: ColumnEntry | undefined,
  problems: FileProblem[],
): TestEntry | undefined {
  const common = { column: col?.name, quoteColumn: col?.quote ?? false, line: yaml.position(path).line };
  if (typeof item === "string") return { ...common, name: item, arguments: {}, config: {} };
  const split = isRecord(item) ? splitEntry(item) : undefined;
  if (!split) {
    problems.push(
      yaml.problem(
        path,
        "a test is a name, or one name with its arguments: \"- relationships: {arguments: {to: ref('x'), field: id}}\"",
      ),
    );
    return undefined;
  }
  const { name: testName, body, at } = split;
  const { arguments: given, config: inConfig, name: customName, description: text, ...rest } = body;
  const beside = Object.entries(rest);
  const config = normalizeKeys({
    ...Object.fromEntries(beside.filter(([key]) => TEST_CONFIG_KEYS.has(key))),
    ...(isRecord(inConfig) ? inConfig : {}),
  });
  for (const problem of checkTestConfig(config)) {
    const place = isRecord(inConfig) && problem.key in inConfig ? ["config", problem.key] : [problem.key];
    problems.push(yaml.problem([...path, ...at, ...place], problem.message));
  }
  const older = Object.fromEntries(beside.filter(([key]) => !TEST_CONFIG_KEYS.has(key)));
  return {
    ...common,
    name: testName,
    customName: typeof customName === "string" ? customName : undefined,
    description: typeof text === "string" ? text : undefined,
    arguments: { ...older, ...(isRecord(given) ? given : {}) },
    config,
  };
}

/** `{unique: {…}}`, or `{test_name: unique, …}`. */
function splitEntry(item: RawConfig): { name: string; body: RawConfig; at: readonly string[] } | undefined {
  const { test_name: testName, ...rest } = item;
  if (typeof testName === "string") return { name: testName, body: rest, at: [] };
  const [key, ...others] = Object.keys(item);
  if (key === undefined || others.length > 0) return undefined;
  const body = item[key] ?? {};
  return isRecord(body) ? { name: key, body, at: [key] } : undefined;
}
