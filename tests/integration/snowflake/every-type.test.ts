/** Every type, from PostgreSQL through COPY, the driver and the stage into the warehouse: each value arrives exactly, or fails with its row named. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diffManifest } from "../../../runtime/manifest/introspect.ts";
import { readManifest } from "../../../runtime/manifest/read.ts";
import { introspectSchema } from "../../../runtime/source/introspect.ts";
import {
  CHOSEN,
  columnsSql,
  columnsYaml,
  rowCount,
  rowSql,
  SAMPLES,
  TYPES,
  type TypeSample,
} from "../../support/every-type.ts";
import { createSnowflakeProject, type SnowflakeProject } from "../../support/snowflake-project.ts";

const TABLES = { samples: SAMPLES, chosen: CHOSEN } as const;
type TableName = keyof typeof TABLES;
const NAMES: readonly TableName[] = ["samples", "chosen"];

const manifestTable = (name: TableName): string => `
- name: ${name}
  config: {meta: {primary_key: [id], sync: {mode: incremental, cursor: updated_at, deletes: hard}}}
  columns:
    - {name: id, data_type: integer, constraints: [{type: not_null}]}
    - {name: updated_at, data_type: timestamp_ltz}
${columnsYaml(TABLES[name])}`;

const createTable = (name: TableName): string =>
  `CREATE TABLE ${name} (id int PRIMARY KEY, updated_at timestamptz, ${columnsSql(TABLES[name])})`;

const insertRows = (name: TableName, turn: number): string =>
  Array.from(
    { length: rowCount(TABLES[name]) },
    (_, row) => `INSERT INTO ${name} VALUES (${row}, clock_timestamp(), ${rowSql(TABLES[name], row, turn)})`,
  ).join(";");

type Row = Readonly<Record<string, string | null>>;

const FORMS: Readonly<Record<string, TypeSample["form"]>> = Object.fromEntries(
  [...SAMPLES, ...CHOSEN].map(({ column, form }) => [column, form]),
);

const inOneForm = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([column, text]) => [column, text === null ? null : (FORMS[column]?.(text) ?? text)]),
  );

/** What the source holds, in the forms that the extract pins. */
async function wanted(project: SnowflakeProject, name: TableName): Promise<readonly Row[]> {
  const columns = TABLES[name].map(({ column, text = `"${column}"::text` }) => `${text} AS "${column}"`);
  const pinned = "SET IntervalStyle = iso_8601; SET TimeZone = UTC";
  const rows = await project.database.query<Row>(`${pinned}; SELECT ${columns.join(", ")} FROM ${name} ORDER BY id`);
  return rows.map(inOneForm);
}

async function found(project: SnowflakeProject, name: TableName): Promise<readonly Row[]> {
  const columns = TABLES[name].map(({ column, read = `"${column.toUpperCase()}"` }) => read);
  const rows = await project.ask(`SELECT ${columns.join(", ")} FROM stage.${name} ORDER BY id`);
  const names = TABLES[name].map(({ column }) => column);
  return rows.map((row) => inOneForm(Object.fromEntries(names.map((column, index) => [column, row[index] ?? null]))));
}

describe("values that the warehouse can hold", () => {
  let project: SnowflakeProject;
  beforeAll(async () => {
    project = await createSnowflakeProject({
      source: [
        TYPES,
        createTable("samples"),
        createTable("chosen"),
        insertRows("samples", 0),
        insertRows("chosen", 0),
      ].join(";"),
      tables: manifestTable("samples") + manifestTable("chosen"),
    });
  });
  afterAll(async () => project[Symbol.asyncDispose]());

  it("have the types that introspection proposes", async () => {
    const manifest = readManifest(`${project.projectDir}/models/manifest.yml`);
    const live = await introspectSchema({ url: project.database.url });
    const differences = diffManifest({ manifest, schema: "public", tables: live });
    expect(differences.filter(({ table }) => table === "samples")).toEqual([]);
  });

  const isEqual = async (): Promise<void> => {
    for (const name of NAMES) expect(await found(project, name)).toEqual(await wanted(project, name));
  };

  it("arrive exactly in a first load", async () => {
    const result = await project.run();
    expect(result.error).toBeUndefined();
    await isEqual();
  });

  it.each([1, 2])(
    "arrive exactly where every value of every row has changed, NULL to and fro (turn %i)",
    async (turn) => {
      for (const name of NAMES) await project.database.query(`DELETE FROM ${name}; ${insertRows(name, turn)}`);
      const result = await project.run();
      expect(result.error).toBeUndefined();
      expect(
        result.tables.map(({ name, inserted, updated, deleted }) => ({ name, inserted, updated, deleted })),
      ).toEqual(NAMES.map((name) => ({ name, inserted: 0, updated: rowCount(TABLES[name]), deleted: 0 })));
      await isEqual();
    },
  );
});

