import { describe, expect, it } from "vitest";
import { NovaError } from "../../../../runtime/core/errors.ts";
import { diagnose } from "../../../../runtime/warehouse/snowflake/diagnose.ts";
import type { StatementResult } from "../../../../runtime/warehouse/snowflake/statement.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { manifestTable } from "../../../support/manifest-table.ts";
import { scriptedSessions, table } from "./scripted-sessions.ts";

const SALES = manifestTable({ name: "sales", columns: { id: "integer", note: "varchar(10)" }, primaryKey: ["id"] });
const MANIFEST = { file: "manifest.yml", tables: [SALES] };
const TARGET = { database: "DB", warehouse: "WH", role: "LOADER" };

const IDENTITY = table("U R S O A REGION D V T", [
  "SERVICE",
  "LOADER",
  '{"roles":"","value":""}',
  "ACME",
  "PROD",
  "AWS_SA_EAST_1",
  "DB",
  "9.1.0",
  "2026-01-01 00:00:00.250000+00",
]);
const SCHEMAS = table(
  "created_on name",
  ["x", "STAGE"],
  ["x", "ANALYTICS"],
  ["x", "PIPELINE"],
  ["x", "INFORMATION_SCHEMA"],
);
const COLUMNS = table(
  "name type kind null?",
  ["_SYNCED_AT", "TIMESTAMP_LTZ(9)", "COLUMN", "N"],
  ["_BATCH_ID", "NUMBER(38,0)", "COLUMN", "N"],
  ["ID", "NUMBER(38,0)", "COLUMN", "N"],
  ["NOTE", "VARCHAR(10)", "COLUMN", "Y"],
);
const warehouse = (state: string, suspend: string | null, resume: string, monitor = "null") =>
  table("name state size auto_suspend auto_resume resource_monitor", [
    "WH",
    state,
    "X-Small",
    suspend,
    resume,
    monitor,
  ]);
const GRANTS = table(
  "privilege granted_on name",
  ["USAGE", "DATABASE", "DB"],
  ["USAGE", "SCHEMA", "DB.STAGE"],
  ["USAGE", "SCHEMA", "DB.ANALYTICS"],
  ["CREATE TABLE", "SCHEMA", "DB.ANALYTICS"],
  ["CREATE VIEW", "SCHEMA", "DB.ANALYTICS"],
  ["OWNERSHIP", "SCHEMA", "DB.PIPELINE"],
  ...["SELECT", "INSERT", "UPDATE", "DELETE"].map((privilege) => [privilege, "TABLE", "DB.STAGE.SALES"]),
  ["USAGE", "WAREHOUSE", "WH"],
);
const missing = () => {
  throw new NovaError("WAREHOUSE_QUERY_FAILED", "Object does not exist or not authorized.", {
    details: { number: 2003 },
  });
};

type Answer = StatementResult | (() => never);

const FIT: Readonly<Record<string, Answer>> = {
  "SELECT CURRENT_USER()": IDENTITY,
  "SHOW SCHEMAS": SCHEMAS,
  "DESCRIBE TABLE": COLUMNS,
  "SHOW WAREHOUSES": warehouse("SUSPENDED", "60", "true"),
  'SHOW GRANTS TO ROLE "LOADER"': GRANTS,
  'SHOW GRANTS TO ROLE "PUBLIC"': table("privilege granted_on name"),
};

/** An account that is fit but for what is said. */
async function findings(changes: Readonly<Record<string, Answer>> = {}) {
  const answers = { ...FIT, ...changes };
  const sessions = scriptedSessions((sql) => {
    const found = Object.entries(answers).find(([start]) => sql.startsWith(start));
    if (!found) throw new Error(`No answer to ${sql}`);
    return typeof found[1] === "function" ? found[1]() : found[1];
  });
  const result = await diagnose({
    sessions,
    target: TARGET,
    manifest: MANIFEST,
    modelSchemas: ["analytics"],
    clock: new FakeClock(),
  });
  return { result, sent: sessions.sent, wrong: result.filter(({ status }) => status !== "ok") };
}

