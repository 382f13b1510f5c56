import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { parseManifest, readManifest } from "../../../runtime/manifest/read.ts";
import { exactType } from "../../../runtime/manifest/warehouse-type.ts";

const FILE = "models/manifest.yml";
const GOOD = `version: 2
sources:
  - name: stage
    schema: raw
    config: {meta: {source_schema: shop, sync: {mode: incremental, cursor: changed_at}}}
    tables:
      - name: orders
        config: {meta: {primary_key: [id]}}
        columns:
          - {name: id, data_type: integer}
          - {name: total, data_type: "decimal(12,2)", constraints: [{type: not_null}]}
          - {name: changed_at, data_type: timestamptz}
`;

/** The manifest with a policy for its column `total`. */
const POLICY = (word: string): string =>
  GOOD.replace("constraints: [{type: not_null}]}", `config: {meta: {on_misfit: ${word}}}}`);

function problemsOf(text: string): string {
  try {
    parseManifest(FILE, text);
  } catch (thrown) {
    if (thrown instanceof NovaError && thrown.code === "MANIFEST_INVALID") return thrown.message;
    throw thrown;
  }
  throw new Error("The manifest was accepted");
}

describe("parseManifest", () => {
  it("reads tables with the source's defaults", () => {
    const [orders] = parseManifest(FILE, GOOD).tables;
    expect(orders).toMatchObject({
      name: "orders",
      schema: "raw",
      sourceSchema: "shop",
      sourceTable: "orders",
      primaryKey: ["id"],
      sync: { mode: "incremental", cursor: "changed_at", deletes: "hard" },
      line: 7,
    });
    expect(orders?.columns.map((column) => [column.name, exactType(column.type), column.nullable])).toEqual([
      ["id", "NUMBER(38,0)", false],
      ["total", "NUMBER(12,2)", false],
      ["changed_at", "TIMESTAMP_LTZ(9)", true],
    ]);
  });

  it.each([
    ["null", "null"],
    ['"null"', "null"],
    ["fail", undefined],
  ])("reads on_misfit: %s, with quotes or without", (word, policy) => {
    const total = parseManifest(FILE, POLICY(word)).tables[0]?.columns[1];
    expect(total?.onMisfit).toBe(policy);
    expect(total?.nullable).toBe(true);
  });

  it("reads on_misfit: text of a column that is a text", () => {
    const total = parseManifest(FILE, POLICY("text").replace('"decimal(12,2)"', "text")).tables[0]?.columns[1];
    expect(total?.onMisfit).toBe("text");
  });

  it("needs no cursor to find changes", () => {
    const sync = (text: string) =>
      parseManifest(FILE, GOOD.replace("mode: incremental, cursor: changed_at", text)).tables[0]?.sync;
    expect(sync("mode: incremental")).toEqual({ mode: "incremental", deletes: "hard" });
    expect(sync("detect: scan, delete_check: verify")).toEqual({
      mode: "incremental",
      detect: "scan",
      deletes: "hard",
      deleteCheck: "verify",
    });
    expect(sync("cursor: [changed_at, id]")).toMatchObject({ mode: "incremental", cursor: ["changed_at", "id"] });
    expect(sync("deletes: hard")).toEqual({ mode: "full_refresh", deletes: "hard" });
    expect(sync("deletes: soft")).toEqual({ mode: "full_refresh", deletes: "soft" });
    expect(sync("detect: scan, deletes: soft")).toMatchObject({ mode: "incremental", deletes: "soft" });
  });

  it("lets a table change the source's defaults", () => {
    const text = GOOD.replace("primary_key: [id]", "primary_key: [id], source_table: pedidos, sync: {deletes: ignore}");
    expect(parseManifest(FILE, text).tables[0]).toMatchObject({
      sourceTable: "pedidos",
      sync: { mode: "incremental", deletes: "ignore" },
    });
  });

  it.each([
    [
      "a mistyped key",
      GOOD.replace("primary_key", "primay_key"),
      `${FILE}:8:25 unknown key "primay_key" in sources.0.tables.0.config.meta; did you mean "primary_key"?`,
    ],
    [
      "a mistyped type",
      GOOD.replace("timestamptz", "timestampz"),
      `${FILE}:12:32 "timestampz" is not a type of the warehouse`,
    ],
    [
      "a type out of range",
      GOOD.replace("decimal(12,2)", "decimal(39,2)"),
      `${FILE}:11:27 "decimal(39,2)" is not a type`,
    ],
    [
      "a cursor that is no column",
      GOOD.replace("cursor: changed_at", "cursor: change_at"),
      `${FILE}:7:9 cursor "change_at" is no column of table "orders"; did you mean "changed_at"?`,
    ],
    [
      "a key that is no column",
      GOOD.replace("primary_key: [id]", "primary_key: [ident]"),
      `primary_key "ident" is no column`,
    ],
    [
      "soft deletes without a primary key",
      GOOD.replace(
        "config: {meta: {primary_key: [id]}}",
        "config: {meta: {sync: {mode: full_refresh, deletes: soft}}}",
      ),
      "has deletes: soft but no primary key",
    ],
    [
      "rows that are to stay in a table that is read whole",
      GOOD.replace("primary_key: [id]", "primary_key: [id], sync: {mode: full_refresh, deletes: ignore}"),
      "has deletes: ignore, but is read whole each time (mode: full_refresh)",
    ],
    [
      "a look for deletes in a table that is read whole",
      GOOD.replace("primary_key: [id]", "primary_key: [id], sync: {mode: full_refresh, delete_check: verify}"),
      "has delete_check: verify, but is read whole each time",
    ],
    [
      "soft deletes of a table that looks for none",
      GOOD.replace("primary_key: [id]", "primary_key: [id], sync: {mode: append, deletes: soft}"),
      "has deletes: soft, but mode: append looks for no deletes",
    ],
    [
      "a column of the load's own, where deletes are soft",
      GOOD.replace("primary_key: [id]", "primary_key: [id], sync: {deletes: soft}").replace(
        "name: total",
        "name: _Deleted_At",
      ),
      `column "_Deleted_At" of "orders" is the load's own column`,
    ],
    ["no primary key", GOOD.replace("config: {meta: {primary_key: [id]}}", "description: Orders."), "no primary key"],
    [
      "an unknown mode",
      GOOD.replace("mode: incremental", "mode: incrementel"),
      `${FILE}:5:49 mode must be one of: full_refresh, append, incremental`,
    ],
    [
      "no cursor to detect by",
      GOOD.replace("cursor: changed_at", "detect: cursor"),
      `table "orders" has detect: cursor but no cursor; add "cursor: <column>" to sync, or use detect: scan`,
    ],
    [
      "an unknown way to detect",
      GOOD.replace("cursor: changed_at", "detect: guess"),
      "detect must be one of: scan, cursor",
    ],
    [
      "a cursor of another kind",
      GOOD.replace("cursor: changed_at", "cursor: {a: b}"),
      "cursor: must be a column, or a list",
    ],
    [
      "a list of cursors with a column that is none",
      GOOD.replace("cursor: changed_at", "cursor: [changed_at, change_at]"),
      `cursor "change_at" is no column of table "orders"; did you mean "changed_at"?`,
    ],
    ["a column twice", GOOD.replace("{name: total,", "{name: ID,"), `column "ID" of "orders" stands here twice`],
    ["a column of the load's own", GOOD.replace("{name: total,", "{name: _batch_id,"), "is the load's own column"],
    ["an unknown policy", POLICY("nul"), `${FILE}:11:71 on_misfit must be one of: fail, text, null`],
    ["a policy without a word", POLICY(""), 'on_misfit of "total" has no value; write fail, text or null'],
    ["a policy that is a tilde", POLICY("~"), 'on_misfit of "total" has no value; write fail, text or null'],
    ["text for a number", POLICY("text"), "which decimal(12,2) is not; write data_type: text"],
    [
      "NULL where there may be none",
      POLICY("null").replace('(12,2)",', '(12,2)", constraints: [{type: not_null}],'),
      'on_misfit: null of "total" needs a column that may be NULL',
    ],
    [
      "NULL in a key",
      GOOD.replace("{name: id, data_type: integer", "{name: id, data_type: integer, config: {meta: {on_misfit: null}}"),
      'on_misfit: null of "id" needs a column that may be NULL',
    ],
    ["broken YAML", GOOD.replace("[id]", "[id"), `${FILE}:`],
    ["nothing", "", `${FILE}:1:1`],
  ])("names file, line and what to write for %s", (_, text, expected) => {
    expect(problemsOf(text)).toContain(expected);
  });

  it("tells all problems at once", () => {
    const text = GOOD.replace("integer", "integre").replace("timestamptz", "timestampz");
    expect(problemsOf(text).split("\n")).toHaveLength(3);
  });

  it("answers any text with a manifest or with problems, never with another error", () => {
    const pieces = fc.constantFrom(
      "version: 2\n",
      "sources:\n",
      "  - name: a\n",
      "    tables:\n",
      "      - name: t\n",
      "        columns:\n",
      "          - {name: id, data_type: integer}\n",
      "  x: [",
      "'",
      "- ",
      "? a\n",
      "&a ",
      "*a\n",
      "!!x y\n",
    );
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        try {
          parseManifest(FILE, parts.join(""));
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "MANIFEST_INVALID" });
        }
      }),
    );
  });
});

describe("readManifest", () => {
  it("says which file is missing", () => {
    expect(() => readManifest("/nowhere/manifest.yml")).toThrow(
      expect.objectContaining({ code: "MANIFEST_MISSING", message: expect.stringContaining("/nowhere/manifest.yml") }),
    );
  });

  it("reads the project's own manifest", () => {
    const manifest = readManifest(join(import.meta.dirname, "../../../sql/models/manifest.yml"));
    expect(manifest.tables.map((table) => table.name)).toEqual([
      "veiculos",
      "estados",
      "cidades",
      "concessionarias",
      "vendedores",
      "clientes",
      "vendas",
    ]);
  });
});
