import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Clock } from "../../../runtime/core/clock.ts";
import { NovaError } from "../../../runtime/core/errors.ts";
import { writeManifest } from "../../../runtime/manifest/introspect-write.ts";
import { parseManifest } from "../../../runtime/manifest/read.ts";
import { introspectSchema } from "../../../runtime/source/introspect.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import { extract } from "../../support/extract.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase } from "../../support/postgres.ts";

test("rows leave as CSV in the manifest's order, with NULL and '' apart", async () => {
  await using db = await createTestDatabase();
  await db.query(`
    CREATE TABLE t (note text, id int PRIMARY KEY, sigla char(4), price numeric(10,2), raw bytea, at timestamptz, doc jsonb, ok bool);
    INSERT INTO t VALUES (E'a "quoted",\\nline', 1, 'SP', 1.50, '\\x00ff', '2024-02-29 12:00:00.123456-03', '{"a": "b,c"}', true),
                         ('', 2, '', 0, '', NULL, NULL, false), (NULL, 3, NULL, NULL, NULL, NULL, 'null', NULL)`);
  const table = manifestTable({
    name: "t",
    columns: {
      id: "integer",
      note: "text",
      sigla: "char(4)",
      price: "decimal(10,2)",
      raw: "binary",
      at: "timestamp_ltz",
      doc: "variant",
      ok: "boolean",
    },
    primaryKey: ["id"],
  });
  await using source = connectSource({ url: db.url });
  await source.preflight([table]);
  await using snapshot = await source.openSnapshot([table]);
  const { files, rows, bytes, counted } = await extract(snapshot, table);
  expect(files).toEqual([
    '1,"a ""quoted"",\nline","SP",1.50,"00ff",2024-02-29 15:00:00.123456+00,"{""a"": ""b,c""}",t\n' +
      '2,"","",0.00,"",,,f\n' +
      '3,,,,,,"null",\n',
  ]);
  expect({ rows, bytes, counted }).toEqual({ rows: 3, bytes: Buffer.byteLength(files[0] ?? ""), counted: [3] });
});

test("a large table comes in several files of about the wanted size, each row once", async () => {
  await using db = await createTestDatabase();
  await db.query(`CREATE TABLE t (id int PRIMARY KEY, filler text);
    INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 100000) i`);
  const table = manifestTable({ name: "t", columns: { id: "integer", filler: "text" }, primaryKey: ["id"] });
  await using source = connectSource({ url: db.url, readers: 3 });
  await using snapshot = await source.openSnapshot([table]);
  const format = { compression: "gzip", targetBytes: 2 << 20 } as const;
  const extracted = await extract(snapshot, table, { format });
  expect(extracted.files.length).toBeGreaterThan(4);
  for (const file of extracted.files) expect(file.length).toBeLessThan(3.5 * (1 << 20));
  expect(extracted.counted.reduce((sum, rows) => sum + rows, 0)).toBe(100_000);
  expect(new Set(extracted.records.map(([id]) => id)).size).toBe(100_000);
  const keys = await extract(snapshot, table, { what: "keys" });
  expect(keys.rows).toBe(100_000);
  expect(new Set(keys.records.map((record) => record.join())).size).toBe(100_000);
});

test("all readers together take no more rows a second than they may", async () => {
  await using db = await createTestDatabase();
  await db.query(`CREATE TABLE t (id int PRIMARY KEY, filler text);
    INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 50000) i`);
  const table = manifestTable({ name: "t", columns: { id: "integer", filler: "text" }, primaryKey: ["id"] });
  // Whoever sleeps is the only one for whom time passes.
  let slept = 0;
  const clock: Clock = {
    now: () => new Date(slept),
    sleep: (milliseconds) => Promise.resolve(void (slept += milliseconds)),
  };
  await using source = connectSource({ url: db.url, readers: 3, rowsPerSecond: 2000, clock });
  await using snapshot = await source.openSnapshot([table]);
  const format = { compression: "none", targetBytes: 1 << 20 } as const;
  expect((await extract(snapshot, table, { format })).rows).toBe(50_000);
  // 50,000 rows are 25 s of rows, the first of which comes at once.
  expect(slept).toBeGreaterThanOrEqual(24_000);
  expect((await extract(snapshot, table, { what: "keys", format })).rows).toBe(50_000);
  expect(slept).toBeGreaterThanOrEqual(49_000);
});

