/** The server that stands in for Snowflake, through the unmodified driver: the rules that the adapter depends on. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startSnowflakeServer, type SnowflakeServer } from "../../support/snowflake/server.ts";
import { TEST_USER, TestClient, type Rows } from "../../support/snowflake/test-client.ts";

const FORMAT = `FILE_FORMAT = (TYPE = CSV FIELD_OPTIONALLY_ENCLOSED_BY = '"' ESCAPE_UNENCLOSED_FIELD = NONE NULL_IF = ())`;

/** A value that a column takes, by the beginning of its type. */
const RIGHT = {
  NUMBER: "1",
  BINARY: "00",
  DATE: "2024-01-01",
  TIMESTAMP: "2024-01-01 00:00:00+00",
  TIME: "00:00:00",
  BOOLEAN: "t",
};

let server: SnowflakeServer;
let client: TestClient;
let other: TestClient;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "novadrive-server-test-"));
  server = await startSnowflakeServer({ users: [TEST_USER] });
  client = await TestClient.connect(server);
  other = await TestClient.connect(server);
  await client.run('CREATE STAGE "PIPELINE"."FILES"');
});

afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const run = (sql: string): Promise<Rows> => client.run(sql);
const values = async (sql: string, by = client): Promise<readonly unknown[][]> =>
  (await by.run(sql)).map((row) => Object.values(row));

/** Puts a file on the stage under a path of its own. */
let uploads = 0;
async function put(text: string): Promise<string> {
  const path = `${++uploads}-a/`;
  const file = join(folder, `${uploads}.csv.gz`);
  await writeFile(file, gzipSync(text));
  await run(`PUT 'file://${file}' @"PIPELINE"."FILES"/${path} SOURCE_COMPRESSION = GZIP AUTO_COMPRESS = FALSE`);
  return path;
}

async function copy(table: string, text: string, format = FORMAT): Promise<Rows> {
  return run(`COPY INTO ${table} FROM @"PIPELINE"."FILES"/${await put(text)} ${format} ON_ERROR = ABORT_STATEMENT`);
}

describe("names", () => {
  it("are upper case unless quoted, and tell capitals from small letters", async () => {
    await run('CREATE TABLE STAGE.names (id NUMBER(38,0), "id" NUMBER(38,0), "Mixed Case" VARCHAR(10))');
    await run(`INSERT INTO "STAGE"."NAMES" SELECT 1, 2, 'x'`);
    expect(await run('SELECT ID, "id", "Mixed Case" FROM stage.NAMES')).toEqual([
      { ID: "1", id: "2", "Mixed Case": "x" },
    ]);
    await expect(run('SELECT "mixed case" FROM stage.names')).rejects.toMatchObject({ code: "000904" });
    await expect(run('SELECT 1 FROM "stage"."names"')).rejects.toMatchObject({ code: "002003" });
  });

  it("are of the session's schema if they name none", async () => {
    await using own = await TestClient.connect(server, { schema: "STAGE" });
    await own.run("CREATE TABLE here (id NUMBER(38,0))");
    expect(await own.run("SELECT COUNT(*) AS n FROM here")).toEqual([{ N: "0" }]);
    expect(await own.run("SELECT to_varchar(COUNT(*)) AS n FROM here")).toEqual([{ N: "0" }]);
    expect(await run("SELECT COUNT(*) AS n FROM stage.here")).toEqual([{ N: "0" }]);
    await run("CREATE TABLE by_default (id NUMBER(38,0))");
    expect(await run("SELECT COUNT(*) AS n FROM public.by_default")).toEqual([{ N: "0" }]);
  });

  it("need a current database that exists", async () => {
    await using own = await TestClient.connect(server, { database: "NO_SUCH_DATABASE" });
    await expect(own.run("DESCRIBE TABLE stage.names")).rejects.toMatchObject({
      code: "090105",
      message:
        "Cannot perform DESCRIBE. This session does not have a current database. Call 'USE DATABASE', or use a qualified name.",
    });
    await expect(own.run("SELECT * FROM stage.names")).rejects.toMatchObject({ code: "090105" });
    expect(await own.run("SELECT COUNT(*) AS n FROM novadrive.stage.names")).toEqual([{ N: "1" }]);
  });

  it("may carry the database, and no other one", async () => {
    await run("CREATE TABLE novadrive.stage.full_name (id NUMBER(38,0))");
    expect(await run('SELECT COUNT(*) AS n FROM "NOVADRIVE"."STAGE"."FULL_NAME"')).toEqual([{ N: "0" }]);
    await expect(run("DESCRIBE TABLE nope.stage.full_name")).rejects.toMatchObject({ code: "002003" });
  });
});

