/** Building models and running tests on a real warehouse: order, failure, materializations, hooks, places of errors. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildProject, type BuildOutcome, type BuildProjectOptions } from "../../../runtime/transform/build-project.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import { projectFolder } from "../../unit/transform/project-folder.ts";
import { recordingTasks, testWarehouse, type RecordedTasks, type TestWarehouse } from "./warehouse-project.ts";

let at: TestWarehouse;
let schemas = 0;
beforeAll(async () => {
  at = await testWarehouse({ file: "none", tables: [] });
});
afterAll(() => at[Symbol.asyncDispose]());

interface Built extends BuildOutcome {
  /** `a success`, `unique_a_x fail` in the order in which they finished. */
  readonly statuses: readonly string[];
  readonly tasks: RecordedTasks;
  rows(relation: string, columns?: string): Promise<readonly string[]>;
}

type Options = Omit<Partial<BuildProjectOptions>, "project" | "warehouse">;

/** Builds the files, several times if there are several options, in a schema of their own. */
async function built(files: Readonly<Record<string, string>>, ...runs: readonly Options[]): Promise<Built> {
  await using folder = await projectFolder(files);
  const schema = `s${++schemas}`;
  const project = await folder.load({ target: { name: "test", schema, type: "snowflake" } });
  let outcome: BuildOutcome = { models: [], tests: [] };
  let statuses: string[] = [];
  let tasks = recordingTasks();
  for (const options of runs.length > 0 ? runs : [{}]) {
    const seen: string[] = [];
    tasks = recordingTasks();
    outcome = await buildProject({
      project,
      warehouse: at.warehouse,
      tasks,
      onModel: ({ name, status }) => seen.push(`${name} ${status}`),
      onTest: ({ name, status }) => seen.push(`${name} ${status}`),
      ...options,
    });
    statuses = seen;
  }
  const rows = async (relation: string, columns = "*") =>
    (
      await at.rows(`select ${columns} from ${relation.includes(".") ? relation : `${schema}.${relation}`} order by 1`)
    ).map((row) => row.join(" "));
  return { ...outcome, statuses, tasks, rows };
}

const failedModel = (outcome: BuildOutcome) => outcome.models.find(({ status }) => status === "failed");

describe("a failure", () => {
  const files = {
    "models/a.sql": "select 1 as x",
    "models/broken.sql": "select nothing from {{ ref('a') }}",
    "models/below.sql": "select * from {{ ref('broken') }}",
    "models/further.sql": "select * from {{ ref('below') }}",
    "models/beside.sql": "select * from {{ ref('a') }}",
    "models/all.yml": `models:
  - {name: broken, columns: [{name: x, data_tests: [unique]}]}
  - {name: beside, columns: [{name: x, data_tests: [unique]}]}
`,
  };

  test("of a model skips what depends on it and its tests, and nothing else", async () => {
    const { statuses } = await built(files);
    expect(statuses.toSorted()).toEqual([
      "a success",
      "below skipped",
      "beside success",
      "broken failed",
      "further skipped",
      "unique_beside_x pass",
      "unique_broken_x skipped",
    ]);
  });

  test("of a test skips the models below, not those beside", async () => {
    const { statuses, tests } = await built({
      "models/a.sql": "select 1 as x union all select 1",
      "models/below.sql": "select * from {{ ref('a') }}",
      "models/b.sql": "select 1 as x",
      "models/all.yml":
        "models:\n  - {name: a, columns: [{name: x, description: Key., data_tests: [unique, not_null]}]}\n",
    });
    expect(statuses.toSorted()).toEqual([
      "a success",
      "b success",
      "below skipped",
      "not_null_a_x pass",
      "unique_a_x fail",
    ]);
    expect(tests.find(({ status }) => status === "fail")).toMatchObject({
      failures: 1,
      error: { code: "TEST_FAILED", message: "The test unique_a_x of a failed: 1 row breaks the rule." },
    });
  });

  test("of a test with severity warn skips nothing", async () => {
    const yml = "models:\n  - {name: a, columns: [{name: x, data_tests: [{not_null: {config: {severity: warn}}}]}]}\n";
    const { statuses, tests, tasks } = await built({
      "models/a.sql": "select null as x",
      "models/below.sql": "select * from {{ ref('a') }}",
      "models/all.yml": yml,
    });
    expect(statuses).toEqual(["a success", "not_null_a_x warn", "below success"]);
    expect(tests[0]?.failures).toBe(1);
    expect(tasks.logged).toEqual(["not_null_a_x: 1 row breaks the rule"]);
  });

  test("says with which SQL the rows can be read, and writes it down where dbt would", async () => {
    await using target = await projectFolder({});
    const { tests } = await built(
      { "models/a.sql": "select 1 as x", "tests/never.sql": "-- none\nselect * from {{ ref('a') }}" },
      { targetFolder: target.folder },
    );
    const path = join(target.folder, "compiled/shop/tests/never.sql");
    expect(tests[0]?.error?.remedy).toBe(`Read the rows with the SQL in ${path}.`);
    expect(await readFile(path, "utf8")).toMatch(/^-- none\nselect \* from "s\d+"\."a"\n$/);
    expect(await readFile(join(target.folder, "compiled/shop/models/a.sql"), "utf8")).toBe("select 1 as x\n");
  });
});