test("every value of every type arrives as PostgreSQL's own text, whatever the database's settings are", async () => {
  await using db = await createTestDatabase();
  await db.query(readFileSync(join(import.meta.dirname, "../../support/schemas/rental.sql"), "utf8"));
  const tables = await introspectSchema({ url: db.url });
  const manifest = parseManifest("m.yml", writeManifest({ tables, schema: "public" }));
  for (const setting of [
    "timezone = 'Asia/Kolkata'",
    "datestyle = 'SQL, DMY'",
    "intervalstyle = 'sql_standard'",
    "bytea_output = 'escape'",
    "extra_float_digits = -5",
    "client_encoding = 'LATIN1'",
    "lc_monetary = 'C'",
    "search_path = 'nowhere'",
    "standard_conforming_strings = off",
  ]) {
    await db.query(`ALTER DATABASE ${db.name} SET ${setting}`);
  }
  // Their cast to text adds the mask of a single address.
  const addresses = new Set(
    tables.flatMap(({ name, columns }) =>
      columns.filter(({ type }) => type.name === "inet").map((column) => `${name}.${column.name}`),
    ),
  );
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot(manifest.tables);
  const client = await db.pool.connect();
  try {
    await client.query(`SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'iso_8601'; SET bytea_output = 'hex';
      SET extra_float_digits = 1; SET client_encoding = 'UTF8'; SET search_path = 'public'`);
    for (const table of manifest.tables) {
      const expressions = table.columns.map(({ name, type }) => {
        if (type.kind === "binary") return `encode("${name}", 'hex')`;
        if (type.kind === "boolean") return `left("${name}"::text, 1)`;
        if (addresses.has(`${table.name}.${name}`))
          return `CASE WHEN "${name}" IS NOT NULL THEN format('%s', "${name}") END`;
        return name === "revenue" ? `"${name}"::numeric::text` : `"${name}"::text`;
      });
      const { rows } = await client.query({
        text: `SELECT ${expressions.join(", ")} FROM ${table.name}`,
        rowMode: "array",
      });
      const { records } = await extract(snapshot, table);
      const sorted = (list: readonly unknown[]) =>
        list.map((row) => JSON.stringify(row)).toSorted((a, b) => (a < b ? -1 : 1));
      expect(rows.length).toBeGreaterThan(0);
      expect(sorted(records)).toEqual(sorted(rows));
    }
  } finally {
    client.release(true);
  }
});

test("a single column that may be NULL gets a companion, so that no line is blank", async () => {
  await using db = await createTestDatabase();
  await db.query("CREATE TABLE t (note text); INSERT INTO t VALUES (NULL), (''), ('x')");
  const table = manifestTable({ name: "t", columns: { note: "text" } });
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([table]);
  expect((await extract(snapshot, table)).files).toEqual([',1\n"",1\n"x",1\n']);
});

test("an empty table gives no file", async () => {
  await using db = await createTestDatabase();
  await db.query("CREATE TABLE t (id int PRIMARY KEY)");
  const table = manifestTable({ name: "t", columns: { id: "integer" }, primaryKey: ["id"] });
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([table]);
  expect(await extract(snapshot, table)).toMatchObject({ files: [], rows: 0, bytes: 0 });
});

