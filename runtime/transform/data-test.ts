/** Data tests: their names and SQL, exactly as dbt forms them, so that results can be compared with dbt's. */
import { identifier, literal } from "../core/sql.ts";
import type { GenericTest, TestConfig, Threshold } from "./project.ts";

/**
 * `relationships_fct_vendas_cliente_id__cliente_id__ref_dim_clientes_`: the test, what it is about, and the values of all arguments in
 * order of their names, each run of other characters as `_` (dbt's synthesize_generic_test_names).
 *
 * @param subject name of the model, or `<source>_<table>`
 * @param args arguments, `column_name` among them
 */
export function testName(test: string, subject: string, args: Readonly<Record<string, unknown>>): string {
  const parts = Object.keys(args)
    .filter((key) => key !== "model")
    .toSorted()
    .flatMap((key) => flatten(args[key]))
    .map((value) => pythonText(value).replaceAll(/[^0-9a-zA-Z_]+/g, "_"));
  return `${test}_${subject}_${parts.join("__")}`;
}

function flatten(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === "object" && value !== null ? Object.values(value) : [value];
}

function pythonText(value: unknown): string {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null || value === undefined) return "None";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The tests that need no macro. */
export const BUILT_IN_TESTS = ["unique", "not_null", "accepted_values", "relationships"] as const;
export type BuiltInTest = (typeof BUILT_IN_TESTS)[number];

export function isBuiltIn(name: string): name is BuiltInTest {
  return BUILT_IN_TESTS.some((known) => known === name);
}

/** What a built-in test lacks or has wrong, with what to write; undefined if it can run. */
export function argumentProblem(test: Pick<GenericTest, "name" | "column" | "arguments">): string | undefined {
  const args = test.arguments;
  if (isBuiltIn(test.name) && columnOf(test) === undefined) {
    return `${test.name} needs a column: put it under one, or add "arguments: {column_name: …}"`;
  }
  if (test.name === "accepted_values" && !(Array.isArray(args["values"]) && args["values"].length > 0)) {
    return 'accepted_values needs "arguments: {values: [a, b]}"';
  }
  if (test.name === "relationships" && (typeof args["to"] !== "string" || typeof args["field"] !== "string")) {
    return "relationships needs \"arguments: {to: ref('model'), field: column}\"";
  }
  return undefined;
}

function columnOf(test: Pick<GenericTest, "column" | "arguments">): string | undefined {
  const named = test.arguments["column_name"];
  return test.column ?? (typeof named === "string" ? named : undefined);
}

/** `ref('x')`, `ref('package', 'x')` or `source('s', 't')`, with or without braces, as it stands in an argument. */
export function parseReference(
  text: string,
):
  | { readonly kind: "ref"; readonly name: string }
  | { readonly kind: "source"; readonly source: string; readonly table: string }
  | undefined {
  const match =
    /^\s*(?:\{\{)?\s*(ref|source)\(\s*(['"])([^'"]+)\2\s*(?:,\s*(['"])([^'"]+)\4\s*)?\)\s*(?:\}\})?\s*$/.exec(text);
  if (!match) return undefined;
  const [, kind, , first = "", , second] = match;
  if (kind === "ref") return { kind: "ref", name: second ?? first };
  return second === undefined ? undefined : { kind: "source", source: first, table: second };
}

/**
 * SQL whose rows break the rule.
 *
 * @param model SQL that names the relation, or a subquery where the test has a `where`
 * @param to the same for the other relation of `relationships`
 */
export function testSql(
  test: GenericTest & { readonly name: BuiltInTest },
  model: string,
  to: string | undefined,
): string {
  const column = columnOf(test) ?? "";
  switch (test.name) {
    case "unique":
      return `select\n    ${column} as unique_field,\n    count(*) as n_records\nfrom ${model}\nwhere ${column} is not null\ngroup by ${column}\nhaving count(*) > 1`;
    case "not_null":
      return `select ${column}\nfrom ${model}\nwhere ${column} is null`;
    case "accepted_values": {
      const values = Array.isArray(test.arguments["values"]) ? test.arguments["values"] : [];
      const quoted = test.arguments["quote"] !== false;
      const listed = values.map((value) => (quoted ? literal(String(value)) : String(value))).join(", ");
      return `select\n    ${column} as value_field,\n    count(*) as n_records\nfrom ${model}\nwhere ${column} not in (${listed})\ngroup by ${column}`;
    }
    case "relationships":
      return [
        `with child as (\n    select ${column} as from_field\n    from ${model}\n    where ${column} is not null\n),`,
        `parent as (\n    select ${String(test.arguments["field"])} as to_field\n    from ${to ?? ""}\n)`,
        `select child.from_field\nfrom child\nleft join parent\n    on child.from_field = parent.to_field\nwhere parent.to_field is null`,
      ].join("\n");
  }
}

/** A relation with the rows that `where` leaves of it. */
export function filtered(relation: string, where: string | undefined): string {
  return where === undefined ? relation : `(select * from ${relation} where ${where}) as dbt_subquery`;
}

export function columnSql(name: string, quote: boolean): string {
  return quote ? identifier(name) : name;
}

/** Lines that stand before the test's own SQL in {@link countingSql}. */
export const COUNTING_LINES_BEFORE = 1;

/** The query that is sent: one row with the number of failures. */
export function countingSql(sql: string, config: TestConfig): string {
  const limit = config.limit === undefined ? "" : `\nlimit ${config.limit}`;
  return `select ${config.failCalc} as failures from (\n${sql}${limit}\n) as dbt_internal_test`;
}

export function verdict(failures: number, config: TestConfig): "pass" | "warn" | "fail" {
  if (config.severity === "error" && exceeds(failures, config.errorIf)) return "fail";
  return exceeds(failures, config.warnIf) ? "warn" : "pass";
}

function exceeds(failures: number, { operator, value }: Threshold): boolean {
  switch (operator) {
    case "=":
      return failures === value;
    case "!=":
      return failures !== value;
    case "<":
      return failures < value;
    case "<=":
      return failures <= value;
    case ">":
      return failures > value;
    case ">=":
      return failures >= value;
  }
}
