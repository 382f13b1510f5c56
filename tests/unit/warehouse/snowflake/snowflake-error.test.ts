import { describe, expect, it } from "vitest";
import type { NovaError } from "../../../../runtime/core/errors.ts";
import { snowflakeError } from "../../../../runtime/warehouse/snowflake/snowflake-error.ts";
import type { Statement } from "../../../../runtime/warehouse/snowflake/statement.ts";
import { parseSnowflakeUrl } from "../../../../runtime/warehouse/snowflake/warehouse-url.ts";

const BASE = "snowflake://myorg-acct/NOVADRIVE?warehouse=DEFAULT_WH&role=RUNTIME";
const KEY_PAIR = parseSnowflakeUrl(`${BASE}&user=svc&private_key=k.p8`);
const WORKLOAD = parseSnowflakeUrl(BASE);
const QUERY = "01b2c3d4-0000-0000-0000-0000000000ff";

/** As the driver gives what Snowflake refused. */
function refused(code: string, message: string, sqlState?: string): Error {
  return Object.assign(new Error(message), {
    name: "OperationFailedError",
    code,
    sqlState,
    data: { queryId: QUERY, sqlState },
  });
}

/** As the driver gives what went wrong on the way. */
function broken(kind: string, facts: Record<string, unknown>, message = "broken"): Error {
  return Object.assign(new Error(message), { name: kind, ...facts });
}

const own = (sql = "MERGE INTO t", rest: Partial<Statement> = {}): Statement => ({
  sql,
  step: "publish",
  subject: "vendas",
  metered: true,
  ...rest,
});

const explain = (thrown: unknown, statement: Statement = own()): NovaError =>
  snowflakeError(thrown, { target: KEY_PAIR, statement });
const explainLogin = (thrown: unknown, target = KEY_PAIR): NovaError => snowflakeError(thrown, { target });

