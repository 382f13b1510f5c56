/**
 * The life of a stack under the real engine: created, loaded, grown, released, moved to another box, protected, destroyed. Snowflake is a
 * server that executes what the provider sends, AWS a folder with a file for each object, so that what is there is seen where it is.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Manifest } from "../../runtime/manifest/manifest.ts";
import { readManifest } from "../../runtime/manifest/read.ts";
import { stageTableColumns } from "../../runtime/manifest/stage-table.ts";
import { diagnoseWarehouse } from "../../runtime/warehouse/diagnose.ts";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import { Batches } from "../contract/warehouse-fixture.ts";
import { Cloud, type CloudObject } from "../support/pulumi/cloud.ts";
import { Changes, findPulumi, openProject, type EngineProject } from "../support/pulumi/engine.ts";
import { startSnowflakeServer, type SnowflakeServer } from "../support/snowflake/server.ts";
import { shapeOf, statementsIn } from "../support/snowflake/shapes.ts";
import { TEST_KEYS, TestClient, testKeyFile, type Rows } from "../support/snowflake/test-client.ts";
import { STATEMENTS } from "../support/test-snowflake.ts";

const pulumi = findPulumi();
if ("missing" in pulumi) console.warn(`SKIPPED: the infrastructure program was not run. ${pulumi.missing}`);

interface StoredResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly parent?: string;
  readonly protect?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** As the deployer's own login; the real provider reads the same variables. */
const ACCOUNT = {
  SNOWFLAKE_ORGANIZATION_NAME: "ACME",
  SNOWFLAKE_ACCOUNT_NAME: "MAIN",
  SNOWFLAKE_USER: "NOVADRIVE_DEPLOYER",
  SNOWFLAKE_ROLE: "NOVADRIVE_DEPLOYER",
  SNOWFLAKE_PRIVATE_KEY: TEST_KEYS.privateKey,
};

const OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2 novadrive-bundle";
const ASSOCIATION = "aws:ssm/association:Association novadrive-release";
/** What another bundle is to the engine: an object that is made before the old one goes, and a release that the box is told of anew. */
const RELEASE = { [OBJECT]: "delete-replaced", [ASSOCIATION]: "create-replacement" };

/** Base64 of the key, as Snowflake takes it. */
const publicKey = TEST_KEYS.publicKey.replaceAll(/-----.*-----|\s/g, "");

async function storedResources(stack: Stack): Promise<readonly StoredResource[]> {
  const { deployment } = (await stack.exportStack()) as { deployment: { resources?: StoredResource[] } };
  return deployment.resources ?? [];
}

/** As `npm run <command>` does. This process must not wait for it with its hands tied: it serves Snowflake. */
function runScript({ folder, stack }: EngineProject, args: readonly string[]) {
  const script = [join(folder, "infra/pulumi.ts"), ...args, "--stack", stack.name];
  const env = { ...stack.workspace.envVars, PULUMI_HOME: stack.workspace.pulumiHome };
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, script, { cwd: folder, env }, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

async function up(stack: Stack) {
  const changes = new Changes();
  const { outputs } = await stack.up({ onEvent: changes.record });
  const values = Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value as unknown]));
  return { operations: changes.operations, order: changes.order, outputs: values };
}

/** An `up` in which the stand-ins refuse to make something. @param refused its type, or type and name */
async function upWithout(stack: Stack, refused: string): Promise<void> {
  const usual = { ...stack.workspace.envVars };
  stack.workspace.envVars = { ...usual, STAND_IN_REFUSES: refused };
  await expect(stack.up()).rejects.toThrow(/told to refuse this/);
  stack.workspace.envVars = usual;
}