it("rows are found again by keys of every type, merged, and deleted", async () => {
  const keys = [
    [
      "texts",
      "text",
      "text",
      String.raw`E' a"\,
''\N'`,
      "''",
    ],
    ["codes", "char(2)", "char(2)", "' a'", "''"],
    ["uuids", "uuid", "varchar(36)", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "gen_random_uuid()"],
    ["days", "date", "date", "'0001-01-01'", "'9999-12-31'"],
    ["instants", "timestamptz", "timestamp_ltz", "'0001-01-01 00:00:00.000001+00'", "'9999-12-31 23:59:59.999999+00'"],
    ["locals", "timestamp", "timestamp_ntz", "'1969-12-31 23:59:59.999999'", "'2024-02-29 12:00'"],
    ["clocks", "time", "time", "'23:59:59.999999'", "'00:00'"],
    ["decimals", "numeric(38,10)", "decimal(38,10)", `-${"9".repeat(28)}.${"9".repeat(10)}`, "0.1"],
    ["numbers", "numeric", "text", "1.10", "'NaN'"],
    ["bytes", "bytea", "binary", String.raw`'\x00ff'`, "''"],
    ["flags", "boolean", "boolean", "true", "false"],
    ["floats", "float8", "float", "'-Infinity'", "1.7976931348623157e308"],
    ["integers", "int8", "integer", "-9223372036854775808", "9223372036854775807"],
  ] as const;
  await using project = await createSnowflakeProject({
    source: keys
      .map(
        ([table, type, , one, two]) => `CREATE TABLE ${table} (key ${type} PRIMARY KEY, n int);
          INSERT INTO ${table} VALUES (${one}, 1), (${two}, 2)`,
      )
      .join(";"),
    tables: keys
      .map(
        ([table, , dataType]) => `
- name: ${table}
  config: {meta: {primary_key: [key], sync: {mode: incremental, cursor: n, deletes: hard}}}
  columns:
    - {name: key, data_type: "${dataType}"}
    - {name: n, data_type: integer}
`,
      )
      .join(""),
  });
  const counts = async () => {
    const { error, tables } = await project.run();
    expect(error).toBeUndefined();
    return Object.fromEntries(
      tables.map(({ name, inserted, updated, deleted }) => [name, [inserted, updated, deleted]]),
    );
  };
  const all = (one: readonly number[]) => Object.fromEntries(keys.map(([table]) => [table, one]));
  expect(await counts()).toEqual(all([2, 0, 0]));
  for (const [table] of keys) await project.database.query(`UPDATE ${table} SET n = n + 2`);
  expect(await counts()).toEqual(all([0, 2, 0]));
  for (const [table] of keys) await project.database.query(`DELETE FROM ${table} WHERE n = 3`);
  expect(await counts()).toEqual(all([0, 0, 1]));
  for (const [table] of keys) expect(await project.ask(`SELECT n FROM stage.${table}`)).toEqual([["4"]]);
});

interface Misfit {
  readonly column: string;
  readonly source: string;
  readonly dataType: string;
  /** SQL of what does not fit, and a part of what the message shows of it. */
  readonly values: readonly (readonly [value: string, shown: string])[];
}

