import { describe, expect, test } from "vitest";
import {
  argumentProblem,
  countingSql,
  parseReference,
  testName,
  testSql,
  verdict,
} from "../../../runtime/transform/data-test.ts";
import { testConfig } from "../../../runtime/transform/node-config.ts";

describe("names are dbt's", () => {
  test.each([
    ["unique", "dim_veiculos", { column_name: "veiculo_id" }, "unique_dim_veiculos_veiculo_id"],
    ["source_unique", "stage_vendas", { column_name: "id_vendas" }, "source_unique_stage_vendas_id_vendas"],
    [
      "relationships",
      "fct_vendas",
      { column_name: "cliente_id", to: "ref('dim_clientes')", field: "cliente_id" },
      "relationships_fct_vendas_cliente_id__cliente_id__ref_dim_clientes_",
    ],
    [
      "accepted_values",
      "a",
      { column_name: "b", values: ["x y", "z"], quote: false },
      "accepted_values_a_b__False__x_y__z",
    ],
  ])("%s %s", (kind, subject, args, name) => {
    expect(testName(kind, subject, args)).toBe(name);
  });
});

describe("parseReference", () => {
  test.each([
    ["ref('a')", { kind: "ref", name: "a" }],
    ['{{ ref("a") }}', { kind: "ref", name: "a" }],
    ["ref('shop', 'a')", { kind: "ref", name: "a" }],
    ["source('s', 't')", { kind: "source", source: "s", table: "t" }],
    ["source('s')", undefined],
    ["analytics.a", undefined],
  ])("%s", (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });
});

const generic = (
  name: "unique" | "not_null" | "accepted_values" | "relationships",
  args: Record<string, unknown> = {},
) => ({
  kind: "generic" as const,
  name,
  subject: "model.shop.a",
  column: "c",
  arguments: args,
  line: 1,
});

describe("testSql", () => {
  test("accepted_values quotes its values, unless told otherwise", () => {
    expect(testSql(generic("accepted_values", { values: ["it's", 2] }), "t", undefined)).toContain(
      "not in ('it''s', '2')",
    );
    expect(testSql(generic("accepted_values", { values: [1, 2], quote: false }), "t", undefined)).toContain(
      "not in (1, 2)",
    );
  });

  test("not_null", () => {
    expect(testSql(generic("not_null"), "t", undefined)).toBe("select c\nfrom t\nwhere c is null");
  });
});

test("countingSql is one row, whatever the test gives, and survives a comment at its end", () => {
  expect(countingSql("select 1 -- note", testConfig({ limit: 5 }))).toBe(
    "select count(*) as failures from (\nselect 1 -- note\nlimit 5\n) as dbt_internal_test",
  );
});

describe("verdict", () => {
  test.each([
    [{}, 0, "pass"],
    [{}, 1, "fail"],
    [{ severity: "warn" }, 1, "warn"],
    [{ severity: "WARN" }, 0, "pass"],
    [{ error_if: ">10", warn_if: ">5" }, 5, "pass"],
    [{ error_if: ">10", warn_if: ">5" }, 6, "warn"],
    [{ error_if: ">10", warn_if: ">5" }, 11, "fail"],
    [{ error_if: ">= 2" }, 1, "warn"],
  ])("%j with %i rows: %s", (config, failures, expected) => {
    expect(verdict(failures, testConfig(config))).toBe(expected);
  });
});

describe("argumentProblem says what to write", () => {
  test.each([
    [{ name: "unique", column: undefined, arguments: {} }, "needs a column"],
    [{ name: "accepted_values", column: "a", arguments: {} }, "values: [a, b]"],
    [{ name: "relationships", column: "a", arguments: { to: "ref('x')" } }, "field: column"],
  ])("%j", (broken, expected) => {
    expect(argumentProblem(broken)).toContain(expected);
  });

  test("nothing for a test that is whole", () => {
    expect(argumentProblem({ name: "unique", column: undefined, arguments: { column_name: "a" } })).toBeUndefined();
  });
});
