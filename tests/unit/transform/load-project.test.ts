import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { loadProject } from "../../../runtime/transform/load-project.ts";
import type { ModelNode, TestNode } from "../../../runtime/transform/project.ts";
import { projectFolder, TARGET } from "./project-folder.ts";

type Files = Readonly<Record<string, string>>;

/** The error that loading the files ends with; its message without the folder's path. */
async function problem(
  files: Files,
): Promise<{ code: string; message: string; remedy: string; details: Readonly<Record<string, unknown>> }> {
  await using project = await projectFolder(files);
  try {
    await project.load();
  } catch (thrown) {
    if (!(thrown instanceof NovaError)) throw thrown;
    const { code, message, remedy, details } = thrown;
    return { code, message: message.replaceAll(/[^\s]*project-\w+\//g, ""), remedy, details };
  }
  throw new Error("Loading succeeded");
}

async function loaded(files: Files) {
  await using folder = await projectFolder(files);
  const project = await folder.load();
  const models = new Map(
    [...project.nodes.values()].flatMap((node) => (node.kind === "model" ? [[node.name, node]] : [])),
  );
  const tests = new Map(
    [...project.nodes.values()].flatMap((node) => (node.kind === "test" ? [[node.name, node]] : [])),
  );
  const model = (name: string): ModelNode => models.get(name) ?? expect.fail(`no model ${name}`);
  const dataTest = (name: string): TestNode =>
    tests.get(name) ?? expect.fail(`no test ${name} in ${[...tests.keys()].join(", ")}`);
  return { project, model, dataTest, tests };
}

const SOURCES = "version: 2\nsources:\n  - name: stage\n    tables:\n      - name: orders\n";

describe("the project of NovaDrive Motors", () => {
  const folder = join(import.meta.dirname, "../../../sql");

  test("has 18 models, 7 explorations, and a test or more on every model", async () => {
    const { nodes } = await loadProject({ folder, target: TARGET });
    const kinds = [...nodes.values()].map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "model")).toHaveLength(18);
    expect(kinds.filter((kind) => kind === "analysis")).toHaveLength(7);
    const tested = new Set([...nodes.values()].flatMap((node) => (node.kind === "test" ? node.dependsOn : [])));
    for (const node of nodes.values()) if (node.kind === "model") expect(tested).toContain(node.id);
  });

  test("describes every model and every column", async () => {
    const { nodes } = await loadProject({ folder, target: TARGET });
    for (const node of nodes.values()) {
      if (node.kind !== "model") continue;
      expect(node.description, node.name).toBeTruthy();
      expect(node.columns.length, node.name).toBeGreaterThan(2);
      for (const column of node.columns) expect(column.description, `${node.name}.${column.name}`).toBeTruthy();
    }
  });

  test("names its tests as dbt does", async () => {
    const { nodes } = await loadProject({ folder, target: TARGET });
    const names = [...nodes.values()].flatMap((node) => (node.kind === "test" ? [node.name] : []));
    expect(names).toEqual(
      expect.arrayContaining([
        "source_unique_stage_vendas_id_vendas",
        "source_relationships_stage_vendas_id_clientes__id_clientes__source_stage_clientes_",
        "unique_dim_veiculos_veiculo_id",
        "relationships_fct_vendas_cliente_id__cliente_id__ref_dim_clientes_",
        "sale_price_within_list_price",
      ]),
    );
  });
});

