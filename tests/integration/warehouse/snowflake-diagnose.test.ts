/** What `doctor` says of an account, through the driver. */
import { chmod, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diagnoseWarehouse } from "../../../runtime/warehouse/diagnose.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { startSnowflakeServer, type SnowflakeServer } from "../../support/snowflake/server.ts";
import { TEST_KEYS, TEST_USER } from "../../support/snowflake/test-client.ts";

/** What the server takes: only statements that are written down. */
const STATEMENTS = join(import.meta.dirname, "../../unit/warehouse/snowflake/statements");
const MANIFEST = {
  file: "manifest.yml",
  tables: [manifestTable({ name: "sales", columns: { id: "integer", note: "varchar(10)" }, primaryKey: ["id"] })],
};

let server: SnowflakeServer;
let folder: AsyncDisposable & { path: string };
let key: string;
let url: string;

beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), "novadrive-doctor-"));
  key = join(folder.path, "rsa_key.p8");
  await writeFile(key, TEST_KEYS.privateKey, { mode: 0o600 });
  server = await startSnowflakeServer({
    users: [TEST_USER],
    shapes: STATEMENTS,
    warehouse: { name: "LOAD_WH", autoSuspend: 60 },
  });
  await server.createStageTables(MANIFEST);
  const given = {
    host: "127.0.0.1",
    port: String(server.port),
    protocol: "http",
    warehouse: "LOAD_WH",
    role: "LOADER",
  };
  const query = new URLSearchParams({ ...given, user: "NOVADRIVE", private_key: key });
  url = `snowflake://${server.account}/${server.database}?${query.toString()}`;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const diagnose = (changed = url) =>
  diagnoseWarehouse({ url: changed, manifest: MANIFEST, modelSchemas: ["analytics"] });
const wrong = async (changed?: string) => (await diagnose(changed)).filter(({ status }) => status !== "ok");

/** Takes a privilege away until the result is disposed of. */
function without(privilege: string, on: string, name: string): Disposable {
  server.grants.revoke({ privilege, on, name });
  return { [Symbol.dispose]: () => server.grants.grant({ privilege, on, name }) };
}

describe("diagnosing an account", () => {
  it("finds nothing wrong with one that is fit, and sends nothing that needs a warehouse", async () => {
    const before = server.log.length;
    const findings = await diagnose();
    expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      "login",
      "clock",
      "schemas",
      "stage sales",
      "warehouse LOAD_WH",
      "privileges",
    ]);
    const sent = server.log.slice(before);
    expect(sent.length).toBeGreaterThan(5);
    expect(sent.filter(({ needsWarehouse, error }) => needsWarehouse || error)).toEqual([]);
    expect(server.warehouse).toMatchObject({ state: "SUSPENDED", resumes: 0 });
    expect(server.sessions).toEqual([]);
  });

  it.each([
    ["INSERT", "TABLE", "STAGE.SALES", 'GRANT INSERT ON TABLE "NOVADRIVE"."STAGE"."SALES" TO ROLE "LOADER";'],
    ["CREATE VIEW", "SCHEMA", "ANALYTICS", 'GRANT CREATE VIEW ON SCHEMA "NOVADRIVE"."ANALYTICS" TO ROLE "LOADER";'],
    ["CREATE STAGE", "SCHEMA", "PIPELINE", 'GRANT CREATE STAGE ON SCHEMA "NOVADRIVE"."PIPELINE" TO ROLE "LOADER";'],
    ["USAGE", "WAREHOUSE", "LOAD_WH", 'GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "LOADER";'],
  ])("asks for %s on %s %s where it is missing", async (privilege, on, name, remedy) => {
    using _taken = without(privilege, on, name);
    expect(await wrong()).toMatchObject([{ status: "failed", remedy }]);
  });

  it("cannot tell a table that is missing from one that is not shown, and says so", async () => {
    const taken = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"];
    using stack = new DisposableStack();
    for (const privilege of taken) stack.use(without(privilege, "TABLE", "STAGE.SALES"));
    expect(await wrong()).toMatchObject([
      { check: "stage sales", status: "failed", remedy: expect.stringMatching(/pulumi up.*GRANT SELECT, INSERT/) },
    ]);
  });

  it("says that the warehouse will not start", async () => {
    server.warehouse.autoResume = false;
    using _taken = without("OPERATE", "WAREHOUSE", "LOAD_WH");
    try {
      expect(await wrong()).toMatchObject([
        { status: "failed", remedy: 'ALTER WAREHOUSE "LOAD_WH" SET AUTO_RESUME = TRUE;' },
        { status: "failed", remedy: 'GRANT OPERATE ON WAREHOUSE "LOAD_WH" TO ROLE "LOADER";' },
      ]);
    } finally {
      server.warehouse.autoResume = true;
    }
  });

  it("names the resource monitor that watches the warehouse", async () => {
    server.warehouse.exceededMonitor = "BUDGET";
    try {
      const checks = (await diagnose()).map(({ check }) => check);
      expect(checks).toContain("resource monitor BUDGET");
    } finally {
      server.warehouse.exceededMonitor = undefined;
    }
  });

  it("says that there is no such warehouse", async () => {
    expect(await wrong(url.replace("LOAD_WH", "OTHER_WH"))).toMatchObject([
      { check: "warehouse OTHER_WH", status: "failed", remedy: expect.stringContaining("warehouse=") },
    ]);
  });

  it("says why a login is refused, and no more", async () => {
    server.blocked = true;
    try {
      const findings = await diagnose();
      expect(findings).toMatchObject([{ check: "login", status: "failed" }]);
      expect(findings[0]?.remedy).toMatch(/network polic/i);
      expect(JSON.stringify(findings)).not.toContain("PRIVATE KEY");
    } finally {
      server.blocked = false;
    }
  });

  it("warns of a key that others can read, with what protects it", async () => {
    await chmod(key, 0o644);
    try {
      expect(await wrong()).toMatchObject([
        { check: "connection", status: "warning", remedy: expect.stringContaining(`chmod 600 ${key}`) },
      ]);
    } finally {
      await chmod(key, 0o600);
    }
  });
});
