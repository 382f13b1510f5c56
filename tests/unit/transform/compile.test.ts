import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { compiledPath, compileProject, writeCompiled } from "../../../runtime/transform/compile-project.ts";
import { Compiler, type CompilerOptions } from "../../../runtime/transform/compile.ts";
import { sqlError } from "../../../runtime/transform/sql-error.ts";
import { projectFolder } from "./project-folder.ts";

const SOURCES = "sources:\n  - name: stage\n    tables:\n      - name: orders\n        identifier: raw_orders\n";

/** Compiled SQL by name. */
async function compiled(files: Readonly<Record<string, string>>, options: Omit<CompilerOptions, "project"> = {}) {
  await using folder = await projectFolder(files);
  const project = await folder.load();
  const nodes = compileProject({ project, relationName: ({ schema, name }) => `${schema}.${name}`, ...options });
  return new Map(nodes.map(({ name, sql }) => [name, sql]));
}

describe("compileProject", () => {
  test("names relations, in refs and sources", async () => {
    const sql = await compiled({
      "models/s.yml": SOURCES,
      "models/a.sql": "select * from {{ source('stage', 'orders') }}",
      "models/b.sql":
        "{{ config(alias='bee', schema='x') }}select * from {{ ref('a') }} -- {{ this }} {{ this.schema }}",
      "analyses/c.sql": "select * from {{ ref('b') }};\n",
    });
    expect(sql.get("a")).toBe("select * from stage.raw_orders");
    expect(sql.get("b")).toBe("select * from analytics.a -- analytics_x.bee analytics_x");
    expect(sql.get("c")).toBe("select * from analytics_x.bee");
  });

  test("quotes the names by itself when no warehouse is at hand", async () => {
    const sql = await compiled({ "models/a.sql": "select '{{ this }}'" }, { relationName: undefined });
    expect(sql.get("a")).toBe(`select '"analytics"."a"'`);
  });

  test("puts an ephemeral model in place of its ref", async () => {
    const sql = await compiled({
      "models/a.sql": "{{ config(materialized='ephemeral') }}select 1 as x",
      "models/b.sql": "{{ config(materialized='ephemeral') }}select x from {{ ref('a') }} as a",
      "models/c.sql": "select * from {{ ref('b') }} as b",
    });
    expect(sql.get("c")).toBe("select * from (\nselect x from (\nselect 1 as x\n) as a\n) as b");
  });

  test("execute, target, var, log and adapter.dispatch work", async () => {
    const said: string[] = [];
    const sql = await compiled(
      {
        "macros/m.sql":
          "{% macro default__now() %}now(){% endmacro %}{% macro snowflake__now() %}sysdate(){% endmacro %}{% macro now_() %}{{ return(adapter.dispatch('now')()) }}{% endmacro %}",
        "models/a.sql":
          "{{ log('hello', info=true) }}{% if execute %}{{ target.name }} {{ target.schema }} {{ now_() }} {{ var('v', [1, 2])[1] }}{% endif %}",
      },
      { log: (message) => said.push(message) },
    );
    expect(sql.get("a")).toBe("test analytics sysdate() 2");
    expect(said).toEqual(["hello"]);
  });

  test("run_query is refused, with the line", async () => {
    const work = compiled({ "models/a.sql": "select\n{% if execute %}{{ run_query('select 1') }}{% endif %}" });
    await expect(work).rejects.toMatchObject({ code: "MODEL_COMPILE_FAILED", details: { line: 2 } });
  });

  test("writes tests as dbt does, over what where leaves", async () => {
    const sql = await compiled({
      "models/a.sql": "select 1 as x",
      "models/a.yml": `models:
  - name: a
    columns:
      - name: x
        data_tests:
          - not_null: {config: {where: "x > 0"}}
          - least: {arguments: {value: 3}}
`,
      "macros/t.sql":
        "{% test least(model, column_name, value=1) %}select * from {{ model }} where {{ column_name }} < {{ value }}{% endtest %}",
    });
    expect(sql.get("not_null_a_x")).toBe(
      "select x\nfrom (select * from analytics.a where x > 0) as dbt_subquery\nwhere x is null",
    );
    expect(sql.get("least_a_x__3")).toBe("select * from analytics.a where x < 3");
  });
});

