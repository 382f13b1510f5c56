/** The program under the real engine: created, left alone, grown by a column, protected, destroyed. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Changes, findPulumi, openProject, type EngineProject } from "../support/pulumi/engine.ts";

const pulumi = findPulumi();
if ("missing" in pulumi) console.warn(`SKIPPED: the infrastructure program was not run. ${pulumi.missing}`);

interface StoredResource {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  readonly protect?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

const ACCOUNT = {
  SNOWFLAKE_ORGANIZATION_NAME: "ACME",
  SNOWFLAKE_ACCOUNT_NAME: "MAIN",
  SNOWFLAKE_USER: "DEPLOYER",
};

async function storedResources(stack: Stack): Promise<readonly StoredResource[]> {
  const { deployment } = (await stack.exportStack()) as { deployment: { resources?: StoredResource[] } };
  return deployment.resources ?? [];
}

/** As `npm run <command>` does. */
function runScript({ folder, stack }: EngineProject, args: readonly string[]) {
  return spawnSync(process.execPath, [join(folder, "infra/pulumi.ts"), ...args, "--stack", stack.name], {
    cwd: folder,
    encoding: "utf8",
    env: { ...stack.workspace.envVars, PULUMI_HOME: stack.workspace.pulumiHome },
  });
}

async function up(stack: Stack): Promise<{ operations: Readonly<Record<string, string>>; outputs: unknown }> {
  const changes = new Changes();
  const { outputs } = await stack.up({ onEvent: changes.record });
  const values = Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value as unknown]));
  return { operations: changes.operations, outputs: values };
}

describe.skipIf("missing" in pulumi)("the infrastructure program", () => {
  let project: EngineProject;

  beforeAll(async () => {
    if ("path" in pulumi) project = await openProject(pulumi.path, ACCOUNT);
  });

  afterAll(() => project[Symbol.dispose]());

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
    const { status, stdout, stderr } = runScript(project, ["preview"]);
    await project.stack.removeAllConfig(Object.keys(wrong));
    expect(status).not.toBe(0);
    for (const key of Object.keys(wrong)) {
      expect(stdout + stderr).toMatch(new RegExp(`- ${key} must be .* \\(it is \\w+\\): pulumi config set `));
    }
  });

  it("goes on where an update has failed half-way", async () => {
    const { workspace } = project.stack;
    const usual = { ...workspace.envVars };
    workspace.envVars = { ...usual, STAND_IN_REFUSES: "aws:ec2/instance:Instance" };
    await expect(project.stack.up()).rejects.toThrow(/told to refuse this/);
    workspace.envVars = usual;
    const made = (await storedResources(project.stack)).map(({ type }) => type);
    expect(made).toContain("aws:ebs/volume:Volume");
    expect(made).not.toContain("aws:ec2/instance:Instance");
  });

  it("creates everything", async () => {
    await project.stack.setConfig("novadrive:uiCidrs[0]", { value: "203.0.113.7/32" }, true);
    const { operations, outputs } = await up(project.stack);
    expect(new Set(Object.values(operations))).toEqual(new Set(["create"]));
    expect(operations).toHaveProperty(["aws:ec2/instance:Instance novadrive-host"]);
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
  });

  it("changes nothing the second time", async () => {
    expect((await up(project.stack)).operations).toEqual({});
  });

  it("adds a column of the manifest to its table in place, and is content with that afterwards", async () => {
    editFile("sql/models/manifest.yml", (text) =>
      text.replace(/(- name: estados\n[\s\S]*?data_atualizacao\n[\s\S]*?data_type: timestamp_ltz\n)/, (entry) => {
        const column = ["          - name: regiao", "            data_type: varchar(20)", ""];
        return `${entry}${column.join("\n")}`;
      }),
    );
    expect((await up(project.stack)).operations).toEqual({
      "snowflake:index/table:Table novadrive-ESTADOS": "update",
    });
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
    // Snowflake puts the new column behind all others; were the program's order another, this would never end.
    expect((await up(project.stack)).operations).toEqual({});
  });

  it("replaces the box without its disk, its address or anything else that is not fastened to it", async () => {
    await project.stack.setConfig("novadrive:keyName", { value: "operators" });
    const { operations } = await up(project.stack);
    // Deleted before their replacements: volume and address can be fastened to one box at a time.
    expect(operations).toEqual({
      "aws:ec2/instance:Instance novadrive-host": "create-replacement",
      "aws:ec2/volumeAttachment:VolumeAttachment novadrive-state": "create-replacement",
      "aws:ec2/eipAssociation:EipAssociation novadrive-host": "create-replacement",
    });
  });

  it("makes a protected stack of a disposable one without replacing anything", async () => {
    await project.stack.setConfig("novadrive:kind", { value: "prod" });
    const { operations } = await up(project.stack);
    expect(new Set(Object.values(operations))).toEqual(new Set(["update"]));
    expect(Object.keys(operations)).toContain("aws:ec2/instance:Instance novadrive-host");
    expect(Object.keys(operations)).toContain("aws:ebs/volume:Volume novadrive-state");
  });

  it("still opens and closes the console by network when the stack is protected", async () => {
    await project.stack.setConfig("novadrive:uiCidrs[0]", { value: "198.51.100.0/24" }, true);
    const { operations } = await up(project.stack);
    expect(operations).toEqual({
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule novadrive-ui-198.51.100.0-24": "create",
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule novadrive-ui-203.0.113.7-32": "delete",
    });
  });

  it("does not let go of a protected stack, tables least of all", async () => {
    await expect(project.stack.destroy()).rejects.toThrow(/protected/);
    const left = (await storedResources(project.stack)).map((resource) => resource.type);
    expect(left.filter((type) => type === "snowflake:index/table:Table")).toHaveLength(7);
    expect(left).toContain("aws:ec2/instance:Instance");
  });

  it("is refused by npm run destroy before the engine is called, until both steps of unprotecting it are done", async () => {
    const before = await storedResources(project.stack);
    for (const flags of [["--yes"], ["--yes", "--skip-preview"]]) {
      const refused = runScript(project, ["destroy", ...flags]);
      expect(refused.status).toBe(1);
      expect(refused.stdout).toBe("");
      expect(refused.stderr).toMatch(/^This stack is of kind prod, which is not destroyed/);
    }
    await project.stack.setConfig("novadrive:kind", { value: "dev" });
    const halfWay = runScript(project, ["destroy", "--yes", "--skip-preview"]);
    expect(halfWay.status).toBe(1);
    expect(halfWay.stderr).toMatch(
      /^This stack is configured as kind dev, but \d+ of its resources are still protected/,
    );
    expect(await storedResources(project.stack)).toEqual(before);
  });

  it("leaves nothing behind when it is destroyed on purpose", async () => {
    await up(project.stack);
    const { status, stderr } = runScript(project, ["destroy", "--yes", "--skip-preview"]);
    expect(status, stderr).toBe(0);
    expect(await storedResources(project.stack)).toEqual([]);
  });
});
