/** Every type, from PostgreSQL through COPY into either warehouse: each value arrives exactly, or fails with its row named. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NovaError } from "../../../runtime/core/errors.ts";
import { diffManifest } from "../../../runtime/manifest/introspect.ts";
import { readManifest } from "../../../runtime/manifest/read.ts";
import { introspectSchema } from "../../../runtime/source/introspect.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import type { Source } from "../../../runtime/source/source.ts";
import { CHOSEN, columnsSql, columnsYaml, rowCount, rowSql, SAMPLES, TYPES } from "../../support/every-type.ts";
import { sourceRows, stageRows } from "../../support/same-values.ts";
import { extract } from "../../support/extract.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { createProject, WAREHOUSES, type Project } from "../../support/project.ts";

const TABLES = { samples: SAMPLES, chosen: CHOSEN } as const;
type TableName = keyof typeof TABLES;
const NAMES: readonly TableName[] = ["samples", "chosen"];

const manifestEntry = (name: TableName): string => `
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

describe.each(WAREHOUSES)("values that %s can hold", (warehouse) => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject(warehouse, {
      source: [
        TYPES,
        createTable("samples"),
        createTable("chosen"),
        insertRows("samples", 0),
        insertRows("chosen", 0),
      ].join(";"),
      tables: manifestEntry("samples") + manifestEntry("chosen"),
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
    for (const name of NAMES)
      expect(await stageRows(project, name, TABLES[name])).toEqual(await sourceRows(project, name, TABLES[name]));
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

it.each(WAREHOUSES)("rows are found again by keys of every type, merged, and deleted, on %s", async (warehouse) => {
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
  await using project = await createProject(warehouse, {
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
  const left = keys.map(([table]) => `SELECT '${table}', n FROM stage.${table}`).join(" UNION ALL ");
  const names = keys.map(([table]) => table).toSorted();
  expect(await project.ask(`${left} ORDER BY 1`)).toEqual(names.map((table) => [table, "4"]));
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
  {
    column: "long",
    source: "text",
    dataType: "text",
    // 16 MB of text is what Snowflake holds, however many characters that is.
    values: [
      ["repeat('x', 16777217)", "xxxx"],
      ["repeat('é', 8388609)", "éééé"],
    ],
  },
  {
    column: "huge",
    source: "int[]",
    dataType: "text",
    values: [["array_fill(123456789, ARRAY[2000000])", "{123456789,"]],
  },
  { column: "short", source: "text", dataType: "varchar(20)", values: [["repeat('é', 21)", "é".repeat(21)]] },
  { column: "bytes", source: "bytea", dataType: "binary(4)", values: [[String.raw`'\x0011223344'`, "0011223344"]] },
  {
    column: "doc",
    source: "json",
    dataType: "variant",
    values: [
      [`'{"n": ${"1".repeat(39)}}'`, "1111"],
      [`'[1e400]'`, "1e400"],
      [`'{"a": {"b:": 1, "b:": 2}}'`, '{"b:": 1'],
      [String.raw`'{"k\u0065y": ":", "key": "\u003a"}'`, "key"],
      [String.raw`'["\u0000"]'`, String.raw`\u0000`],
      [String.raw`'["\ud83d x"]'`, String.raw`\ud83d`],
      [String.raw`'["\ude00\ud83d"]'`, String.raw`\ude00`],
      [`('"' || repeat('x', 16777216) || '"')::json`, "xxxx"],
    ],
  },
  { column: "docb", source: "jsonb", dataType: "variant", values: [[`'{"n": 0.${"1".repeat(38)}}'`, "0.1111"]] },
  { column: "required", source: "text", dataType: "text not null", values: [["NULL", "NULL"]] },
];

describe("values that no warehouse can hold", () => {
  const table = manifestTable({
    name: "edges",
    columns: {
      shop: "text",
      id: "integer",
      ...Object.fromEntries(MISFITS.map(({ column, dataType }) => [column, dataType])),
    },
    primaryKey: ["shop", "id"],
  });
  let database: TestDatabase;
  let source: Source;
  beforeAll(async () => {
    database = await createTestDatabase();
    source = connectSource({ url: database.url });
    const columns = MISFITS.map(({ column, source: type }) => `${column} ${type}`).join(", ");
    await database.query(`CREATE TABLE edges (shop text, id int, ${columns}, PRIMARY KEY (shop, id))`);
  });
  afterAll(async () => {
    await source[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  // PostgreSQL itself refuses them, so which warehouse it is makes no difference.
  it.each(
    MISFITS.flatMap(({ column, source: type, dataType, values }) =>
      values.map(([value, shown]) => ({ column, type, dataType, value, shown })),
    ),
  )("$type $value in $dataType fails with its row named", async ({ column, value, shown }) => {
    const required = column === "required" ? "" : ", required";
    await database.query(
      `INSERT INTO edges (shop, id, ${column}${required}) VALUES ('south', 42, ${value}${required && ", ''"})`,
    );
    try {
      await using snapshot = await source.openSnapshot([table]);
      const error: unknown = await extract(snapshot, table).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: "SOURCE_VALUE_INVALID",
        details: { table: "edges", column, key: ["south", "42"] },
      });
      const { message, remedy } = error as NovaError;
      expect(message).toContain(`edges.${column} `);
      expect(message).toContain(shown);
      expect(message).toContain("shop = south, id = 42");
      expect(remedy).toContain(column);
    } finally {
      await database.query("TRUNCATE edges");
    }
  });
});