describe("a refused login", () => {
  it.each([
    [
      "390144",
      "JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]",
      "WAREHOUSE_AUTH_FAILED",
      /key of svc/,
      /RSA_PUBLIC_KEY.*clock.*SYSTEM\$GET_LOGIN_FAILURE_DETAILS\('0ce9eb56/,
    ],
    ["394304", "JWT token is invalid.", "WAREHOUSE_AUTH_FAILED", /key of svc/, /ALTER USER "SVC" SET RSA_PUBLIC_KEY/],
    ["394302", "JWT token is invalid.", "WAREHOUSE_AUTH_FAILED", /clock is wrong/, /timedatectl/],
    [
      "390100",
      "Incorrect username or password was specified.",
      "WAREHOUSE_AUTH_FAILED",
      /key of svc/,
      /of this account/,
    ],
    [
      "390422",
      "Incoming request with IP/Token 203.0.113.7 is not allowed to access Snowflake. Contact your account administrator.",
      "WAREHOUSE_AUTH_FAILED",
      /from 203\.0\.113\.7/,
      /ALTER NETWORK POLICY <policy> SET ALLOWED_IP_LIST = \('203\.0\.113\.7'/,
    ],
    [
      "390101",
      "User access disabled. Contact your local system administrator.",
      "WAREHOUSE_AUTH_FAILED",
      /does not let svc log in/,
      /DISABLED = FALSE/,
    ],
    [
      "390102",
      "User temporarily locked. Try again later, or contact your local system administrator.",
      "WAREHOUSE_AUTH_FAILED",
      /temporarily locked/,
      /MINS_TO_UNLOCK = 0/,
    ],
    [
      "390189",
      "Role 'RUNTIME' specified in the connect string does not exist or not authorized. Contact your local system administrator.",
      "WAREHOUSE_PERMISSION",
      /role RUNTIME/,
      /GRANT ROLE "RUNTIME" TO USER "SVC";/,
    ],
    [
      "390186",
      "Role 'RUNTIME' specified in the connect string is not granted to this user.",
      "WAREHOUSE_PERMISSION",
      /not granted to svc/,
      /GRANT ROLE/,
    ],
    [
      "390201",
      "The requested database does not exist or not authorized.",
      "WAREHOUSE_OBJECT_MISSING",
      /database NOVADRIVE/,
      /GRANT USAGE ON DATABASE "NOVADRIVE" TO ROLE "RUNTIME";/,
    ],
    [
      "390913",
      "Your free trial has ended and all of your virtual warehouses have been suspended.",
      "WAREHOUSE_QUOTA",
      /account myorg-acct is suspended/,
      /Billing/,
    ],
    ["390555", "Something new.", "WAREHOUSE_AUTH_FAILED", /Something new/, /ALTER USER/],
  ])("(%s) is explained", (code, text, expected, message, remedy) => {
    const error = explainLogin(refused(code, text, "08004"));
    expect(error).toMatchObject({
      code: expected,
      transient: false,
      details: { number: Number(code), sqlState: "08004" },
    });
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  it("of a workload identity shows how Snowflake learns of the role", () => {
    const error = explainLogin(refused("394400", "Workload identity is not known."), WORKLOAD);
    expect(error).toMatchObject({ code: "WAREHOUSE_AUTH_FAILED", message: expect.stringContaining("AWS identity") });
    expect(error.remedy).toContain("SET WORKLOAD_IDENTITY = (TYPE = AWS ARN =");
  });

  it("without an AWS identity names both ways out", () => {
    const error = explainLogin(
      broken("CredentialsProviderError", {}, "Could not load credentials from any providers"),
      WORKLOAD,
    );
    expect(error.code).toBe("WAREHOUSE_AUTH_FAILED");
    expect(error.remedy).toMatch(/instance role.*private_key=/);
  });

  it.each([403, 404])("answered with %i means a wrong account", (statusCode) => {
    const error = explainLogin(broken("RequestFailedError", { code: 402_001, response: { statusCode } }));
    expect(error).toMatchObject({
      code: "WAREHOUSE_AUTH_FAILED",
      message: expect.stringContaining("no account myorg-acct"),
    });
    expect(error.remedy).toContain("<organization>-<account>");
  });

  it.each([
    [
      { cause: Object.assign(new Error(), { code: "ENOTFOUND" }) },
      /myorg-acct\.snowflakecomputing\.com is not known/,
      /Correct the account/,
    ],
    [{ cause: Object.assign(new Error(), { code: "ECONNREFUSED" }) }, /ECONNREFUSED/, /port 443/],
    [
      { cause: Object.assign(new Error(), { code: "SELF_SIGNED_CERT_IN_CHAIN" }) },
      /certificate/,
      /NODE_EXTRA_CA_CERTS/,
    ],
  ])("is no refusal where the network failed: %o", (facts, message, remedy) => {
    const error = explainLogin(broken("NetworkError", { code: 401_001, ...facts }));
    expect(error).toMatchObject({ code: "WAREHOUSE_UNREACHABLE", transient: true });
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  it("is no refusal where Snowflake is down", () => {
    const error = explainLogin(broken("RequestFailedError", { code: 402_001, response: { statusCode: 503 } }));
    expect(error).toMatchObject({ code: "WAREHOUSE_UNREACHABLE", message: expect.stringContaining("503") });
  });
});

describe("a refused statement", () => {
  const privileges = (kind: string, name: string) =>
    `SQL access control error:\nInsufficient privileges to operate on ${kind} '${name}'.`;
  const missing = (kind: string, name: string) =>
    `SQL compilation error:\n${kind} '${name}' does not exist or not authorized.`;

  it.each([
    [
      "000606",
      "57P03",
      "No active warehouse selected in the current session.",
      "WAREHOUSE_OBJECT_MISSING",
      'GRANT USAGE, OPERATE ON WAREHOUSE "DEFAULT_WH" TO ROLE "RUNTIME";',
    ],
    [
      "000608",
      "57P03",
      "Warehouse 'DEFAULT_WH' is suspended.  Use 'alter warehouse DEFAULT_WH resume;' command if you need to use it again.",
      "WAREHOUSE_SUSPENDED",
      'ALTER WAREHOUSE "DEFAULT_WH" SET AUTO_RESUME = TRUE;',
    ],
    [
      "090073",
      "22000",
      "Warehouse 'DEFAULT_WH' cannot be resumed because resource monitor 'RM' has exceeded its quota.",
      "WAREHOUSE_QUOTA",
      "ALTER RESOURCE MONITOR",
    ],
    [
      "090105",
      "22000",
      "Cannot perform SELECT. This session does not have a current database. Call 'USE DATABASE', or use a qualified name.",
      "WAREHOUSE_OBJECT_MISSING",
      'GRANT USAGE ON DATABASE "NOVADRIVE" TO ROLE "RUNTIME";',
    ],
    [
      "000630",
      "57014",
      "Statement reached its statement or warehouse timeout of 14400 second(s) and was canceled.",
      "WAREHOUSE_TIMEOUT",
      "query history",
    ],
    [
      "000604",
      "57014",
      "SQL execution was cancelled by the client due to a timeout",
      "WAREHOUSE_TIMEOUT",
      "query history",
    ],
    ["000604", "57014", "SQL execution canceled", "WAREHOUSE_QUERY_FAILED", "who cancelled it"],
    [
      "000625",
      "57014",
      "Statement 'a' has locked table 'T' in transaction 1 and this lock has not yet been released.",
      "WAREHOUSE_CONFLICT",
      "SHOW LOCKS",
    ],
    ["000999", undefined, "Statement was aborted because of a deadlock.", "WAREHOUSE_CONFLICT", "SHOW LOCKS"],
    [
      "100090",
      "42P18",
      'Duplicate row detected during DML action\nRow Values: ["1"]',
      "LOAD_KEY_DUPLICATE",
      "primary_key",
    ],
    [
      "002003",
      "42S02",
      missing("Object", "NOVADRIVE.STAGE.VENDAS"),
      "WAREHOUSE_OBJECT_MISSING",
      'GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLE "NOVADRIVE"."STAGE"."VENDAS" TO ROLE "RUNTIME";',
    ],
    [
      "002003",
      "02000",
      missing("Schema", "NOVADRIVE.PIPELINE"),
      "WAREHOUSE_OBJECT_MISSING",
      'GRANT USAGE ON SCHEMA "NOVADRIVE"."PIPELINE" TO ROLE "RUNTIME";',
    ],
    [
      "003001",
      "42501",
      privileges("table", "VENDAS"),
      "WAREHOUSE_PERMISSION",
      'GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLE "VENDAS" TO ROLE "RUNTIME";',
    ],
    [
      "003001",
      "42501",
      privileges("warehouse", "DEFAULT_WH"),
      "WAREHOUSE_PERMISSION",
      'GRANT USAGE, OPERATE ON WAREHOUSE "DEFAULT_WH"',
    ],
    [
      "003001",
      "42501",
      privileges("stage", "PIPELINE.INCOMING"),
      "WAREHOUSE_PERMISSION",
      'GRANT READ, WRITE ON STAGE "NOVADRIVE"."PIPELINE"."INCOMING" TO ROLE "RUNTIME";',
    ],
    [
      "003001",
      "42501",
      privileges("database", "NOVADRIVE"),
      "WAREHOUSE_PERMISSION",
      'GRANT USAGE ON DATABASE "NOVADRIVE" TO ROLE "RUNTIME";',
    ],
    ["003001", "42501", privileges("account", "X"), "WAREHOUSE_PERMISSION", "ACCOUNTADMIN"],
    ["000002", "0A000", "Unsupported feature 'X'.", "WAREHOUSE_QUERY_FAILED", "quoted"],
  ])("(%s %s) is explained: %s", (code, sqlState, text, expected, remedy) => {
    const error = explain(refused(code, text, sqlState));
    expect(error).toMatchObject({ code: expected, details: { number: Number(code), queryId: QUERY } });
    expect(error.remedy).toContain(remedy);
    expect(error.message).not.toContain("\n");
  });

  it.each([
    ["create table t (a int)", "USAGE, CREATE TABLE"],
    ["CREATE OR REPLACE TRANSIENT TABLE t AS select 1", "USAGE, CREATE TABLE"],
    ["create or replace view v as select 1", "USAGE, CREATE VIEW"],
    ["CREATE STAGE IF NOT EXISTS s", "USAGE, CREATE STAGE"],
    ["show tables", "USAGE"],
  ])("in a schema names the privilege that %s takes", (sql, privilege) => {
    const error = explain(refused("003001", privileges("schema", "ANALYTICS"), "42501"), own(sql));
    expect(error.remedy).toContain(`GRANT ${privilege} ON SCHEMA "NOVADRIVE"."ANALYTICS" TO ROLE "RUNTIME";`);
  });

  it.each([
    ["SELECT 1 FROM t", "SELECT"],
    ["COPY INTO t FROM @s", "SELECT, INSERT"],
    ["ALTER TABLE t ADD COLUMN a INT", "OWNERSHIP"],
  ])("on a table names the privilege that %s takes", (sql, privilege) => {
    const error = explain(refused("003001", privileges("table", '"Odd.Name"'), "42501"), own(sql));
    expect(error.remedy).toContain(`GRANT ${privilege} ON TABLE "Odd.Name" TO ROLE "RUNTIME";`);
  });

  it("of a user's SQL that lacks a privilege is no matter of the SQL", () => {
    const model = own("create or replace view v as\nselect 1", { step: "model" });
    expect(explain(refused("003001", privileges("schema", "S"), "42501"), model).code).toBe("WAREHOUSE_PERMISSION");
  });
});

describe("a refused value", () => {
  const MORE =
    "\n  If you would like to continue loading when an error is encountered, use other values such as 'SKIP_FILE' or 'CONTINUE' for the ON_ERROR option. For more information on loading options, please run 'info loading_data' in a SQL client.";

  it("in a file is told with file, line, row and column", () => {
    const text = `Numeric value 'one thousand' is not recognized\n  File 'INCOMING/7-ab/vendas_0.csv.gz', line 12, character 14\n  Row 11, column "INCOMING_7_R"["VALOR_PAGO":3]${MORE}`;
    const error = explain(refused("100038", text, "22018"), own("COPY INTO t", { step: "load" }));
    expect(error).toMatchObject({
      code: "WAREHOUSE_VALUE_INVALID",
      details: {
        number: 100_038,
        file: "INCOMING/7-ab/vendas_0.csv.gz",
        line: 12,
        character: 14,
        row: 11,
        column: "VALOR_PAGO",
      },
    });
    expect(error.message).toMatch(/^Snowflake refused a value in loading of vendas: Numeric value 'one thousand'/);
    expect(error.message).not.toContain("ON_ERROR");
  });

  it("of a row that starts lines before is told with its row", () => {
    const text = `Number of columns in file (6) does not match that of the corresponding table (3)\n  File 'a.csv.gz', line 3, character 1\n  Row 1 starts at line 2, column "T"[6]${MORE}`;
    expect(explain(refused("100080", text, "22000")).details).toMatchObject({ line: 3, row: 1, column: undefined });
  });

  it.each([
    [
      "100072",
      "DML operation to table T failed on column DEPT with error: NULL result in a non-nullable column",
      "DEPT",
    ],
    [
      "100078",
      "DML operation to table DB.S.T failed on column C1 with error: String 'aa' is too long and would be truncated",
      "C1",
    ],
    ["100046", "Number out of representable range: type FIXED[SB2](3,2){nullable}, value 1000", undefined],
    ["100069", "Error parsing JSON: unknown keyword", undefined],
    ["100035", "Timestamp '0000-00-00' is not recognized", undefined],
    ["100132", "JavaScript execution error", undefined],
  ])("(%s) in a table is told with its column where there is one", (code, text, column) => {
    expect(explain(refused(code, text, "22000"))).toMatchObject({
      code: "WAREHOUSE_VALUE_INVALID",
      details: { column },
    });
  });

  it("is a matter of the SQL in a model", () => {
    const error = explain(
      refused("100038", "Numeric value 'x' is not recognized", "22018"),
      own("select 1", { step: "model" }),
    );
    expect(error.code).toBe("MODEL_SQL_FAILED");
  });

  it("is no division by zero", () => {
    expect(explain(refused("100051", "Division by zero", "22012")).code).toBe("WAREHOUSE_QUERY_FAILED");
    const model = explain(refused("100051", "Division by zero", "22012"), own("select 1/0", { step: "model" }));
    expect(model).toMatchObject({ code: "MODEL_SQL_FAILED", message: expect.stringMatching(/division by zero/i) });
  });
});

describe("SQL of a user", () => {
  const PREFIX = 'CREATE OR REPLACE VIEW "A"."V"\nCOPY GRANTS AS\n';
  const model = (sql: string, prefix = PREFIX): Statement => own(prefix + sql, { step: "model", prefix });
  const identifierError = (line: number, position: number, name: string) =>
    refused(
      "000904",
      `SQL compilation error: error line ${line} at position ${position}\ninvalid identifier '${name}'`,
      "42000",
    );

  it("is told the place in its own text", () => {
    const error = explain(identifierError(4, 10, "NOPE"), model("select id, -- nope\n  'nope', nope from stage.known"));
    expect(error).toMatchObject({
      code: "MODEL_SQL_FAILED",
      details: { line: 2, column: 11, token: "nope", number: 904 },
    });
    expect(error.message).toBe(`Snowflake refused the model, at line 2, column 11 ("nope"): invalid identifier 'NOPE'`);
  });

  it("that begins behind its prefix on the same line is told its own columns", () => {
    const error = explain(identifierError(1, 16, "NOPE"), model("select nope\nfrom t", "CREATE X "));
    expect(error.details).toMatchObject({ line: 1, column: 8, token: "nope" });
  });

  it("is told where it cannot be read", () => {
    const text =
      "SQL compilation error:\nsyntax error line 3 at position 10 unexpected '='.\nsyntax error line 3 at position 12 unexpected '2'.";
    const error = explain(
      refused("001003", text, "42000"),
      own("select 1\nfrom stage.t\nwhere x = = 2", { step: "query" }),
    );
    expect(error.details).toMatchObject({ line: 3, column: 11, token: "=" });
    expect(error.message).toContain("Snowflake refused the query");
  });

  it("is searched for what Snowflake only names, comments and strings left out", () => {
    const sql = "select id, -- no_function\n       no_function(price) as p\nfrom stage.sales";
    const unknown = refused("002140", "SQL compilation error:\nUnknown function NO_FUNCTION", "42601");
    expect(explain(unknown, model(sql)).details).toMatchObject({ line: 2, column: 8, token: "no_function" });
    const object = refused(
      "002003",
      "SQL compilation error:\nObject 'NOVADRIVE.STAGE.\"Odd\"' does not exist or not authorized.",
      "42S02",
    );
    expect(explain(object, model('select 1\nfrom stage."Odd"'))).toMatchObject({
      code: "MODEL_SQL_FAILED",
      details: { line: 2, column: 12, token: "odd" },
    });
  });

  it("has no place where the error is in what the adapter wrote around it", () => {
    const error = explain(identifierError(1, 3, "ELSEWHERE"), model("select 1"));
    expect(error.details).not.toHaveProperty("line");
    expect(error.message).toBe("Snowflake refused the model: invalid identifier 'ELSEWHERE'");
  });

  it("of several statements is told to be one", () => {
    const text = "Actual statement count 2 did not match the desired statement count 1.";
    const error = explain(refused("000008", text, "0A000"), own("select 1; select 2", { step: "query" }));
    expect(error).toMatchObject({ code: "MODEL_SQL_FAILED", remedy: "Leave one statement." });
  });

  it("whose hook merges the same row twice is the hook's fault", () => {
    const error = explain(
      refused("100090", "Duplicate row detected during DML action", "42P18"),
      own("merge into t", { step: "hook" }),
    );
    expect(error).toMatchObject({ code: "MODEL_SQL_FAILED", message: expect.stringContaining("a hook") });
  });
});

describe("a failure on the way", () => {
  it.each([
    ["NetworkError", { code: 401_001, cause: Object.assign(new Error(), { code: "ECONNRESET" }) }, /ECONNRESET/],
    ["RequestFailedError", { code: 402_001, response: { statusCode: 502 } }, /502/],
    ["ClientError", { code: 407_002 }, /session has ended/],
    ["OperationFailedError", { code: "390111" }, /session has ended/],
    ["LargeResultSetError", { code: 402_002, response: { statusCode: 403 } }, /403/],
  ])("(%s) may pass", (kind, facts, message) => {
    const error = explain(broken(kind, facts));
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code: "WAREHOUSE_UNREACHABLE", transient: true });
  });

  it("with a file tells whether the file or the way is to blame", () => {
    const put = own("PUT 'file:///tmp/a.csv.gz' @s", { step: "stage" });
    expect(explain(broken("Error", {}, "No file found for: /tmp/a.csv.gz"), put).code).toBe("STAGING_FAILED");
    expect(explain(broken("Error", {}, "TimeoutError: socket hang up file=a.csv.gz"), put)).toMatchObject({
      code: "WAREHOUSE_UNREACHABLE",
      transient: true,
    });
  });

  it("in the driver itself is reported as one", () => {
    expect(explain(new TypeError("x is not a function")).code).toBe("INTERNAL");
    expect(explain("text").code).toBe("INTERNAL");
  });

  it("that is explained already stays as it is", () => {
    const error = explain(refused("000625", "locked", "57014"));
    expect(explain(error)).toBe(error);
  });
});