describe("data tests count the rows that break their rule", () => {
  const files = (entry: string) => ({
    "models/a.sql": "select x, y from (values (1, 'a'), (1, 'b'), (2, null), (null, 'c')) as v (x, y)",
    "models/b.sql": "select 1 as id",
    "models/all.yml": `models:\n  - name: a\n    columns:\n      - name: x\n        data_tests: [${entry}]\n`,
    "tests/generic/less_than.sql":
      "{% test less_than(model, column_name, limit=1) %}select * from {{ model }} where {{ column_name }} >= {{ limit }}{% endtest %}",
  });
  test.each([
    ["unique", "fail", 1],
    ["not_null", "fail", 1],
    ["accepted_values: {arguments: {values: [1], quote: false}}", "fail", 1],
    ["accepted_values: {arguments: {values: [1, 2], quote: false}}", "pass", 0],
    ["relationships: {arguments: {to: ref('b'), field: id}}", "fail", 1],
    ['unique: {config: {where: "x = 2"}}', "pass", 0],
    ['not_null: {config: {error_if: ">1", warn_if: ">0"}}', "warn", 1],
    ["less_than: {arguments: {limit: 2}}", "fail", 1],
    ['less_than: {config: {fail_calc: "sum(x)"}}', "fail", 4],
    ["less_than: {config: {limit: 2}}", "fail", 2],
  ])("%s", async (entry, status, failures) => {
    const { tests } = await built(files(entry.includes(":") ? `{${entry}}` : entry));
    expect(tests).toMatchObject([{ status, failures }]);
  });
});