test("`since` reads from the value on, and the rows whose cursor is NULL, with an index and without", async () => {
  await using db = await createTestDatabase();
  await db.query(`CREATE TABLE t (id int PRIMARY KEY, changed timestamptz, filler text);
    INSERT INTO t SELECT i, CASE WHEN i % 20000 > 0 THEN timestamptz '2024-01-01 00:00+00' + i * interval '1 microsecond' END,
      repeat('x', 100) FROM generate_series(1, 60000) i; ANALYZE t`);
  const table = manifestTable({
    name: "t",
    columns: { id: "integer", changed: "timestamp_ltz", filler: "text" },
    primaryKey: ["id"],
    sync: { mode: "incremental", cursor: "changed" },
  });
  const expected = ["20000", "40000", "59997", "59998", "59999", "60000"];
  for (const index of ["", "CREATE INDEX ON t (changed); ANALYZE t"]) {
    await db.query(index);
    await using source = connectSource({ url: db.url });
    await using snapshot = await source.openSnapshot([table]);
    const since = { by: "cursor", from: "2024-01-01 00:00:00.059997+00" } as const;
    const { records, files } = await extract(snapshot, table, {
      since,
      format: { compression: "none", targetBytes: 1 << 20 },
    });
    expect(new Set(records.map(([id]) => id))).toEqual(new Set(expected));
    expect(records).toHaveLength(expected.length);
    // A few rows scattered over the whole table are still one file a reader.
    expect(files.length).toBeLessThanOrEqual(2);
  }
});

test("a value that the manifest's type cannot hold stops the extract, naming table, column, key and value", async () => {
  await using db = await createTestDatabase();
  await db.query(`CREATE TABLE t (id int, part text, amount numeric, exact numeric(10,2), note text, day date, at timestamptz, clock time,
    raw bytea, small bigint, required text, PRIMARY KEY (id, part))`);
  const table = manifestTable({
    name: "t",
    columns: {
      id: "integer",
      part: "text",
      amount: "decimal(10,2)",
      exact: "decimal(10,2)",
      note: "varchar(5)",
      day: "date",
      at: "timestamp_ltz(3)",
      clock: "time",
      raw: "binary(2)",
      small: "decimal(4,0)",
      required: "text not null",
    },
    primaryKey: ["id", "part"],
  });
  const fits = [
    "(1, 'a', 99999999.99, -1.5, 'ééééé', '0001-01-01', '9999-12-31 23:59:59.999+00', '23:59:59.999999', '\\x0102', -9999, '')",
    "(2, 'b', 1.500, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'x')",
  ];
  await using source = connectSource({ url: db.url });
  await source.preflight([table]);
  const read = async (row: string) => {
    await db.query(`TRUNCATE t; INSERT INTO t VALUES ${row}`);
    await using snapshot = await source.openSnapshot([table]);
    return await extract(snapshot, table);
  };
  expect((await read(fits.join(", "))).rows).toBe(2);

  const refused: [column: string, value: string, shown: string][] = [
    ["amount", "'NaN'", "NaN"],
    ["amount", "'-Infinity'", "-Infinity"],
    ["amount", "100000000", "100000000"],
    ["amount", "0.001", "0.001"],
    ["exact", "'NaN'", "NaN"],
    ["note", "'éééééé'", "éééééé"],
    ["note", `'"' || repeat('}', 200)`, `"${"}".repeat(79)}…`],
    ["day", "'infinity'", "infinity"],
    ["day", "'0044-03-15 BC'", "0044-03-15 BC"],
    ["day", "'10000-01-01'", "10000-01-01"],
    ["at", "'-infinity'", "-infinity"],
    ["at", "'2024-01-01 00:00:00.0001+00'", "2024-01-01 00:00:00.0001+00"],
    ["clock", "'24:00'", "24:00:00"],
    ["raw", "'\\x010203'", "\\x010203"],
    ["small", "10000", "10000"],
    ["required", "NULL", "NULL"],
  ];
  for (const [column, value, shown] of refused) {
    const columns = column === "required" ? "id, part, required" : `id, part, required, ${column}`;
    await db.query(
      `TRUNCATE t; INSERT INTO t (${columns}) VALUES (7, 'é"', ${column === "required" ? "" : "'', "}${value})`,
    );
    await using snapshot = await source.openSnapshot([table]);
    const error: unknown = await extract(snapshot, table).catch((thrown: unknown) => thrown);
    if (!(error instanceof NovaError)) throw new Error(`${column} = ${value} was accepted`);
    expect(error.code).toBe("SOURCE_VALUE_INVALID");
    expect(error.message).toMatch(
      new RegExp(`^t\\.${column} holds a value that [A-Z_]+(\\([0-9,]+\\))? cannot hold: `),
    );
    expect(error.message).toContain(`cannot hold: ${shown} (row id = 7, part = é").`);
  }
});