describe("incremental models", () => {
  const files = {
    "models/a.sql": "{{ config(materialized='incremental') }}select 1{% if is_incremental() %} where new{% endif %}",
    "models/b.sql":
      "{{ config(materialized='incremental', full_refresh=false) }}select 1{% if is_incremental() %} where new{% endif %}",
    "models/c.sql": "{{ config(materialized='table') }}select 1{% if is_incremental() %} where new{% endif %}",
  };
  test.each([
    [{ exists: false, fullRefresh: false }, ["", "", ""]],
    [{ exists: true, fullRefresh: false }, [" where new", " where new", ""]],
    [{ exists: true, fullRefresh: true }, ["", " where new", ""]],
  ])("%j", async ({ exists, fullRefresh }, expected) => {
    const sql = await compiled(files, { exists: () => exists, fullRefresh });
    expect(["a", "b", "c"].map((name) => sql.get(name))).toEqual(expected.map((where) => `select 1${where}`));
  });
});

test("statements of dbt_project.yml are plain SQL, and their errors have a line", async () => {
  await using folder = await projectFolder({
    "dbt_project.yml":
      "name: shop\non-run-start:\n  - create schema {{ target.schema }}_x\n  - |\n    select\n    {{ nope }}\n",
  });
  const project = await folder.load();
  const compiler = new Compiler({ project });
  const [first, second] = project.onRunStart;
  expect(first && compiler.runHook(first).sql).toBe("create schema analytics_x");
  expect(() => second && compiler.runHook(second)).toThrow(/dbt_project\.yml:6 nope is not defined$/);
});

test("compiled files lie where dbt puts them", async () => {
  await using folder = await projectFolder({
    "models/x/a.sql": "select 1",
    "models/x/a.yml": "models:\n  - {name: a, columns: [{name: x, data_tests: [unique]}]}\n",
  });
  const project = await folder.load();
  const paths = compileProject({ project }).map(({ id }) => {
    const node = project.nodes.get(id);
    return node && compiledPath("target", project, node);
  });
  expect(paths).toEqual(["target/compiled/shop/models/x/a.sql", "target/compiled/shop/models/x/a.yml/unique_a_x.sql"]);
  const path = join(folder.folder, paths[0] ?? "");
  await writeCompiled(path, "select 1");
  expect(await readFile(path, "utf8")).toBe("select 1\n");
});

describe("sqlError", () => {
  const files = {
    "macros/m.sql": "{% macro rest() %}from\n  lost{% endmacro %}",
    "models/a.sql": "{{ config(\n  tags=['x']\n) }}\nselect -- wrong\n  'wrong',\n  wrong\n{{ rest() }}",
  };
  async function told(thrown: NovaError): Promise<NovaError> {
    await using folder = await projectFolder(files);
    const project = await folder.load();
    const node = project.nodes.get("model.shop.a") ?? expect.fail();
    const error = sqlError(thrown, { node, compiled: [new Compiler({ project }).compile(node)] });
    return error instanceof NovaError ? error : expect.fail();
  }

  test("of a line goes to the template's line", async () => {
    const error = await told(new NovaError("MODEL_SQL_FAILED", "syntax error", { details: { line: 3, column: 3 } }));
    expect(error.details).toMatchObject({ line: 6, model: "a" });
    expect(error.message).toMatch(/models\/a\.sql:6 model a: syntax error$/);
  });

  test("of a word goes to where the word stands, not to comments or strings", async () => {
    const error = await told(new NovaError("MODEL_SQL_FAILED", "no column", { details: { token: "WRONG" } }));
    expect(error.details).toMatchObject({ line: 6 });
  });

  test("of a word in a macro goes to the macro", async () => {
    const error = await told(new NovaError("MODEL_SQL_FAILED", "no table", { details: { token: "analytics.lost" } }));
    expect(String(error.details["file"])).toMatch(/macros\/m\.sql$/);
    expect(error.details).toMatchObject({ line: 2 });
  });

  test("without a place names the file", async () => {
    const error = await told(new NovaError("MODEL_SQL_FAILED", "division by zero"));
    expect(error.message).toMatch(/models\/a\.sql model a: division by zero$/);
    expect(error.remedy).toMatch(/^Correct .*models\/a\.sql\.$/);
  });

  test("that is not about the SQL stays as it is", async () => {
    const lost = new NovaError("WAREHOUSE_UNREACHABLE", "gone");
    expect(await told(lost)).toBe(lost);
  });
});