const MISFITS: readonly Misfit[] = [
  {
    column: "price",
    source: "numeric",
    dataType: "decimal(10,2)",
    values: [
      ["'NaN'", "NaN"],
      ["'-Infinity'", "-Infinity"],
      ["12.345", "12.345"],
      ["100000000", "100000000"],
    ],
  },
  { column: "total", source: "numeric(10,2)", dataType: "decimal(10,2)", values: [["'NaN'", "NaN"]] },
  {
    column: "whole",
    source: "numeric",
    dataType: "integer",
    values: [
      ["1".repeat(39), "1111"],
      ["0.5", "0.5"],
    ],
  },
  { column: "few", source: "int8", dataType: "number(5,0)", values: [["100000", "100000"]] },
  {
    column: "day",
    source: "date",
    dataType: "date",
    values: [
      ["'infinity'", "infinity"],
      ["'0044-03-15 BC'", "BC"],
      ["'10000-01-01'", "10000-01-01"],
    ],
  },
  {
    column: "at",
    source: "timestamp",
    dataType: "timestamp_ntz",
    values: [
      ["'-infinity'", "-infinity"],
      ["'10000-01-01'", "10000-01-01"],
    ],
  },
  {
    column: "zoned",
    source: "timestamptz",
    dataType: "timestamp_ltz",
    values: [
      ["'infinity'", "infinity"],
      ["'0001-01-01 00:00:00+14'", "BC"],
      ["'9999-12-31 23:00:00-05'", "10000-01-01"],
    ],
  },
  {
    column: "millis",
    source: "timestamptz",
    dataType: "timestamp_ltz(3)",
    values: [["'2024-01-01 00:00:00.0001+00'", ".0001"]],
  },
  { column: "clock", source: "time", dataType: "time", values: [["'24:00'", "24:00:00"]] },
  { column: "short", source: "text", dataType: "varchar(20)", values: [["repeat('é', 21)", "é".repeat(21)]] },
  { column: "bytes", source: "bytea", dataType: "binary(4)", values: [[String.raw`'\x0011223344'`, "0011223344"]] },
  {
    column: "doc",
    source: "json",
    dataType: "variant",
    values: [
      [`'{"n": ${"1".repeat(39)}}'`, "1111"],
      [`'[1e400]'`, "1e400"],
    ],
  },
  { column: "docb", source: "jsonb", dataType: "variant", values: [[`'{"n": 0.${"1".repeat(38)}}'`, "0.1111"]] },
  { column: "required", source: "text", dataType: "text not null", values: [["NULL", "NULL"]] },
];

describe("values that the warehouse cannot hold", () => {
  let project: SnowflakeProject;
  let good: unknown;
  const state = () =>
    project.snowflake.server.sql('SELECT (SELECT count(*) FROM "PIPELINE"."BATCHES"), list(E) FROM "STAGE"."EDGES" E');
  beforeAll(async () => {
    const columns = MISFITS.map(({ column, source }) => `${column} ${source}`).join(", ");
    project = await createSnowflakeProject({
      source: `CREATE TABLE edges (shop text, id int, ${columns}, PRIMARY KEY (shop, id)); INSERT INTO edges (shop, id, required) VALUES ('north', 1, '')`,
      tables: `
- name: edges
  config: {meta: {primary_key: [shop, id], sync: {mode: full_refresh}}}
  columns:
    - {name: shop, data_type: text}
    - {name: id, data_type: integer}
${MISFITS.map(({ column, dataType }) => `    - {name: ${column}, data_type: "${dataType.replace(/ not null$/, "")}"${dataType.endsWith(" not null") ? ", constraints: [{type: not_null}]" : ""}}`).join("\n")}
`,
    });
    expect((await project.run()).error).toBeUndefined();
    good = await state();
  });
  afterAll(async () => project[Symbol.asyncDispose]());

  it.each(
    MISFITS.flatMap(({ column, source, dataType, values }) =>
      values.map(([value, shown]) => ({ column, source, dataType, value, shown })),
    ),
  )(
    "$source $value in $dataType fails with its row named, and nothing is published",
    async ({ column, value, shown }) => {
      const required = column === "required" ? "" : ", required";
      await project.database.query(
        `INSERT INTO edges (shop, id, ${column}${required}) VALUES ('south', 42, ${value}${required && ", ''"})`,
      );
      const { status, error } = await project.run();
      await project.database.query("DELETE FROM edges WHERE id = 42");
      expect(status).toBe("failed");
      expect(error).toMatchObject({
        code: "SOURCE_VALUE_INVALID",
        details: { table: "edges", column, key: ["south", "42"] },
      });
      expect(error?.message).toContain(`edges.${column} `);
      expect(error?.message).toContain(shown);
      expect(error?.message).toContain("shop = south, id = 42");
      expect(error?.remedy).toContain(column);
      expect(await state()).toEqual(good);
    },
  );
});