describe("materializations", () => {
  test("view, table, ephemeral and incremental", async () => {
    const files = {
      "models/v.sql": "select 1 as x",
      "models/e.sql": "{{ config(materialized='ephemeral') }}select x + 1 as x from {{ ref('v') }}",
      "models/t.sql": "{{ config(materialized='table') }}select * from {{ ref('e') }} as e",
      "models/i.sql":
        "{{ config(materialized='incremental', unique_key='x') }}select x, {% if is_incremental() %}'later'{% else %}'first'{% endif %} as y from {{ ref('t') }}",
    };
    const first = await built(files);
    expect(first.models.map(({ name, materialized, rows }) => [name, materialized, rows])).toEqual([
      ["v", "view", null],
      ["t", "table", 1],
      ["i", "incremental", 1],
    ]);
    expect(await first.rows("i")).toEqual(["2 first"]);
    const second = await built(files, {}, {});
    expect(await second.rows("i")).toEqual(["2 later"]);
    const anew = await built(files, {}, { fullRefresh: true });
    expect(await anew.rows("i")).toEqual(["2 first"]);
  });

  test("hooks run before and after, in the model's own context", async () => {
    const { rows } = await built({
      "macros/m.sql":
        "{% macro note(what) %}{% if execute %}insert into {{ this }}_log values ('{{ what }}'){% endif %}{% endmacro %}",
      "models/a.sql":
        "{{ config(materialized='table', pre_hook=['create table {{ this.schema }}.a_log (t varchar)', \"insert into {{ target.schema }}.a_log values ('before')\"], post_hook=\"insert into {{ this.schema }}.{{ this.identifier }}_log select 'after ' || x from {{ this }}\") }}select 1 as x",
    });
    expect(await rows("a_log")).toEqual(["after 1", "before"]);
  });

  test("on-run-start and on-run-end run around it all", async () => {
    const files = {
      "dbt_project.yml":
        "name: shop\non-run-start: create schema if not exists {{ target.schema }}_x\non-run-end:\n  - create table {{ target.schema }}_x.done as select * from {{ target.schema }}.a\n",
      "models/a.sql": "select 1 as x",
    };
    const { rows, tasks } = await built(files);
    expect(tasks.started.map(({ subject }) => subject)).toEqual(["on-run-start-0", "a", "on-run-end-0"]);
    expect(await rows(`s${schemas}_x.done`)).toEqual(["1"]);
  });

  test("descriptions become comments of table and columns, without harm", async () => {
    const { models } = await built({
      "models/a.sql": "{{ config(materialized='table') }}select 1 as x",
      "models/a.yml":
        "models:\n  - {name: a, description: It's a table., columns: [{name: x, description: 'It''s a column.'}]}\n",
    });
    expect(models).toMatchObject([{ status: "success" }]);
  });
});

describe("an SQL error names file and line of the template", () => {
  const where = (outcome: BuildOutcome) => {
    const error = failedModel(outcome)?.error;
    return `${String(error?.details?.["file"]).replace(/^.*project-\w+\//, "")}:${String(error?.details?.["line"])}`;
  };

  test.each([
    [
      "an unknown column",
      "{{ config(\n  materialized='table'\n) }}\nselect\n  1 as x,\n  wrong as y\nfrom (select 1 as z)",
      "models/a.sql:6",
    ],
    ["an unknown table", "{% set a = 1 %}\nselect *\nfrom nowhere", "models/a.sql:3"],
    ["a syntax error", "{# note\n#}\nselect 1 as x\nfrom (select 1\n", "models/a.sql"],
    ["a macro's SQL", "select\n{{ columns() }}\nfrom (select 1 as z)", "macros/m.sql:2"],
  ])("%s", async (_, model, place) => {
    const outcome = await built({
      "models/a.sql": model,
      "macros/m.sql": "{% macro columns() %}z,\nwrong{% endmacro %}",
    });
    expect(failedModel(outcome)?.error).toMatchObject({ code: "MODEL_SQL_FAILED", details: { model: "a" } });
    expect(where(outcome).slice(0, place.length)).toBe(place);
    expect(failedModel(outcome)?.error?.message).toContain(place);
  });

  test("in a hook", async () => {
    const outcome = await built({
      "models/a.sql": "{{ config(materialized='table', post_hook='{{ after() }}') }}\nselect 1 as x",
      "macros/m.sql": "{% macro after() %}\n\nupdate {{ this }} set wrong = 1{% endmacro %}",
    });
    expect(where(outcome)).toBe("macros/m.sql:3");
  });

  test("in a hook that stands in the model itself", async () => {
    const outcome = await built({
      "models/a.sql":
        "{{ config(\n  materialized='table',\n  post_hook='update {{ this }}\n    set wrong = 1'\n) }}\nselect 1 as x",
    });
    expect(where(outcome)).toBe("models/a.sql:4");
  });

  test("in a hook that cannot be read", async () => {
    const outcome = await built({
      "models/a.sql": "{{ config(\n  materialized='table',\n  post_hook='update set set'\n) }}\nselect 1 as x",
    });
    expect(where(outcome)).toBe("models/a.sql:3");
  });

  test("in a test", async () => {
    const { tests } = await built({
      "models/a.sql": "select 1 as x",
      "tests/t.sql": "select *\nfrom {{ ref('a') }}\nwhere wrong > 1",
    });
    expect(tests).toMatchObject([
      { status: "error", error: { code: "MODEL_SQL_FAILED", details: { line: 3, test: "t" } } },
    ]);
  });

  test("that a template cannot be compiled fails the model alone", async () => {
    const outcome = await built({
      "models/a.sql": "select 1 as x\n{% if execute %}{{ exceptions.raise_compiler_error('no') }}{% endif %}",
      "models/b.sql": "select 1 as x",
    });
    expect(where(outcome)).toBe("models/a.sql:2");
    expect(outcome.statuses.toSorted()).toEqual(["a failed", "b success"]);
  });

  test("other columns than the table's say how to build it anew", async () => {
    const outcome = await built(
      {
        "models/a.sql":
          "{{ config(materialized='incremental') }}select 1 as x{% if is_incremental() %}, 2 as y{% endif %}",
      },
      {},
      {},
    );
    expect(failedModel(outcome)?.error).toMatchObject({ code: "MODEL_SCHEMA_CHANGED" });
  });
});