describe("settings", () => {
  test("of folders, yml file and config() lie over one another; tags and hooks add up", async () => {
    const { model } = await loaded({
      "dbt_project.yml":
        "name: shop\nmodels:\n  +tags: all\n  shop:\n    +materialized: table\n    marts:\n      +tags: [mart]\n      +pre-hook: select 1\n",
      "models/a.sql": "select 1",
      "models/marts/b.sql":
        "{{ config(materialized='incremental', unique_key=['x', 'y'], tags='own', pre_hook=['select 2']) }}select 1",
      "models/marts/marts.yml": "models:\n  - name: b\n    config: {materialized: view, tags: yml}\n",
    });
    expect(model("a")).toMatchObject({ tags: ["all"], config: { materialized: "table" } });
    expect(model("b")).toMatchObject({
      tags: ["all", "mart", "yml", "own"],
      fqn: ["shop", "marts", "b"],
      config: { materialized: "incremental", uniqueKey: ["x", "y"], preHooks: ["select 1", "select 2"] },
    });
  });

  test("choose schema and name of the table, and switch a model off", async () => {
    const { model, project } = await loaded({
      "models/a.sql": "{{ config(schema='marketing', alias='first') }}select 1",
      "models/b.sql": "{{ config(enabled=false) }}select {{ ref('nothing') }}",
      "models/b.yml": "models:\n  - name: b\n    columns:\n      - name: x\n        data_tests: [unique]\n",
    });
    expect(model("a")).toMatchObject({ schema: "analytics_marketing", alias: "first" });
    expect([...project.nodes.keys()]).toEqual(["model.shop.a"]);
  });

  test("are seen by config.get in hooks' macros and the model itself", async () => {
    const { model } = await loaded({
      "dbt_project.yml": "name: shop\nmodels:\n  +meta: {owner: ana}\n",
      "models/a.sql": "{% if config.get('meta').owner == 'ana' %}{{ config(alias='hers') }}{% endif %}select 1",
    });
    expect(model("a").alias).toBe("hers");
  });
});

describe("references", () => {
  test("in every branch, in macros and in hooks count", async () => {
    const { model } = await loaded({
      "models/s.yml": SOURCES,
      "macros/m.sql":
        "{% macro both() %}{{ ref('b') }}{% endmacro %}{% macro hook() %}delete from {{ ref('c') }}{% endmacro %}",
      "models/a.sql":
        "{{ config(post_hook='{{ hook() }}') }}select * from {{ both() }} {% if is_incremental() %}{{ source('stage', 'orders') }}{% endif %}",
      "models/b.sql": "select 1",
      "models/c.sql": "select 1",
    });
    expect(model("a").dependsOn.toSorted()).toEqual(["model.shop.b", "model.shop.c", "source.shop.stage.orders"]);
  });

  test("may name the project as package", async () => {
    const { model } = await loaded({
      "models/a.sql": "select * from {{ ref('shop', 'b') }}",
      "models/b.sql": "select 1",
    });
    expect(model("a").dependsOn).toEqual(["model.shop.b"]);
  });

  test("to a model that is not there name file, line and the nearest name", async () => {
    const found = await problem({
      "models/orders.sql": "select 1",
      "models/a.sql": "select *\nfrom\n  {{ ref('ordres') }}",
    });
    expect(found).toMatchObject({
      code: "MODEL_REF_MISSING",
      message: "models/a.sql:3 ref('ordres'): the model ordres does not exist.",
      remedy: "Did you mean ref('orders')?",
      details: { line: 3 },
    });
  });

  test("to a source table that is not there name the nearest", async () => {
    const found = await problem({
      "models/s.yml": SOURCES,
      "models/a.sql": "select * from {{ source('stage', 'order') }}",
    });
    expect(found).toMatchObject({ code: "MODEL_REF_MISSING", remedy: "Did you mean source('stage', 'orders')?" });
  });

  test("of a test in a yml file name its line", async () => {
    const yml =
      "models:\n  - name: a\n    columns:\n      - name: x\n        data_tests:\n          - relationships: {arguments: {to: ref('bb'), field: x}}\n";
    const found = await problem({ "models/a.sql": "select 1 as x", "models/b.sql": "select 1", "models/a.yml": yml });
    expect(found).toMatchObject({ code: "MODEL_REF_MISSING", remedy: "Did you mean ref('b')?", details: { line: 6 } });
  });

  test("to a disabled model and to a package say so", async () => {
    const off = await problem({
      "models/a.sql": "{{ ref('b') }}",
      "models/b.sql": "{{ config(enabled=false) }}select 1",
    });
    expect(off.message).toContain("is disabled");
    const other = await problem({ "models/a.sql": "\n{{ ref('pkg', 'b') }}" });
    expect(other).toMatchObject({ code: "MODEL_REF_MISSING", remedy: "Write ref('b') for a model of this project." });
    expect(other.message).toMatch(/^models\/a\.sql:2 /);
  });

  test("in a circle are shown", async () => {
    const found = await problem({
      "models/a.sql": "{{ ref('b') }}",
      "models/b.sql": "{{ ref('c') }}",
      "models/c.sql": "{{ ref('a') }}",
    });
    expect(found.code).toBe("MODEL_CYCLE");
    expect(found.message).toBe("Models refer to each other in a circle: a → b → c → a.");
  });
});

