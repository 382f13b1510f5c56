import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planSteps } from "../../../runtime/transform/build-project.ts";
import type { Project } from "../../../runtime/transform/project.ts";
import { selectNodes, type Selection } from "../../../runtime/transform/select.ts";
import { projectFolder, type ProjectFolder } from "./project-folder.ts";

/** orders ─► stg_orders ─► fct ─► report; stg_orders ─► dim ─► fct */
const FILES = {
  "models/stage.yml": "sources:\n  - name: stage\n    tables:\n      - name: orders\n      - name: items\n",
  "models/staging/stg_orders.sql": "{{ config(tags=['daily']) }}select 1 as id from {{ source('stage', 'orders') }}",
  "models/marts/dim.sql": "{{ config(materialized='table', tags=['daily']) }}select * from {{ ref('stg_orders') }}",
  "models/marts/fct.sql": "select * from {{ ref('stg_orders') }} join {{ ref('dim') }}",
  "models/marts/report.sql": "select * from {{ ref('fct') }}",
  "models/all.yml": `models:
  - {name: dim, columns: [{name: id, data_tests: [unique]}]}
  - {name: fct, columns: [{name: id, data_tests: [{relationships: {arguments: {to: ref('dim'), field: id}}}]}]}
  - {name: report, columns: [{name: id, data_tests: [not_null]}]}
`,
  "tests/sums.sql": "select * from {{ ref('fct') }} join {{ ref('stg_orders') }}",
};

let folder: ProjectFolder;
let project: Project;
beforeAll(async () => {
  folder = await projectFolder(FILES);
  project = await folder.load();
});
afterAll(() => folder[Symbol.asyncDispose]());

const named = (selection: Selection, kind = "model") =>
  [...selectNodes(project, selection)]
    .flatMap((id) => project.nodes.get(id) ?? [])
    .filter((node) => node.kind === kind)
    .map(({ name }) => name)
    .toSorted()
    .join(" ");

describe("models", () => {
  test.each([
    ["fct", "fct"],
    ["+fct", "dim fct stg_orders"],
    ["1+fct", "dim fct stg_orders"],
    ["1+report", "fct report"],
    ["2+report", "dim fct report stg_orders"],
    ["dim+", "dim fct report"],
    ["dim+1", "dim fct"],
    ["+dim+", "dim fct report stg_orders"],
    ["@dim", "dim fct report stg_orders"],
    ["tag:daily", "dim stg_orders"],
    ["path:models/marts", "dim fct report"],
    ["models/marts/fct.sql", "fct"],
    ["marts", "dim fct report"],
    ["shop.marts.dim", "dim"],
    ["file:dim.sql", "dim"],
    ["source:stage.orders+", "dim fct report stg_orders"],
    ["source:stage+1", "stg_orders"],
    ["config.materialized:table", "dim"],
    ["stg_*", "stg_orders"],
    ["dim report", "dim report"],
    ["tag:daily,marts", "dim"],
    ["tag:daily,dim+ report", "dim report"],
  ])("--select %s", (select, expected) => {
    expect(named({ select })).toBe(expected);
  });

  test("--exclude takes away; everything without --select", () => {
    expect(named({})).toBe("dim fct report stg_orders");
    expect(named({ exclude: "fct+" })).toBe("dim stg_orders");
    expect(named({ select: ["+fct", "report"], exclude: ["tag:daily"] })).toBe("fct report");
  });
});

describe("tests", () => {
  test.each([
    ["dim", "relationships_fct_id__id__ref_dim_ unique_dim_id"],
    ["stg_orders", "sums"],
    ["sums", "sums"],
    ["test_type:singular", "sums"],
    ["test_name:unique", "unique_dim_id"],
    ["dim,test_name:unique", "unique_dim_id"],
  ])("--select %s", (select, expected) => {
    expect(named({ select }, "test")).toBe(expected);
  });
});

test("nothing selected is an error that lists the models", () => {
  expect(() => selectNodes(project, { select: "nope" })).toThrow("--select nope matches no model or test.");
  expect(() => selectNodes(project, { select: "dim", exclude: "dim" })).toThrow("--select dim --exclude dim");
  expect(() => selectNodes(project, { select: "state:modified" })).toThrow('there is no selection method "state"');
});

describe("planSteps", () => {
  const plan = (what: "models" | "tests" | "both", selection: Selection = {}) =>
    new Map(
      planSteps(project, selection, what).map((step) => [
        step.node.name,
        step.after.map((id) => id.split(".").at(-1) ?? "").toSorted(),
      ]),
    );

  test("a model waits for tests that it has all parents of, a test for its models", () => {
    const steps = plan("both");
    expect(steps.get("fct")).toEqual(["dim", "orders", "stg_orders", "unique_dim_id"]);
    expect(steps.get("report")).toEqual([
      "dim",
      "fct",
      "orders",
      "relationships_fct_id__id__ref_dim_",
      "stg_orders",
      "sums",
      "unique_dim_id",
    ]);
    expect(steps.get("unique_dim_id")).toEqual(["dim", "orders", "stg_orders"]);
  });

  test("models or tests alone", () => {
    expect([...plan("models").keys()].toSorted()).toEqual(["dim", "fct", "report", "stg_orders"]);
    expect([...plan("tests").keys()]).toContain("sums");
    expect([...plan("tests").keys()]).not.toContain("fct");
  });

  test("the order holds across models that are not selected", () => {
    expect(plan("models", { select: "dim report" }).get("report")).toContain("dim");
  });
});