describe("types", () => {
  beforeAll(async () => {
    await run(
      `CREATE TABLE stage.typed (n NUMBER(5,2), big NUMBER(38,0), v VARCHAR(3), b BINARY(2), flag BOOLEAN NOT NULL, d DATE, t TIME(9), ntz TIMESTAMP_NTZ(9), ltz TIMESTAMP_LTZ(9), f FLOAT, j VARIANT)`,
    );
  });

  it("are described as they were declared", async () => {
    expect(
      (await values("DESCRIBE TABLE stage.typed")).map(([name, type, , nullable]) => [name, type, nullable]),
    ).toEqual([
      ["N", "NUMBER(5,2)", "Y"],
      ["BIG", "NUMBER(38,0)", "Y"],
      ["V", "VARCHAR(3)", "Y"],
      ["B", "BINARY(2)", "Y"],
      ["FLAG", "BOOLEAN", "N"],
      ["D", "DATE", "Y"],
      ["T", "TIME(9)", "Y"],
      ["NTZ", "TIMESTAMP_NTZ(9)", "Y"],
      ["LTZ", "TIMESTAMP_LTZ(9)", "Y"],
      ["F", "FLOAT", "Y"],
      ["J", "VARIANT", "Y"],
    ]);
  });

  it.each([
    ["v", "'abcd'", "100078", "String 'abcd' is too long and would be truncated"],
    ["b", "TO_BINARY('aabbcc', 'HEX')", "100078", "is too long"],
    ["n", "1000", "100046", "Number out of representable range: type FIXED[SB16](5,2){nullable}, value 1000"],
    ["n", "'x'", "100038", "Numeric value 'x' is not recognized"],
    ["d", "'2023-02-29'", "100040", "Date '2023-02-29' is not recognized"],
    ["ltz", "'yesterday'", "100035", "Timestamp 'yesterday' is not recognized"],
    ["n", "1 / 0", "100051", "Division by zero"],
  ])("refuse %s = %s", async (column, value, code, message) => {
    const failing = run(`INSERT INTO stage.typed (flag, ${column}) SELECT TRUE, ${value}`);
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("refuse NULL where the column does", async () => {
    await expect(run("INSERT INTO stage.typed (n) SELECT 1")).rejects.toMatchObject({
      code: "100072",
      message: "NULL result in a non-nullable column",
    });
  });

  it("cut digits beyond their scale without a word", async () => {
    await run("CREATE TABLE stage.cut (n NUMBER(5,2))");
    await run("INSERT INTO stage.cut SELECT 1.005 UNION ALL SELECT 1.004");
    await copy("stage.cut", "1.239\n");
    expect(await values("SELECT n FROM stage.cut ORDER BY n")).toEqual([["1.00"], ["1.01"], ["1.24"]]);
  });

  it("come back as the driver reads them", async () => {
    const sql = `SELECT -0.5::NUMBER(5,2) AS n, 0.1::FLOAT AS f, TRUE AS b, '1969-12-31 23:59:59.5'::TIMESTAMP_NTZ AS ntz, '2024-01-02'::DATE AS d, PARSE_JSON('{"b":[1,2.50],"a":null}') AS j, NULL AS nothing`;
    const [row] = await run(sql);
    expect(row).toMatchObject({ N: "-0.50", F: "0.1", B: "TRUE", D: "2024-01-02", NOTHING: null });
    expect(row?.["NTZ"]).toContain("1969-12-31 23:59:59.500");
    expect(JSON.parse(String(row?.["J"]))).toEqual({ a: null, b: [1, 2.5] });
  });

  it("tell TIMESTAMP_TZ from TIMESTAMP_LTZ", async () => {
    await run("CREATE TABLE stage.zoned (tz TIMESTAMP_TZ(9), ltz TIMESTAMP_LTZ(9))");
    await run("INSERT INTO stage.zoned SELECT '2024-01-01 12:00:00+02:00', '2024-01-01 12:00:00+02:00'");
    expect((await run("SELECT tz FROM stage.zoned"))[0]?.["TZ"]).toBe("2024-01-01 10:00:00.000 +0000");
    expect((await values("DESCRIBE TABLE stage.zoned")).map(([, type]) => type)).toEqual([
      "TIMESTAMP_TZ(9)",
      "TIMESTAMP_LTZ(9)",
    ]);
  });

  it("are read in the session's time zone, which is not UTC unless it is set", async () => {
    await using own = await TestClient.connect(server);
    const sql = "SELECT '2024-07-01 12:00:00'::TIMESTAMP_LTZ = '2024-07-01 12:00:00+00:00'::TIMESTAMP_LTZ AS is_utc";
    expect(await own.run(sql)).toEqual([{ IS_UTC: "FALSE" }]);
    await own.run("ALTER SESSION SET TIMEZONE = 'UTC'");
    expect(await own.run(sql)).toEqual([{ IS_UTC: "TRUE" }]);
  });

  it("come in results of a hundred thousand rows", async () => {
    const rows = await run("SELECT seq4() AS id FROM TABLE(GENERATOR(ROWCOUNT => 100000))").catch(() => undefined);
    const generated = rows ?? (await run("SELECT 1 AS id FROM TABLE(GENERATOR(ROWCOUNT => 100000))"));
    expect(generated.length).toBe(100_000);
  });
});

describe("errors of compilation", () => {
  it.each([
    ["SELECT 1\nFROM stage.t\nWHERE x = = 2", "001003", "syntax error line 3 at position 10 unexpected '='."],
    ["SELECT *\nFROM STAGE.NOPE", "002003", "Object 'NOVADRIVE.STAGE.NOPE' does not exist or not authorized."],
    ["SELECT no_such(1)", "002140", "Unknown function NO_SUCH"],
    ["SELECT 1 AS a,\n  nope", "000904", "error line 2 at position 2\ninvalid identifier 'NOPE'"],
    ["FROBNICATE", "001003", "syntax error line 1 at position 0 unexpected 'FROBNICATE'."],
    ["SELECT 1; SELECT 2", "000008", "Actual statement count 2 did not match the desired statement count 1."],
  ])("%j", async (sql, code, message) => {
    await expect(run(sql)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe("stages and COPY", () => {
  it("lists and removes by the beginning of the path", async () => {
    const path = await put("1\n");
    expect(await values(`LIST @"PIPELINE"."FILES"/${path}`)).toEqual([
      [`files/${path}${uploads}.csv.gz`, expect.any(String), expect.any(String), expect.any(String)],
    ]);
    expect(await values(`REMOVE @"PIPELINE"."FILES"/${path}`)).toEqual([[`files/${path}${uploads}.csv.gz`, "removed"]]);
    expect(await values(`LIST @"PIPELINE"."FILES"/${path}`)).toEqual([]);
    await expect(run('LIST @"PIPELINE"."NOPE"')).rejects.toMatchObject({ code: "002003" });
  });

  it("loads a file into a table once, and into a new table again", async () => {
    await run("CREATE TABLE stage.loaded (id NUMBER(38,0), v VARCHAR(10))");
    const path = await put('1,"a"\n2,\n');
    const sql = `COPY INTO stage.loaded FROM @"PIPELINE"."FILES"/${path} ${FORMAT}`;
    expect(await run(sql)).toEqual([
      expect.objectContaining({
        file: `files/${path}${uploads}.csv.gz`,
        status: "LOADED",
        rows_parsed: "2",
        rows_loaded: "2",
        errors_seen: "0",
        first_error: null,
      }),
    ]);
    expect(await run(sql)).toEqual([{ status: "Copy executed with 0 files processed." }]);
    await run("CREATE OR REPLACE TABLE stage.loaded (id NUMBER(38,0), v VARCHAR(10))");
    expect(await run(sql)).toMatchObject([{ status: "LOADED" }]);
    expect(await run(`${sql} FORCE = TRUE`)).toMatchObject([{ status: "LOADED" }]);
  });

  it("forgets what a transaction loaded that was rolled back", async () => {
    await run("CREATE TABLE stage.unloaded (id NUMBER(38,0))");
    const path = await put("1\n");
    const sql = `COPY INTO stage.unloaded FROM @"PIPELINE"."FILES"/${path} ${FORMAT}`;
    await run("BEGIN");
    await run(sql);
    await run("ROLLBACK");
    expect(await run(sql)).toMatchObject([{ status: "LOADED" }]);
  });

  it("takes the options as they are meant, defaults too", async () => {
    await run("CREATE TABLE stage.options (id NUMBER(38,0), v VARCHAR(20), w VARCHAR(20))");
    const text = String.raw`1,"",` + "\n" + String.raw`2,"\N",\N` + "\n" + String.raw`3,a\,b,"c"` + "\n";
    await copy("stage.options", text.slice(0, text.indexOf("3,")));
    await copy("stage.options", "4,x,y\n", "FILE_FORMAT = (TYPE = CSV)");
    await copy("stage.options", String.raw`5,a\,b,"c"` + "\n" + String.raw`6,\N,` + "\n", "FILE_FORMAT = (TYPE = CSV)");
    expect(await values("SELECT * FROM stage.options ORDER BY id")).toEqual([
      ["1", "", null],
      ["2", String.raw`\N`, String.raw`\N`],
      ["4", "x", "y"],
      ["5", "a,b", '"c"'],
      ["6", null, null],
    ]);
    await expect(copy("stage.options", "1\n", "FILE_FORMAT = (TYPE = JSON)")).rejects.toMatchObject({ code: "000002" });
  });

  it.each([
    ["NUMBER(5,2)", "x", "100038", "Numeric value 'x' is not recognized"],
    ["NUMBER(5,2)", "1000", "100039", "Numeric value '1000' is out of range"],
    ["VARCHAR(2)", "abc", "100074", "User character length limit (2) exceeded by string 'abc'"],
    ["BOOLEAN", "maybe", "100037", "Boolean 'maybe' is not recognized"],
    ["DATE", "2023-02-29", "100040", "Date '2023-02-29' is not recognized"],
    ["TIMESTAMP_LTZ(9)", "infinity", "100035", "Timestamp 'infinity' is not recognized"],
    ["NUMBER(38,0)", "1_000", "100038", "Numeric value '1_000' is not recognized"],
    ["DATE", "10000-01-01", "100040", "Date '10000-01-01' is not recognized"],
    ["TIME(9)", "24:00:00", "100108", "Time '24:00:00' is not recognized"],
    ["TIMESTAMP_NTZ(9)", "0044-03-15 00:00:00 BC", "100035", "Timestamp '0044-03-15 00:00:00 BC' is not recognized"],
    ["TIMESTAMP_NTZ(9)", "10000-01-01 00:00:00", "100035", "Timestamp '10000-01-01 00:00:00' is not recognized"],
    ["BINARY(2)", "zz", "100115", "The following string is not a legal hex-encoded value: 'zz'"],
    ["NUMBER(5,2) NOT NULL", "", "100072", "NULL result in a non-nullable column"],
  ])("names file, line, row and column of what %s refuses", async (type, cell, code, message) => {
    const table = `refused_${++uploads}`;
    await run(`CREATE TABLE stage.${table} (id NUMBER(38,0), value ${type})`);
    const right = Object.entries(RIGHT).find(([start]) => type.startsWith(start))?.[1] ?? "x";
    const text = `1,${right}\n2,${cell}\n`;
    const failing = copy(`stage.${table}`, text);
    await expect(failing).rejects.toMatchObject({ code });
    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    expect(error instanceof Error ? error.message.split("\n").slice(0, 3) : []).toEqual([
      message,
      `  File '${uploads}-a/${uploads}.csv.gz', line 2, character 3`,
      `  Row 2, column "${table.toUpperCase()}"["VALUE":2]`,
    ]);
    expect(await values(`SELECT COUNT(*) FROM stage.${table}`)).toEqual([["0"]]);
  });

  it.each([
    ["a column too few", "1,a\n2\n", "100080"],
    ["a column too many", "1,a\n2,b,c\n", "100080"],
    ["the end within quotes", '1,"a"\n2,"b', "100068"],
  ])("refuses a file with %s", async (_what, text, code) => {
    const table = `misshapen_${++uploads}`;
    await run(`CREATE TABLE stage.${table} (id NUMBER(38,0), value VARCHAR(10))`);
    await expect(copy(`stage.${table}`, text)).rejects.toMatchObject({ code });
  });
});

describe("MERGE", () => {
  beforeEach(async () => {
    await run("CREATE OR REPLACE TABLE stage.target (id NUMBER(38,0), v VARCHAR(10))");
    await run("CREATE OR REPLACE TABLE stage.source (id NUMBER(38,0), v VARCHAR(10))");
    await run("INSERT INTO stage.target SELECT 1, 'a' UNION ALL SELECT 2, 'b'");
  });

  it("counts what each of its clauses did", async () => {
    await run("INSERT INTO stage.source SELECT 1, 'A' UNION ALL SELECT 2, 'b' UNION ALL SELECT 3, 'c'");
    const sql = `MERGE INTO stage.target AS t USING (SELECT id, v FROM stage.source) AS s ON t.id = s.id WHEN MATCHED AND t.v IS DISTINCT FROM s.v THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)`;
    expect(await run(sql)).toEqual([{ "number of rows inserted": "1", "number of rows updated": "1" }]);
    expect(await run(sql)).toEqual([{ "number of rows inserted": "0", "number of rows updated": "0" }]);
    expect(
      await run("MERGE INTO stage.target AS t USING stage.source AS s ON t.id = s.id WHEN MATCHED THEN DELETE"),
    ).toEqual([{ "number of rows deleted": "3" }]);
  });

  it("refuses two source rows for one row of the target, unless both delete it", async () => {
    await run("INSERT INTO stage.source SELECT 1, 'x' UNION ALL SELECT 1, 'y'");
    await expect(
      run("MERGE INTO stage.target AS t USING stage.source AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v"),
    ).rejects.toMatchObject({
      code: "100090",
      message: 'Duplicate row detected during DML action\nRow Values: [1, "a"]',
    });
    expect(
      await run("MERGE INTO stage.target AS t USING stage.source AS s ON t.id = s.id WHEN MATCHED THEN DELETE"),
    ).toEqual([{ "number of rows deleted": "1" }]);
  });
});

describe("transactions", () => {
  beforeAll(async () => {
    await run("CREATE TABLE stage.accounts (id NUMBER(38,0), v NUMBER(38,0))");
    await run("INSERT INTO stage.accounts SELECT 1, 0");
  });

  it("are seen by others once they are committed", async () => {
    await run("BEGIN TRANSACTION NAME T_SEEN");
    await run("UPDATE stage.accounts SET v = v + 1");
    expect(await values("SELECT v FROM stage.accounts", other)).toEqual([["0"]]);
    expect(await other.run("SHOW TRANSACTIONS")).toMatchObject([{ name: "T_SEEN", state: "running" }]);
    await run("COMMIT");
    expect(await values("SELECT v FROM stage.accounts", other)).toEqual([["1"]]);
    expect(await other.run("SHOW TRANSACTIONS")).toEqual([]);
  });

  it("go on after a statement of theirs has failed", async () => {
    await run("CREATE TABLE stage.goes_on (id NUMBER(38,0) NOT NULL)");
    const path = await put("7\n");
    await writeFile(join(folder, "b.csv.gz"), gzipSync("8\nx\n"));
    await run(
      `PUT 'file://${join(folder, "b.csv.gz")}' @"PIPELINE"."FILES"/${path} SOURCE_COMPRESSION = GZIP AUTO_COMPRESS = FALSE`,
    );
    await run("BEGIN");
    await run("INSERT INTO stage.goes_on SELECT 1");
    await expect(run("INSERT INTO stage.goes_on SELECT NULL")).rejects.toMatchObject({ code: "100072" });
    await expect(run(`COPY INTO stage.goes_on FROM @"PIPELINE"."FILES"/${path} ${FORMAT}`)).rejects.toMatchObject({
      code: "100038",
    });
    await expect(run("INSERT INTO stage.goes_on SELECT nope")).rejects.toMatchObject({ code: "000904" });
    await run("INSERT INTO stage.goes_on SELECT 2");
    await run("COMMIT");
    expect(await values("SELECT id FROM stage.goes_on ORDER BY id")).toEqual([["1"], ["2"]]);
  });

  it("are committed by DDL", async () => {
    await run("BEGIN");
    await run("UPDATE stage.accounts SET v = 10");
    await run("CREATE TABLE stage.commits (id NUMBER(38,0))");
    await run("ROLLBACK");
    expect(await values("SELECT v FROM stage.accounts")).toEqual([["10"]]);
  });

  it("wait for each other's tables, and see what the other has committed", async () => {
    await run("UPDATE stage.accounts SET v = 0");
    await run("BEGIN");
    await run("UPDATE stage.accounts SET v = v + 1");
    await other.run("BEGIN");
    const second = other.run("UPDATE stage.accounts SET v = v + 1");
    await run("COMMIT");
    await second;
    await other.run("COMMIT");
    expect(await values("SELECT v FROM stage.accounts")).toEqual([["2"]]);
  });

  it("wait no longer than LOCK_TIMEOUT", async () => {
    await run("BEGIN");
    await run("DELETE FROM stage.accounts");
    await other.run("ALTER SESSION SET LOCK_TIMEOUT = 0");
    await expect(other.run("UPDATE stage.accounts SET v = 5")).rejects.toMatchObject({ code: "000625" });
    await other.run("ALTER SESSION SET LOCK_TIMEOUT = 60");
    await run("ROLLBACK");
  });

  it("outlive a client that vanishes, until they are aborted", async () => {
    const gone = await TestClient.connect(server);
    await gone.run("BEGIN TRANSACTION NAME T_GONE");
    await gone.run("UPDATE stage.accounts SET v = 99");
    const waiting = run("UPDATE stage.accounts SET v = v + 1");
    const [transaction] = await other.run("SHOW TRANSACTIONS");
    expect(transaction).toMatchObject({ name: "T_GONE" });
    await other.run(`SELECT SYSTEM$ABORT_TRANSACTION(${String(transaction?.["id"])})`);
    await waiting;
    expect(await values("SELECT MAX(v) FROM stage.accounts")).toEqual([["3"]]);
    await expect(other.run("SELECT SYSTEM$ABORT_TRANSACTION(17)")).rejects.toMatchObject({ code: expect.any(String) });
    await gone[Symbol.asyncDispose]();
  });

  it("end with their session", async () => {
    const closing = await TestClient.connect(server);
    await closing.run("BEGIN");
    await closing.run("UPDATE stage.accounts SET v = 77");
    await closing[Symbol.asyncDispose]();
    expect(await other.run("SHOW TRANSACTIONS")).toEqual([]);
    expect(await values("SELECT COUNT(*) FROM stage.accounts WHERE v = 77")).toEqual([["0"]]);
  });
});

describe("tables of a session", () => {
  it("hide others of their name, and are seen by nobody else", async () => {
    await run("CREATE TABLE analytics.hidden AS SELECT 'everybody' AS who");
    await run("CREATE OR REPLACE TEMPORARY TABLE analytics.hidden AS SELECT 'mine' AS who");
    expect(await values("SELECT who FROM analytics.hidden")).toEqual([["mine"]]);
    expect(await values("SELECT who FROM analytics.hidden", other)).toEqual([["everybody"]]);
    await run("DROP TABLE analytics.hidden");
    expect(await values("SELECT who FROM analytics.hidden")).toEqual([["everybody"]]);
  });

  it("are shown by their kind", async () => {
    await run("CREATE TRANSIENT TABLE analytics.kind_a (id NUMBER(38,0))");
    await run(
      "CREATE VIEW analytics.kind_b (\"ID\" COMMENT 'the key') COMMENT = 'a view' AS SELECT id FROM analytics.kind_a",
    );
    const rows = await run("SHOW TERSE OBJECTS LIKE 'kind\\\\_%' IN SCHEMA analytics");
    expect(rows.map(({ name, kind, schema_name: schema }) => [name, kind, schema])).toEqual([
      ["KIND_A", "TRANSIENT", "ANALYTICS"],
      ["KIND_B", "VIEW", "ANALYTICS"],
    ]);
    expect((await run("DESCRIBE VIEW analytics.kind_b"))[0]).toMatchObject({ name: "ID", comment: "the key" });
    await expect(run("CREATE OR REPLACE TABLE analytics.kind_b (id NUMBER(38,0))")).rejects.toMatchObject({
      code: "002203",
    });
    await expect(run("CREATE TABLE analytics.kind_a (id NUMBER(38,0))")).rejects.toMatchObject({ code: "002002" });
  });
});

describe("requests", () => {
  it("binds values", async () => {
    const rows = await client.run("SELECT ? AS a, ? AS b, ? AS c", { binds: ["it's \\ here", 5, null] });
    expect(rows).toEqual([{ A: "it's \\ here", B: "5", C: null }]);
  });

  it("executes a request once, however often it comes", async () => {
    await run("CREATE TABLE stage.once (id NUMBER(38,0))");
    const requestId = crypto.randomUUID();
    const insert = (): Promise<Rows> => client.run("INSERT INTO stage.once SELECT 1", { requestId });
    expect([await insert(), await insert()]).toEqual([
      [{ "number of rows inserted": "1" }],
      [{ "number of rows inserted": "1" }],
    ]);
    expect(await values("SELECT COUNT(*) FROM stage.once")).toEqual([["1"]]);
  });

  it("takes none without the product's query tag", async () => {
    await expect(client.run("SELECT 1", { tag: { product: "other" } })).rejects.toMatchObject({ code: "002043" });
  });

  it("cancels a statement", async () => {
    const many = "TABLE(GENERATOR(ROWCOUNT => 1000000))";
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const statement = client.connection.execute({
      sqlText: `SELECT COUNT(*) FROM ${many} AS a CROSS JOIN ${many} AS b CROSS JOIN ${many} AS c`,
      parameters: { QUERY_TAG: JSON.stringify({ product: "novadrive", step: "query" }) },
      complete: (error) => (error ? reject(error) : resolve()),
    });
    setTimeout(() => statement.cancel(() => undefined), 100);
    await expect(promise).rejects.toMatchObject({ code: "000604", message: "SQL execution canceled" });
    expect(await run("SELECT 1 AS a")).toEqual([{ A: "1" }]);
  });

  it("stops a statement after its timeout", async () => {
    const many = "TABLE(GENERATOR(ROWCOUNT => 1000000))";
    await other.run("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1");
    await expect(
      other.run(`SELECT COUNT(*) FROM ${many} AS a CROSS JOIN ${many} AS b CROSS JOIN ${many} AS c`),
    ).rejects.toMatchObject({ code: "000630" });
    await other.run("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 0");
  });
});

describe("grants", () => {
  it("hide what the role may not see, and refuse what it may not do", async () => {
    await run("CREATE TABLE stage.granted (id NUMBER(38,0))");
    const name = "STAGE.GRANTED";
    for (const [privilege, sql, message] of [
      ["SELECT", "SELECT * FROM stage.granted", "Insufficient privileges to operate on table 'GRANTED'."],
      ["INSERT", "INSERT INTO stage.granted SELECT 1", "Insufficient privileges to operate on table 'GRANTED'."],
      ["DELETE", "DELETE FROM stage.granted", "Insufficient privileges to operate on table 'GRANTED'."],
    ] as const) {
      server.grants.revoke({ privilege, on: "TABLE", name });
      await expect(run(sql)).rejects.toMatchObject({
        code: "003001",
        message: `SQL access control error:\n${message}`,
      });
    }
    for (const privilege of ["UPDATE", "TRUNCATE"]) server.grants.revoke({ privilege, on: "TABLE", name });
    await expect(run("DESCRIBE TABLE stage.granted")).rejects.toMatchObject({
      code: "002003",
      message: "SQL compilation error:\nTable 'NOVADRIVE.STAGE.GRANTED' does not exist or not authorized.",
    });
    server.grants.revoke({ privilege: "CREATE TABLE", on: "SCHEMA", name: "PIPELINE" });
    await expect(run("CREATE TABLE pipeline.nope (id NUMBER(38,0))")).rejects.toMatchObject({ code: "003001" });
    server.grants.grant({ privilege: "CREATE TABLE", on: "SCHEMA", name: "PIPELINE" });
    const grants = await run("SHOW GRANTS TO ROLE LOADER");
    expect(grants).toContainEqual(
      expect.objectContaining({
        privilege: "USAGE",
        granted_on: "SCHEMA",
        name: "NOVADRIVE.PIPELINE",
        grantee_name: "LOADER",
      }),
    );
    expect(grants.filter((grant) => grant["name"] === "NOVADRIVE.STAGE.GRANTED")).toEqual([]);
  });
});

describe("the warehouse", () => {
  it("runs only for what needs it", async () => {
    server.warehouse.state = "SUSPENDED";
    const before = server.log.length;
    await run("CREATE TABLE stage.metered (id NUMBER(38,0))");
    await run("SHOW TABLES IN SCHEMA stage");
    await run("DESCRIBE TABLE stage.metered");
    await run('LIST @"PIPELINE"."FILES"');
    await run("BEGIN");
    await run("COMMIT");
    await run("SELECT CURRENT_VERSION(), CURRENT_ROLE()");
    expect(server.warehouse.state).toBe("SUSPENDED");
    await run("SELECT COUNT(*) FROM stage.metered");
    expect(server.warehouse.state).toBe("STARTED");
    const seen = server.log.slice(before).map(({ needsWarehouse, resumed }) => [needsWarehouse, resumed]);
    expect(seen).toEqual([...Array.from({ length: 7 }, () => [false, false]), [true, true]]);
  });

  it("stays suspended where it does not resume, has no quota left, or may not be used", async () => {
    const query = (): Promise<Rows> => run("SELECT COUNT(*) FROM stage.metered");
    Object.assign(server.warehouse, { state: "SUSPENDED", autoResume: false });
    await expect(query()).rejects.toMatchObject({ code: "000608", message: expect.stringContaining("is suspended") });
    Object.assign(server.warehouse, { autoResume: true, exceededMonitor: "MONTHLY" });
    await expect(query()).rejects.toMatchObject({
      code: "090073",
      message: expect.stringContaining("'MONTHLY' has exceeded its quota"),
    });
    server.warehouse.exceededMonitor = undefined;
    server.grants.revoke({ privilege: "USAGE", on: "WAREHOUSE", name: server.warehouse.name });
    await expect(query()).rejects.toMatchObject({ code: "003001" });
    server.grants.grant({ privilege: "USAGE", on: "WAREHOUSE", name: server.warehouse.name });
    expect(await query()).toHaveLength(1);
    await using without = await TestClient.connect(server, { warehouse: "NO_SUCH_WH" });
    await expect(without.run("SELECT COUNT(*) FROM stage.metered")).rejects.toMatchObject({ code: "000606" });
    expect(await without.run("SHOW WAREHOUSES LIKE 'load%'")).toMatchObject([
      { name: "LOAD_WH", size: "X-Small", auto_suspend: "60", auto_resume: "true" },
    ]);
  });
});