describe("diagnose", () => {
  it("is content with an account that is fit, and sends nothing that resumes the warehouse", async () => {
    const { result, wrong, sent } = await findings();
    expect(wrong).toEqual([]);
    expect(result.map(({ check }) => check)).toEqual([
      "login",
      "clock",
      "schemas",
      "stage sales",
      "warehouse WH",
      "privileges",
    ]);
    expect(result[0]?.detail).toBe("SERVICE as LOADER; account ACME-PROD in AWS_SA_EAST_1, Snowflake 9.1.0.");
    expect(sent.filter(({ metered, step }) => metered || step !== "diagnose")).toEqual([]);
  });

  it("says why there is no login, and nothing else", async () => {
    const refused = () => {
      throw new NovaError("WAREHOUSE_UNREACHABLE", "JWT token is invalid.", { remedy: "Set the public key." });
    };
    const { result } = await findings({ "SELECT CURRENT_USER()": refused });
    expect(result).toEqual([
      { check: "login", status: "failed", detail: "JWT token is invalid.", remedy: "Set the public key." },
    ]);
  });

  it("goes on where one answer fails", async () => {
    const { wrong, result } = await findings({ "SHOW WAREHOUSES": missing });
    expect(wrong).toMatchObject([{ check: "warehouse WH", status: "failed" }]);
    expect(result.at(-1)).toMatchObject({ check: "privileges", status: "ok" });
  });

  it("says once that a schema is missing, with all that a batch needs on it", async () => {
    const { wrong } = await findings({ "SHOW SCHEMAS": table("name", ["STAGE"], ["ANALYTICS"]) });
    expect(wrong).toMatchObject([
      {
        check: "schema PIPELINE",
        status: "failed",
        remedy: expect.stringContaining(
          'GRANT USAGE, CREATE TABLE, CREATE STAGE ON SCHEMA "DB"."PIPELINE" TO ROLE "LOADER";',
        ),
      },
    ]);
  });

  it("does not ask for the tables of a schema that is missing", async () => {
    const { wrong, sent } = await findings({ "SHOW SCHEMAS": table("name", ["PIPELINE"], ["ANALYTICS"]) });
    expect(wrong.map(({ check }) => check)).toEqual(["schema STAGE"]);
    expect(sent.some(({ sql }) => sql.startsWith("DESCRIBE"))).toBe(false);
  });

  it("says that a stage table is missing, and how to make or to show it", async () => {
    const { wrong } = await findings({ "DESCRIBE TABLE": missing });
    expect(wrong).toMatchObject([
      {
        check: "stage sales",
        status: "failed",
        remedy: expect.stringMatching(/pulumi up.*GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE "DB"."STAGE"."SALES"/),
      },
    ]);
  });

  it("tells every difference between a stage table and the manifest", async () => {
    const narrow = COLUMNS.rows.map((row) => (row[0] === "NOTE" ? ["NOTE", "VARCHAR(5)", "COLUMN", "Y"] : row));
    const columns = { ...COLUMNS, rows: [...narrow, ["OLD", "DATE", "COLUMN", "Y"]] };
    const { wrong } = await findings({ "DESCRIBE TABLE": columns });
    expect(wrong).toMatchObject([
      {
        check: "stage sales",
        status: "failed",
        detail: expect.stringContaining("VARCHAR(5)"),
        remedy: expect.stringContaining("pulumi up"),
      },
      { check: "stage sales", status: "warning", detail: expect.stringContaining("OLD") },
    ]);
  });

  it("gives the GRANT for each object that lacks privileges", async () => {
    const rows = GRANTS.rows.filter(([privilege, , name]) => !(name === "DB.STAGE.SALES" && privilege !== "SELECT"));
    const { wrong } = await findings({ 'SHOW GRANTS TO ROLE "LOADER"': { ...GRANTS, rows } });
    expect(wrong).toMatchObject([
      { status: "failed", remedy: 'GRANT INSERT, UPDATE, DELETE ON TABLE "DB"."STAGE"."SALES" TO ROLE "LOADER";' },
    ]);
  });

  it("says so when the session has another role than was asked for", async () => {
    const rows = IDENTITY.rows.map((row) => row.with(1, "PUBLIC"));
    const { result } = await findings({ "SELECT CURRENT_USER()": { ...IDENTITY, rows } });
    expect(result[0]).toMatchObject({ status: "failed", remedy: 'GRANT ROLE "LOADER" TO USER "SERVICE";' });
  });

  it("warns of a clock that differs", async () => {
    const rows = IDENTITY.rows.map((row) => row.with(8, "2026-01-01 00:01:40.000000+00"));
    const { wrong } = await findings({ "SELECT CURRENT_USER()": { ...IDENTITY, rows } });
    expect(wrong).toMatchObject([
      { check: "clock", status: "warning", detail: expect.stringContaining("100.0 s behind Snowflake") },
    ]);
  });
});

describe("the warehouse", () => {
  it.each([
    [
      "missing",
      table("name state size auto_suspend auto_resume resource_monitor"),
      ["failed"],
      "GRANT USAGE ON WAREHOUSE",
    ],
    ["suspended for good", warehouse("SUSPENDED", "60", "false"), ["failed", "failed"], "SET AUTO_RESUME = TRUE;"],
    [
      "running, but not resuming",
      warehouse("STARTED", "60", "false"),
      ["warning", "failed"],
      "SET AUTO_RESUME = TRUE;",
    ],
    ["never suspended", warehouse("STARTED", "0", "true"), ["warning"], "SET AUTO_SUSPEND = 60;"],
    ["never suspended, by NULL", warehouse("STARTED", null, "true"), ["warning"], "SET AUTO_SUSPEND = 60;"],
    ["slow to suspend", warehouse("STARTED", "600", "true"), ["warning"], "SET AUTO_SUSPEND = 60;"],
  ])("is %s", async (_, shown, statuses, remedy) => {
    const { wrong } = await findings({ "SHOW WAREHOUSES": shown });
    expect(wrong.map(({ status }) => status)).toEqual(statuses);
    expect(wrong[0]?.remedy).toContain(remedy);
    // A warehouse that does not resume by itself takes OPERATE, which is not granted here.
    if (statuses.length === 2) expect(wrong[1]?.remedy).toBe('GRANT OPERATE ON WAREHOUSE "WH" TO ROLE "LOADER";');
  });

  it.each([
    ["nearly used up", ["BUDGET", "100", "95.5"], "warning", "95.5 of 100 credits"],
    ["far from used up", ["BUDGET", "100", "12"], "ok", "12 of 100 credits"],
    ["of another name only", ["BUDGET2", "100", "95"], "ok", "not shown"],
  ])("has a resource monitor: %s", async (_, row, status, detail) => {
    const { result } = await findings({
      "SHOW WAREHOUSES": warehouse("STARTED", "60", "true", "BUDGET"),
      "SHOW RESOURCE MONITORS": table("name credit_quota used_credits", row),
    });
    const monitor = result.find(({ check }) => check === "resource monitor BUDGET");
    expect(monitor).toMatchObject({ status, detail: expect.stringContaining(detail) });
  });
});