describe("bad input says where, and what to write", () => {
  test.each<[string, Files, string, string | RegExp]>([
    [
      "no dbt_project.yml key of that name",
      { "dbt_project.yml": "name: shop\nmodel-path: [models]\n" },
      "PROJECT_INVALID",
      /dbt_project\.yml:2:1 unknown key "model-path"; did you mean "model-paths"\?/,
    ],
    [
      "a slip in a folder's settings",
      { "dbt_project.yml": "name: shop\nmodels:\n  shop:\n    +materialised: view\n" },
      "PROJECT_INVALID",
      /dbt_project\.yml:4:5 unknown setting "materialised"; did you mean "materialized"\?/,
    ],
    ["YAML that is none", { "models/a.yml": "models:\n  - name: [a\n" }, "PROJECT_INVALID", /models\/a\.yml:\d+:\d+ /],
    [
      "a slip in a yml file",
      { "models/a.sql": "select 1", "models/a.yml": "models:\n  - name: a\n    colums: []\n" },
      "PROJECT_INVALID",
      /models\/a\.yml:3:5 unknown key "colums" in models\.0; did you mean "columns"\?/,
    ],
    [
      "a yml entry without a model",
      { "models/orders.sql": "select 1", "models/a.yml": "models:\n  - name: order\n" },
      "PROJECT_INVALID",
      /models\/a\.yml:2:5 there is no model file order\.sql; did you mean "orders"\?/,
    ],
    [
      "a test that does not exist",
      {
        "models/a.sql": "select 1",
        "models/a.yml": "models:\n  - name: a\n    columns:\n      - {name: x, data_tests: [uniqe]}\n",
      },
      "PROJECT_INVALID",
      /models\/a\.yml:4:1 there is no test "uniqe"; did you mean "unique"\?/,
    ],
    [
      "a test without its arguments",
      {
        "models/a.sql": "select 1",
        "models/a.yml": "models:\n  - name: a\n    columns:\n      - {name: x, data_tests: [relationships]}\n",
      },
      "PROJECT_INVALID",
      /relationships needs "arguments: \{to: ref\('model'\), field: column\}"/,
    ],
    [
      "a severity that does not exist",
      {
        "models/a.sql": "select 1",
        "models/a.yml":
          "models:\n  - name: a\n    columns:\n      - name: x\n        data_tests:\n          - unique: {config: {severity: bad}}\n",
      },
      "PROJECT_INVALID",
      /models\/a\.yml:6:31 severity must be error or warn/,
    ],
    [
      "a materialization that does not exist",
      { "models/a.sql": "\n{{ config(materialized='tabel') }}select 1" },
      "MODEL_COMPILE_FAILED",
      'models/a.sql:2 materialized must be one of: view, table, incremental, ephemeral; not "tabel"',
    ],
    [
      "two models of one name",
      { "models/x/a.sql": "select 1", "models/y/a.sql": "select 1" },
      "MODEL_DUPLICATE",
      /x\/a\.sql and models\/y\/a\.sql/,
    ],
    [
      "two tests of one name",
      {
        "models/a.sql": "select 1",
        "models/a.yml": "models:\n  - name: a\n    columns:\n      - {name: x, data_tests: [unique, unique]}\n",
      },
      "PROJECT_INVALID",
      "Two tests are named unique_a_x: in models/a.yml:4 and models/a.yml:4.",
    ],
    [
      "a variable without a value",
      { "models/a.sql": "select\n{{ var('x') }}" },
      "MODEL_COMPILE_FAILED",
      "models/a.sql:2 the variable x has no value",
    ],
    [
      "an environment variable that may be a secret",
      { "models/a.sql": "{{ env_var('NOVADRIVE_SOURCE_URL') }}" },
      "MODEL_COMPILE_FAILED",
      "models/a.sql:1 a template may not read the environment variable NOVADRIVE_SOURCE_URL",
    ],
    [
      "an error that the project raises itself",
      { "models/a.sql": "\n{{ exceptions.raise_compiler_error('not today') }}" },
      "MODEL_COMPILE_FAILED",
      "models/a.sql:2 not today",
    ],
  ])("%s", async (_, files, code, message) => {
    const found = await problem(files);
    expect(found.code).toBe(code);
    if (typeof message === "string") expect(found.message).toBe(message);
    else expect(found.message).toMatch(message);
    expect(found.remedy).not.toBe("");
  });

  test("all mistakes of all yml files come at once", async () => {
    const found = await problem({ "models/a.yml": "model: []\n", "models/b.yml": "sorces: []\n" });
    expect(found.message.split("\n")).toHaveLength(3);
  });

  test("a folder without a project", async () => {
    await expect(loadProject({ folder: "/nowhere", target: TARGET })).rejects.toMatchObject({
      code: "PROJECT_MISSING",
    });
  });
});