describe("selection", () => {
  const files = {
    "models/a.sql": "select 1 as x",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/all.yml": "models:\n  - {name: b, columns: [{name: x, data_tests: [unique]}]}\n",
  };
  test("builds what is selected, with its tests", async () => {
    expect((await built(files, { select: "a" })).statuses).toEqual(["a success"]);
    expect((await built(files, {}, { select: "b" })).statuses).toEqual(["b success", "unique_b_x pass"]);
  });
  test("builds models without tests, runs tests without models", async () => {
    expect((await built(files, { what: "models" })).statuses).toEqual(["a success", "b success"]);
    expect((await built(files, {}, { what: "tests" })).statuses).toEqual(["unique_b_x pass"]);
  });
});

test("an abort lets what runs end, begins nothing more and comes out", async () => {
  await using folder = await projectFolder({
    "models/a.sql": "select 1 as x",
    "models/b.sql": "select * from {{ ref('a') }}",
  });
  const project = await folder.load({ target: { name: "test", schema: `s${++schemas}`, type: "snowflake" } });
  const controller = new AbortController();
  const seen: string[] = [];
  const work = buildProject({
    project,
    warehouse: at.warehouse,
    tasks: recordingTasks(controller.signal),
    onModel: ({ name }) => {
      seen.push(name);
      controller.abort(new Error("enough"));
    },
  });
  await expect(work).rejects.toThrow("enough");
  expect(seen).toEqual(["a"]);
});

test("independent models run at the same time, up to the limit", async () => {
  const files = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`models/m${index}.sql`, "select 1 as x"]));
  await using folder = await projectFolder(files);
  const project = await folder.load({ target: { name: "test", schema: `s${++schemas}`, type: "snowflake" } });
  let running = 0;
  let most = 0;
  const counting: Warehouse = new Proxy(at.warehouse, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (name !== "materialize") return typeof member === "function" ? member.bind(target) : member;
      return async (...handed: Parameters<Warehouse["materialize"]>) => {
        most = Math.max(most, ++running);
        try {
          return await target.materialize(...handed);
        } finally {
          running--;
        }
      };
    },
  });
  const { models } = await buildProject({ project, warehouse: counting, tasks: recordingTasks(), concurrency: 3 });
  expect(models.map(({ status }) => status)).toEqual(Array(6).fill("success"));
  expect(most).toBe(3);
});
