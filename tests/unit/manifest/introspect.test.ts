import { expect, test } from "vitest";
import { describeDifference, diffManifest, type LiveTable } from "../../../runtime/manifest/introspect.ts";
import { syncFor } from "../../../runtime/manifest/introspect-entry.ts";
import { writeManifest } from "../../../runtime/manifest/introspect-write.ts";
import { parseManifest } from "../../../runtime/manifest/read.ts";

const column = (name: string, type: string, notNull = false) => ({
  name,
  type: { name: type, modifier: type === "varchar" ? 104 : -1, text: type },
  notNull,
});

const live = (name: string, columns: LiveTable["columns"], options: Partial<LiveTable> = {}): LiveTable => ({
  schema: "public",
  name,
  columns,
  primaryKey: ["id"],
  foreignKeys: [],
  ...options,
});

const CLIENTS = live("clientes", [
  column("id", "int4", true),
  column("nome", "varchar", true),
  column("updated_at", "timestamptz"),
]);
const SALES = live(
  "vendas",
  [
    column("id", "int4", true),
    column("id_clientes", "int4", true),
    column("valor", "numeric"),
    column("updated_at", "timestamptz"),
  ],
  {
    comment: "One row per sale: all of them.",
    foreignKeys: [{ columns: ["id_clientes"], targetSchema: "public", targetTable: "clientes", targetColumns: ["id"] }],
  },
);

test("a new manifest says what most tables share once, and one column a line", () => {
  const text = writeManifest({ tables: [CLIENTS, SALES], schema: "public" });
  expect(text.slice(text.indexOf("version"))).toBe(`version: 2
sources:
  - name: stage
    schema: stage
    config:
      meta:
        source_schema: public
        sync: {mode: incremental, cursor: updated_at, deletes: hard}
    tables:
      - name: clientes
        config:
          meta: {primary_key: [id]}
        columns:
          - {name: id, data_type: integer, constraints: [{type: not_null}], data_tests: [unique, not_null]}
          - {name: nome, data_type: varchar(100), constraints: [{type: not_null}]}
          - {name: updated_at, data_type: timestamp_ltz}
      - name: vendas
        description: "One row per sale: all of them."
        config:
          meta: {primary_key: [id]}
        columns:
          - {name: id, data_type: integer, constraints: [{type: not_null}], data_tests: [unique, not_null]}
          - {name: id_clientes, data_type: integer, constraints: [{type: not_null}], data_tests: [{relationships: {arguments: {to: "source('stage', 'clientes')", field: id}}}]}
          - {name: valor, data_type: text}
          - {name: updated_at, data_type: timestamp_ltz}
`);
});

const HAND_WRITTEN = `# ours
version: 2

sources:
- name: lake   # the old name
  schema: raw
  config: {meta: {sync: {mode: full_refresh}}}
  tables:

  - name: clients   # renamed
    config:
      meta:
        source_table: clientes
        primary_key:   [id]
    columns:
    - name: id
      data_type:    integer
    - {name: nome, data_type: varchar(100)}   # as typed by hand

    # after the columns
  # after the tables
`;

test("an existing manifest keeps every byte; new columns, nullable, and new tables stand behind those that are there", () => {
  const text = writeManifest({ existingText: HAND_WRITTEN, tables: [CLIENTS, SALES], schema: "public" });
  expect(text).toBe(
    `${HAND_WRITTEN.replace("by hand\n", "by hand\n    - {name: updated_at, data_type: timestamp_ltz}\n")}  - name: vendas
    description: "One row per sale: all of them."
    config:
      meta: {primary_key: [id], sync: {mode: incremental, cursor: updated_at, deletes: hard}}
    columns:
      - {name: id, data_type: integer, constraints: [{type: not_null}], data_tests: [unique, not_null]}
      - {name: id_clientes, data_type: integer, constraints: [{type: not_null}], data_tests: [{relationships: {arguments: {to: "source('lake', 'clients')", field: id}}}]}
      - {name: valor, data_type: text}
      - {name: updated_at, data_type: timestamp_ltz}
`,
  );
  const manifest = parseManifest("m.yml", text);
  expect(manifest.tables.map(({ name, columns }) => [name, columns.length])).toEqual([
    ["clients", 3],
    ["vendas", 4],
  ]);
  expect(writeManifest({ existingText: text, tables: [CLIENTS, SALES], schema: "public" })).toBe(text);
});

test.each([
  ["Windows line ends", HAND_WRITTEN.replaceAll("\n", "\r\n")],
  ["no line end at the end", HAND_WRITTEN.slice(0, HAND_WRITTEN.indexOf("   # as typed"))],
])("a file with %s is extended in kind", (_, existingText) => {
  const text = writeManifest({ existingText, tables: [CLIENTS, SALES], schema: "public" });
  expect(text.startsWith(existingText.slice(0, existingText.indexOf("varchar(100)")))).toBe(true);
  expect(text.split("\n").filter((line) => line.endsWith("\r")).length).toBe(
    existingText.includes("\r") ? text.split("\n").length - 1 : 0,
  );
  expect(diffManifest({ manifest: parseManifest("m.yml", text), schema: "public", tables: [CLIENTS, SALES] })).toEqual(
    [],
  );
});