describe("variables", () => {
  const files = {
    "dbt_project.yml": "name: shop\nvars:\n  a: general\n  b: general\n  shop:\n    b: own\n",
    "models/x.sql": "{{ config(tags=[var('a'), var('b'), var('c', 'default'), env_var('DBT_D', 'none')]) }}select 1",
  };
  test("come from the project, its own section first; else the default", async () => {
    const { model } = await loaded(files);
    expect(model("x").tags).toEqual(["general", "own", "default", "none"]);
  });
  test("are overridden by the caller; env_var reads the given environment", async () => {
    await using folder = await projectFolder(files);
    const project = await folder.load({ vars: { a: "given", c: "three" }, environment: { DBT_D: "set" } });
    expect(project.nodes.get("model.shop.x")?.tags).toEqual(["given", "own", "three", "set"]);
  });
});

describe("data tests", () => {
  test("in the current and the older form", async () => {
    const yml = [
      "models:",
      "  - name: a",
      "    data_tests:",
      '      - unique: {arguments: {column_name: "x || y"}, name: pair_is_unique}',
      "    columns:",
      "      - name: x",
      "        data_tests:",
      '          - accepted_values: {arguments: {values: [1, 2]}, config: {severity: warn, where: "y > 1"}}',
      "      - name: y",
      "        tests:",
      "          - accepted_values: {values: ['a b'], severity: warn, tags: [slow]}",
    ].join("\n");
    const { dataTest } = await loaded({ "models/a.sql": "select 1", "models/a.yml": yml });
    expect(dataTest("pair_is_unique").test).toMatchObject({ name: "unique", arguments: { column_name: "x || y" } });
    expect(dataTest("accepted_values_a_x__1__2").config).toMatchObject({ severity: "warn", where: "y > 1" });
    expect(dataTest("accepted_values_a_y__a_b")).toMatchObject({ tags: ["slow"], config: { severity: "warn" } });
  });

  test("that the project defines itself", async () => {
    const { dataTest } = await loaded({
      "models/a.sql": "select 1",
      "models/a.yml":
        "models:\n  - name: a\n    columns:\n      - {name: x, data_tests: [{at_least: {arguments: {least: 3}}}]}\n",
      "tests/generic/at_least.sql":
        "{% test at_least(model, column_name, least) %}select * from {{ model }} where {{ column_name }} < {{ least }}{% endtest %}",
    });
    expect(dataTest("at_least_a_x__3").dependsOn).toEqual(["model.shop.a"]);
  });

  test("of files, with settings in a yml file or in the test", async () => {
    const { dataTest, tests } = await loaded({
      "models/a.sql": "select 1",
      "tests/one.sql": "{{ config(severity='warn') }}select * from {{ ref('a') }}",
      "tests/two.sql": "select * from {{ ref('a') }}",
      "tests/off.sql": "{{ config(enabled=false) }}select 1",
      "tests/tests.yml": 'data_tests:\n  - name: two\n    description: Second.\n    config: {error_if: ">3"}\n',
    });
    expect(dataTest("one").config.severity).toBe("warn");
    expect(dataTest("two")).toMatchObject({ description: "Second.", config: { errorIf: { operator: ">", value: 3 } } });
    expect(tests.has("off")).toBe(false);
  });
});