describe.skipIf("missing" in pulumi)("the infrastructure program", { timeout: 180_000 }, () => {
  let project: EngineProject;
  let server: SnowflakeServer;
  /** ACCOUNTADMIN. */
  let admin: TestClient;
  let cloudFolder: string;
  let cloud: Cloud;
  let runtimeUrl: string;

  beforeAll(async () => {
    if (!("path" in pulumi)) return;
    cloudFolder = mkdtempSync(join(tmpdir(), "novadrive-cloud-"));
    cloud = new Cloud(cloudFolder);
    server = await startSnowflakeServer({
      account: "ACME-MAIN",
      database: "SOMEBODY_ELSES",
      schemas: [],
      warehouse: { name: "SOMEBODY_ELSES_WH" },
      users: [{ name: "ADMIN", role: "ACCOUNTADMIN", publicKeys: [TEST_KEYS.publicKey] }],
      shapes: STATEMENTS,
    });
    admin = await TestClient.connect(server, { username: "ADMIN", application: "terraform-provider-snowflake" });
    project = await openProject(pulumi.path, {
      ...ACCOUNT,
      STAND_IN_SNOWFLAKE: `http://127.0.0.1:${server.port}`,
      STAND_IN_CLOUD: cloudFolder,
    });
    // What the README has the account's administrator run, once.
    const file = readFileSync(join(project.folder, "infra/snowflake/deployer.sql"), "utf8");
    for (const sql of statementsIn(file)) await admin.run(sql.replace(/'<rsa_key.pub.*?>'/, `'${publicKey}'`));
  });

  afterAll(async () => {
    await admin[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    project[Symbol.dispose]();
    rmSync(cloudFolder, { recursive: true });
  });

  const manifest = (): Manifest => readManifest(join(project.folder, "sql/models/manifest.yml"));
  const namesOf = (rows: Rows): string[] => rows.map((row) => String(row["name"])).toSorted();
  const tablesThere = async () => namesOf(await admin.run("SHOW TABLES IN SCHEMA NOVADRIVE.STAGE"));

  /** Rows of a table in the server, as they are there. */
  async function rowsOf(table: string): Promise<number> {
    const [[count] = []] = await server.sql(`SELECT count(*) FROM "STAGE"."${table}"`);
    return Number(count);
  }

  /** The runtime's own way in, with the role and the key that the program gave it. */
  const openRuntime = () => openWarehouse({ url: runtimeUrl });

  /** What is in AWS and in Snowflake is what the engine remembers, no more and no less; bundles of earlier releases stay in the bucket. */
  async function expectNothingUnknown(): Promise<void> {
    const stored = await storedResources(project.stack);
    const inAws = stored.filter(({ type, id }) => type.startsWith("aws:") && id !== undefined);
    const known = inAws.map(({ id }) => id);
    const isOldBundle = ({ type, id }: CloudObject) =>
      type === "aws:s3/bucketObjectv2:BucketObjectv2" && !known.includes(id);
    const there = cloud.objects().filter((object) => !isOldBundle(object));
    expect(there.map(({ urn }) => urn).toSorted()).toEqual(inAws.map(({ urn }) => urn).toSorted());
    const tables = stored.filter(({ type }) => type === "snowflake:index/table:Table");
    expect(await tablesThere()).toEqual(tables.map(({ outputs }) => String(outputs?.["name"])).toSorted());
  }

  function editFile(path: string, edit: (text: string) => string): void {
    const file = join(project.folder, path);
    const before = readFileSync(file, "utf8");
    const after = edit(before);
    expect(after).not.toBe(before);
    writeFileSync(file, after);
  }

  it("says what is wrong with the configuration before anything is created", async () => {
    await project.stack.setConfig("novadrive:uiPort", { value: "70000" });
    const failure: unknown = await project.stack.preview().catch((thrown: unknown) => thrown);
    await project.stack.removeConfig("novadrive:uiPort");
    expect(String(failure)).toMatch(
      /error: The configuration of stack dev has a problem:\n\s+- novadrive:uiPort must be a whole number from 1 to 65535 \(it is 70000\): pulumi config set novadrive:uiPort 8080/,
    );
    expect(await storedResources(project.stack)).toEqual([]);
  });

  it("tells all that is wrong at once, where Pulumi by itself stops at the first value of a wrong type", async () => {
    const wrong = { "novadrive:uiPort": "eighty", "novadrive:uiOpenToTheWorld": "no", "novadrive:uiCidrs": "office" };
    for (const [key, value] of Object.entries(wrong)) await project.stack.setConfig(key, { value });
    const failure: unknown = await project.stack.preview().catch((thrown: unknown) => thrown);
    expect(String(failure)).toMatch(/Stack 'dev' with configuration key '\w+' must be of type '/);
    const { status, stdout, stderr } = await runScript(project, ["preview"]);
    await project.stack.removeAllConfig(Object.keys(wrong));
    expect(status).not.toBe(0);
    for (const key of Object.keys(wrong)) {
      expect(stdout + stderr).toMatch(new RegExp(`- ${key} must be .* \\(it is \\w+\\): pulumi config set `));
    }
  });

  it("keeps hold of what it has made where an update fails half-way, in AWS or in Snowflake", async () => {
    const { stack } = project;
    await stack.setConfig("novadrive:warehousePublicKey", { value: publicKey });
    // The test's runtime comes from where the server is.
    await stack.setConfig("novadrive:warehouseCidrs[0]", { value: "127.0.0.1/32" }, true);
    await upWithout(stack, "aws:ec2/instance:Instance");
    const made = (await storedResources(stack)).map(({ type }) => type);
    expect(made).toContain("aws:ebs/volume:Volume");
    expect(made).not.toContain("aws:ec2/instance:Instance");
    await upWithout(stack, "snowflake:index/table:Table novadrive-ESTADOS");
    const tables = await tablesThere();
    expect(tables).not.toContain("ESTADOS");
    await expectNothingUnknown();
    // Nothing starts that would miss a table.
    expect(cloud.objects().map(({ type }) => type)).not.toContain("aws:ssm/association:Association");
  });

  it("goes on at the next update, and creates everything", async () => {
    await project.stack.setConfig("novadrive:uiCidrs[0]", { value: "203.0.113.7/32" }, true);
    const { operations, outputs } = await up(project.stack);
    expect(new Set(Object.values(operations))).toEqual(new Set(["create"]));
    expect(operations).toHaveProperty(["snowflake:index/table:Table novadrive-ESTADOS"]);
    expect(operations).not.toHaveProperty(["aws:ebs/volume:Volume novadrive-state"]);
    expect(outputs).toMatchObject({
      uiAddress: "https://203.0.113.10:8080",
      snowflakeDatabase: "NOVADRIVE",
      snowflakeWarehouse: "DEFAULT_WH",
      snowflakeSchemas: ["STAGE", "ANALYTICS", "PIPELINE"],
      snowflakeTables: expect.arrayContaining(["NOVADRIVE.STAGE.VENDAS", "NOVADRIVE.STAGE.VEICULOS"]),
    });
    const resources = await storedResources(project.stack);
    const stack = resources.find((resource) => resource.type === "pulumi:pulumi:Stack");
    for (const resource of resources.filter((one) => one !== stack)) {
      const component = /^(novadrive|pulumi:providers):/.test(resource.type);
      if (component) expect(resource.parent).toBe(stack?.urn);
      else expect(resource.parent).toMatch(/\$?novadrive:(aws|snowflake):\w+::novadrive$/);
    }
    // Nothing fell back to a provider that the engine made up.
    const providers = resources.filter((resource) => resource.type.startsWith("pulumi:providers:"));
    expect(new Set(providers.map((provider) => provider.urn.split("::").at(-1)))).toEqual(
      new Set(["aws", "snowflake"]),
    );
    expect(providers).toHaveLength(2);
    await expectNothingUnknown();
    const url = new URL(String(outputs["snowflakeUrl"]));
    const here = { private_key: testKeyFile(), host: "127.0.0.1", port: String(server.port), protocol: "http" };
    for (const [key, value] of Object.entries(here)) url.searchParams.set(key, value);
    runtimeUrl = url.href;
  });

  it("has made each table of the manifest, column for column, with statements that are written down", async () => {
    for (const table of manifest().tables) {
      const columns = await admin.run(`DESCRIBE TABLE NOVADRIVE.STAGE.${table.name.toUpperCase()}`);
      expect(columns.map((row) => [row["name"], row["type"], row["null?"], row["comment"]])).toEqual(
        stageTableColumns(table).map(({ name, type, nullable, comment }) => [
          name,
          type,
          nullable ? "Y" : "N",
          comment ?? null,
        ]),
      );
    }
    // The first of each form: how many there are, and what is in a table, is the manifest's matter; their order is the engine's.
    const sent = server.log.filter(({ tag, sql }) => tag === undefined && !sql.startsWith("CREATE TABLE"));
    const sorted = sent.map(({ sql }) => sql.replace(publicKey, "<key>")).toSorted();
    const forms = new Map(sorted.toReversed().map((sql) => [shapeOf(sql), sql]));
    const text = [...forms.values()].toSorted().map((sql) => `${sql};\n`);
    await expect(text.join("\n")).toMatchFileSnapshot("deployer-statements.sql");
  });

  it("changes nothing the second time", async () => {
    expect((await up(project.stack)).operations).toEqual({});
  });

  it("has given the runtime a login that may do all of its work, and nothing to the tables but to their rows", async () => {
    const findings = await diagnoseWarehouse({ url: runtimeUrl, manifest: manifest(), modelSchemas: ["analytics"] });
    expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
    await using warehouse = await openRuntime();
    await warehouse.prepare(manifest());
    await using batches = await Batches.for(warehouse);
    const table = manifest().tables.find(({ name }) => name === "estados");
    if (!table) throw new Error("The manifest has no table estados");
    const rows = [
      [1, "Bahia", "BA", null, null],
      [2, "Ceará", "CE", null, null],
    ] as const;
    expect(await batches.publish({ table, rows })).toMatchObject([{ name: "estados", rows: 2, inserted: 2 }]);
    const relation = { schema: "analytics", name: "states" };
    const model = { relation, sql: 'select id_estados, sigla from "STAGE"."ESTADOS"', preHooks: [], postHooks: [] };
    // Twice: the second replaces what the first has made.
    for (const kind of ["table", "table"] as const) await warehouse.materialize({ ...model, kind });
    expect((await warehouse.query('select count(*) from "ANALYTICS"."STATES"')).rows).toEqual([["2"]]);
    for (const sql of ['drop table "STAGE"."ESTADOS"', 'alter table "STAGE"."ESTADOS" add column "X" varchar(1)']) {
      await expect(warehouse.query(sql)).rejects.toThrow(/Insufficient privileges/);
    }
    expect(await rowsOf("ESTADOS")).toBe(2);
  });

  it("adds a column of the manifest to its table in place with the rows kept, before the release that needs it", async () => {
    editFile("sql/models/manifest.yml", (text) =>
      text.replace(/(- name: estados\n[\s\S]*?data_atualizacao\n[\s\S]*?data_type: timestamp_ltz\n)/, (entry) => {
        const column = ["          - name: regiao", "            data_type: varchar(20)", ""];
        return `${entry}${column.join("\n")}`;
      }),
    );
    const altered = "snowflake:index/table:Table novadrive-ESTADOS";
    const { operations, order } = await up(project.stack);
    expect(operations).toEqual({ [altered]: "update", ...RELEASE });
    const at = order.indexOf(`ends update ${altered}`);
    expect(at).toBeGreaterThan(-1);
    // The old release goes on with the new column, which it leaves empty, until the very end.
    const releaseSteps = order.flatMap((step, place) => (step.endsWith(ASSOCIATION) ? [place] : []));
    expect(Math.min(...releaseSteps)).toBeGreaterThan(at);
    expect(await rowsOf("ESTADOS")).toBe(2);
    const there = await server.sql(`SELECT "SIGLA", "REGIAO" FROM "STAGE"."ESTADOS" ORDER BY 1`);
    expect(there).toEqual([
      ["BA", null],
      ["CE", null],
    ]);
    const table = (await storedResources(project.stack)).find(({ urn }) => urn.endsWith("::novadrive-ESTADOS"));
    const columns = table?.outputs?.["columns"] as readonly { name: string; type: string; nullable: boolean }[];
    expect(columns.map((column) => column.name)).toEqual([
      "_SYNCED_AT",
      "_BATCH_ID",
      "ID_ESTADOS",
      "ESTADO",
      "SIGLA",
      "DATA_INCLUSAO",
      "DATA_ATUALIZACAO",
      "REGIAO",
    ]);
    expect(columns.at(-1)).toEqual({ name: "REGIAO", type: "VARCHAR(20)", nullable: true });
  });

  it("releases a change of the code, and changes nothing else: not the box, not a table", async () => {
    editFile("runtime/core/clock.ts", (text) => `${text}\n// changed\n`);
    // Snowflake has put the new column behind all others; were the program's order another, the table would be altered again, for ever.
    expect((await up(project.stack)).operations).toEqual(RELEASE);
    await expectNothingUnknown();
  });

  it("replaces the box without its disk, its address or anything else that is not fastened to it", async () => {
    await project.stack.setConfig("novadrive:keyName", { value: "operators" });
    const { operations } = await up(project.stack);
    const alarms = Object.keys(operations).filter((name) => name.startsWith("aws:cloudwatch/metricAlarm:MetricAlarm "));
    const watching = Object.fromEntries(alarms.map((name) => [name, "update"]));
    // Deleted before their replacements: volume and address can be fastened to one box at a time.
    expect(operations).toEqual({
      "aws:ec2/instance:Instance novadrive-host": "create-replacement",
      "aws:ec2/volumeAttachment:VolumeAttachment novadrive-state": "create-replacement",
      "aws:ec2/eipAssociation:EipAssociation novadrive-host": "create-replacement",
      [ASSOCIATION]: "create-replacement",
      ...watching,
    });
    await expectNothingUnknown();
  });

  it("makes a protected stack of a disposable one without replacing anything", async () => {
    await project.stack.setConfig("novadrive:kind", { value: "prod" });
    const { operations } = await up(project.stack);
    expect(new Set(Object.values(operations))).toEqual(new Set(["update"]));
    expect(Object.keys(operations)).toContain("aws:ec2/instance:Instance novadrive-host");
    expect(Object.keys(operations)).toContain("aws:ebs/volume:Volume novadrive-state");
  });

  it("still opens and closes console and warehouse by network when the stack is protected", async () => {
    await project.stack.removeConfig("novadrive:warehouseCidrs[0]", true);
    await project.stack.setConfig("novadrive:uiCidrs[0]", { value: "198.51.100.0/24" }, true);
    const { operations } = await up(project.stack);
    expect(operations).toEqual({
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule novadrive-ui-198.51.100.0-24": "create",
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule novadrive-ui-203.0.113.7-32": "delete",
      "snowflake:index/networkPolicy:NetworkPolicy novadrive-runtime": "update",
    });
    // The address of the box alone is left, which is not where the test is.
    await expect(openRuntime().then((warehouse) => warehouse.prepare(manifest()))).rejects.toThrow(
      /network policy of Snowflake/,
    );
  });

  it("does not let go of a protected stack, tables least of all", async () => {
    await expect(project.stack.destroy()).rejects.toThrow(/protected/);
    expect(await tablesThere()).toHaveLength(manifest().tables.length);
    expect(await rowsOf("ESTADOS")).toBe(2);
    const left = (await storedResources(project.stack)).map((resource) => resource.type);
    expect(left.filter((type) => type === "snowflake:index/table:Table")).toHaveLength(manifest().tables.length);
    expect(left).toContain("aws:ec2/instance:Instance");
  });

  it("is refused by npm run destroy before the engine is called, until both steps of unprotecting it are done", async () => {
    const before = await storedResources(project.stack);
    for (const flags of [["--yes"], ["--yes", "--skip-preview"]]) {
      const refused = await runScript(project, ["destroy", ...flags]);
      expect(refused.status).toBe(1);
      expect(refused.stdout).toBe("");
      expect(refused.stderr).toMatch(/^This stack is of kind prod, which is not destroyed/);
    }
    await project.stack.setConfig("novadrive:kind", { value: "dev" });
    const halfWay = await runScript(project, ["destroy", "--yes", "--skip-preview"]);
    expect(halfWay.status).toBe(1);
    expect(halfWay.stderr).toMatch(
      /^This stack is configured as kind dev, but \d+ of its resources are still protected/,
    );
    expect(await storedResources(project.stack)).toEqual(before);
  });

  it("leaves nothing behind when it is destroyed on purpose", async () => {
    await up(project.stack);
    const { status, stderr } = await runScript(project, ["destroy", "--yes", "--skip-preview"]);
    expect(status, stderr).toBe(0);
    expect(await storedResources(project.stack)).toEqual([]);
    expect(cloud.objects()).toEqual([]);
    expect(server.database).toBe("SOMEBODY_ELSES");
    const left = async (kind: string) => namesOf(await admin.run(`SHOW ${kind}`));
    expect(await left("WAREHOUSES")).toEqual(["SOMEBODY_ELSES_WH"]);
    expect(await left("ROLES")).toEqual(["NOVADRIVE_DEPLOYER"]);
    expect(await left("USERS")).toEqual(["NOVADRIVE_DEPLOYER"]);
    expect(await left("NETWORK POLICIES")).toEqual([]);
  });
});