test("a manifest in flow style, or without a table yet, can be extended too", () => {
  const flow =
    "version: 2 # two\nsources: [{name: stage, tables: [{name: clientes, columns: [{name: id, data_type: integer}]}]}]\n";
  for (const existingText of [flow, "version: 2\nsources:\n  - name: stage\n    tables: [] # none yet\n"]) {
    const text = writeManifest({ existingText, tables: [CLIENTS, SALES], schema: "public" });
    const manifest = parseManifest("m.yml", text);
    expect(manifest.tables.map(({ name, columns }) => [name, columns.length])).toEqual([
      ["clientes", 3],
      ["vendas", 4],
    ]);
    expect(text).toMatch(/# two|# none yet/);
  }
});

test("a table of another schema whose name is taken gets a name of its own", () => {
  const existingText = writeManifest({ tables: [CLIENTS, SALES], schema: "public" });
  const other = { ...CLIENTS, schema: "crm" };
  const text = writeManifest({ existingText, tables: [other], schema: "crm" });
  const added = parseManifest("m.yml", text).tables.at(-1);
  expect(added).toMatchObject({ name: "crm_clientes", sourceSchema: "crm", sourceTable: "clientes" });
  expect(writeManifest({ existingText: text, tables: [other], schema: "crm" })).toBe(text);
});

test("text that is no manifest is not written over", () => {
  for (const existingText of ["version: 2", "- a\n- b\n", "sources: [{name: x}]", "a: [", "sources: &x\n  - *x\n"]) {
    expect(() => writeManifest({ existingText, tables: [CLIENTS], schema: "public" })).toThrow(
      "The manifest cannot be",
    );
  }
});

test("names that the stage table cannot have twice, and words that YAML 1.1 takes for booleans, do no harm", () => {
  const odd = live(
    "on",
    ["id", "ID", "_synced_at", "no", "null", "12", 'a: "b", {c}', "é"].map((name) => column(name, "text", true)),
  );
  const text = writeManifest({ tables: [odd], schema: "public" });
  const [table] = parseManifest("m.yml", text).tables;
  expect(table?.columns.map(({ name }) => name)).toEqual(["id", "no", "null", "12", 'a: "b", {c}', "é"]);
  expect(text).toContain('{name: "no", ');
  expect(text).toContain('- name: "on"');
});

test("every kind of difference is found, and said in one line", () => {
  const manifest = parseManifest("m.yml", writeManifest({ tables: [CLIENTS, SALES], schema: "public" }));
  const now = [
    live(
      "clientes",
      [
        column("id", "int4", true),
        { name: "nome", type: { name: "varchar", modifier: 304, text: "character varying(300)" }, notNull: false },
        column("updated_at", "text"),
        column("phone", "text"),
      ],
      { primaryKey: ["id", "nome"] },
    ),
    live("estados", [column("id", "int4", true)]),
  ];
  expect(diffManifest({ manifest, schema: "public", tables: now }).map(describeDifference)).toEqual([
    "~ clientes.nome: character varying(300) in the source, VARCHAR(100) in the manifest; write data_type: varchar(300)",
    "~ clientes.nome: may be NULL in the source, not in the manifest",
    "~ clientes.updated_at: text in the source, TIMESTAMP_LTZ(9) in the manifest; write data_type: text",
    "+ clientes.phone: text, to be loaded as text",
    "~ clientes: the source's key is (id, nome), the manifest's (id)",
    "- vendas: the source has it no more",
    "+ estados: a table that the manifest lacks",
  ]);
  expect(diffManifest({ manifest, schema: "elsewhere", tables: [] })).toEqual([]);
});

test.each([
  [["created_at", "updated_at"], "updated_at"],
  [["data_inclusao", "data_atualizacao"], "data_atualizacao"],
  [["last_update"], "last_update"],
  [["lastModifiedAt"], "lastModifiedAt"],
  [["SystemModstamp"], "SystemModstamp"],
  [["alterado_em"], "alterado_em"],
  [["next_update_at"], undefined],
  [["created_at", "outdated"], undefined],
])("of the timestamps %j the cursor is %s", (names, cursor) => {
  const table = live("t", [column("id", "int4", true), ...names.map((name) => column(name, "timestamptz"))]);
  expect(syncFor(table).cursor).toBe(cursor);
  expect(syncFor({ ...table, primaryKey: [] })).toEqual({ mode: "full_refresh" });
});
