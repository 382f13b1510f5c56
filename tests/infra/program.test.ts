/** The program with the development stack's own file: the real inputs of every resource. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readFileSync } from "node:fs";
import { devConfiguration, runWithMocks, type MockedProgram } from "../support/pulumi/mocked-program.ts";

const ACCOUNT = {
  "snowflake:organizationName": "ACME",
  "snowflake:accountName": "MAIN",
  "snowflake:user": "DEPLOYER",
};

interface ManifestEntry {
  readonly name: string;
  readonly description?: string;
  readonly config: { readonly meta: { readonly primary_key: readonly string[] } };
  readonly columns: readonly {
    readonly name: string;
    readonly description?: string;
    readonly data_type: string;
    readonly constraints?: readonly { readonly type: string }[];
  }[];
}

/** The manifest as text, read without the code under test. */
function manifestEntries(): readonly ManifestEntry[] {
  const file = readFileSync(join(import.meta.dirname, "../../sql/models/manifest.yml"), "utf8");
  return (parse(file) as { sources: { tables: ManifestEntry[] }[] }).sources.flatMap((source) => source.tables);
}

const EXACT_TYPES: Readonly<Record<string, string>> = {
  integer: "NUMBER(38,0)",
  text: "VARCHAR(16777216)",
  timestamp_ltz: "TIMESTAMP_LTZ(9)",
  "char(2)": "VARCHAR(2)",
  "varchar(100)": "VARCHAR(100)",
  "varchar(255)": "VARCHAR(255)",
  "decimal(10,2)": "NUMBER(10,2)",
};

let program: MockedProgram;

beforeAll(async () => {
  const cidrs = JSON.stringify(["203.0.113.7/32", "2001:db8::/32"]);
  program = await runWithMocks({ ...devConfiguration(), ...ACCOUNT, "novadrive:uiCidrs": cidrs });
});

describe("stage tables", () => {
  it.each(manifestEntries())("$name has every column of the manifest, in its order, exactly", (entry) => {
    const { inputs } = program.only("snowflake:index/table:Table", `novadrive-${entry.name.toUpperCase()}`);
    expect(inputs["database"]).toBe("NOVADRIVE");
    expect(inputs["schema"]).toBe("STAGE");
    expect(inputs["name"]).toBe(entry.name.toUpperCase());
    expect(inputs["comment"]).toBe(entry.description);
    expect(inputs["columns"]).toEqual([
      {
        name: "_SYNCED_AT",
        type: "TIMESTAMP_LTZ(9)",
        nullable: false,
        comment: "Snapshot time of the batch that last wrote the row.",
      },
      { name: "_BATCH_ID", type: "NUMBER(38,0)", nullable: false, comment: "Batch that last wrote the row." },
      ...entry.columns.map((column) => ({
        name: column.name.toUpperCase(),
        type: EXACT_TYPES[column.data_type],
        nullable: !column.constraints?.some((constraint) => constraint.type === "not_null"),
        comment: column.description,
      })),
    ]);
  });

  it("are those of the manifest and no others", () => {
    const names = program.all("snowflake:index/table:Table").map((table) => String(table.inputs["name"]));
    expect(names.toSorted()).toEqual(
      manifestEntries()
        .map((entry) => entry.name.toUpperCase())
        .toSorted(),
    );
  });

  it("are switched on in the provider, which gets the account from the stack's configuration", () => {
    const { inputs } = program.only("pulumi:providers:snowflake");
    expect(JSON.parse(String(inputs["previewFeaturesEnabled"]))).toEqual(["snowflake_table_resource"]);
    expect(inputs).toMatchObject({
      organizationName: "ACME",
      accountName: "MAIN",
      user: "DEPLOYER",
      role: "NOVADRIVE_DEPLOYER",
    });
    expect(inputs).not.toHaveProperty("password");
  });
});

describe("Snowflake", () => {
  it("has a small warehouse that stops by itself and stops what runs too long", () => {
    expect(program.only("snowflake:index/warehouse:Warehouse").inputs).toMatchObject({
      name: "DEFAULT_WH",
      warehouseSize: "XSMALL",
      autoSuspend: 60,
      autoResume: "true",
      initiallySuspended: true,
      statementTimeoutInSeconds: 3600,
    });
  });

  it("has the database and its three schemas", () => {
    expect(program.only("snowflake:index/database:Database").inputs).toMatchObject({ name: "NOVADRIVE" });
    const schemas = program.all("snowflake:index/schema:Schema");
    expect(schemas.map((schema) => schema.inputs["name"])).toEqual(["STAGE", "ANALYTICS", "PIPELINE"]);
    for (const schema of schemas) expect(schema.inputs["database"]).toBe("NOVADRIVE");
  });

  it("gets no name that Snowflake would have to quote", () => {
    const keys = ["name", "accountRoleName", "roleName", "parentRoleName", "userName", "networkPolicy", "defaultRole"];
    const names = program.resources
      .filter((resource) => resource.type.startsWith("snowflake:"))
      .flatMap(({ inputs }) => keys.flatMap((key) => inputs[key] ?? []));
    expect(names.length).toBeGreaterThan(40);
    for (const name of names) expect(name).toMatch(/^[A-Z_][A-Z0-9_]*$/);
  });

  it("makes each stage table after the grants that it shall have", () => {
    const futures = program.resources.filter(({ name }) => name.endsWith("-future-tables-STAGE"));
    expect(futures).toHaveLength(2);
    for (const { dependencies } of program.all("snowflake:index/table:Table")) {
      for (const { name } of futures) {
        expect(dependencies).toContainEqual(
          expect.stringMatching(new RegExp(`:GrantPrivilegesToAccountRole::${name}$`)),
        );
      }
    }
  });

  it("lets the box in by its own role, from its own address, and as nobody else", () => {
    const user = program.only("snowflake:index/serviceUser:ServiceUser").inputs;
    expect(user).toMatchObject({ name: "NOVADRIVE_RUNTIME", networkPolicy: "NOVADRIVE_RUNTIME" });
    for (const key of ["rsaPublicKey", "password"]) expect(user).not.toHaveProperty(key);
    expect(program.only("snowflake:index/networkPolicy:NetworkPolicy").inputs["allowedIpLists"]).toEqual([
      "203.0.113.10",
    ]);
    expect(program.only("snowflake:index/execute:Execute").inputs["execute"]).toMatch(
      /^ALTER USER "NOVADRIVE_RUNTIME" SET WORKLOAD_IDENTITY = \(TYPE = AWS ARN = 'arn:aws:iam::.*role\/novadrive-host-.*'\)$/,
    );
  });

  it("takes no more of the deployer than deployer.sql grants", () => {
    // What is made within what the deployer owns needs no privilege on the account.
    const within = ["Schema", "Table", "GrantAccountRole", "GrantPrivilegesToAccountRole", "Execute"];
    const privileges: Readonly<Record<string, string>> = {
      Database: "CREATE DATABASE",
      Warehouse: "CREATE WAREHOUSE",
      AccountRole: "CREATE ROLE",
      ServiceUser: "CREATE USER",
      NetworkPolicy: "CREATE NETWORK POLICY",
    };
    const types = program.resources.flatMap(({ type }) => /^snowflake:.*:(\w+)$/.exec(type)?.[1] ?? []);
    const needed = [...new Set(types)].filter((type) => !within.includes(type)).map((type) => privileges[type]);
    const sql = readFileSync(join(import.meta.dirname, "../../infra/snowflake/deployer.sql"), "utf8");
    const granted = /^GRANT ([A-Z, ]+)\s+ON ACCOUNT TO ROLE/m.exec(sql)?.[1]?.trim().split(", ");
    expect(new Set(granted)).toEqual(new Set(needed));
  });

  it("has no quota, which would take ACCOUNTADMIN, unless one is set", () => {
    expect(program.all("snowflake:index/resourceMonitor:ResourceMonitor")).toEqual([]);
  });
});

describe("the box", () => {
  it("is the newest Ubuntu at creation, with a locked metadata service and an encrypted disk", () => {
    const instance = program.only("aws:ec2/instance:Instance");
    expect(instance.inputs).toMatchObject({
      ami: "ami-0amd64",
      instanceType: "t2.large",
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { encrypted: true, volumeType: "gp3", volumeSize: 30 },
      vpcSecurityGroupIds: ["novadrive-host-id"],
      tags: { Name: "novadrive-dev" },
    });
    expect(instance.ignoreChanges).toEqual(["ami", "userData"]);
    expect(instance.inputs).not.toHaveProperty("keyName");
    const name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id";
    expect(program.calls).toContainEqual({
      token: "aws:ssm/getParameter:getParameter",
      inputs: { name, withDecryption: false },
      provider: expect.any(String),
    });
  });

  it("lets one rule per configured network in, to the console's port alone", () => {
    const rules = program.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule");
    const port = { ipProtocol: "tcp", fromPort: 8080, toPort: 8080, securityGroupId: "novadrive-host-id" };
    expect(rules.map((rule) => rule.inputs)).toEqual([
      { ...port, cidrIpv4: "203.0.113.7/32", description: "Console from 203.0.113.7/32" },
      { ...port, cidrIpv6: "2001:db8::/32", description: "Console from 2001:db8::/32" },
    ]);
  });

  it("may reach TLS, package mirrors and PostgreSQL, and nothing else", () => {
    const rules = program.all("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule");
    expect(rules.map(({ inputs }) => [inputs["ipProtocol"], inputs["fromPort"], inputs["toPort"]])).toEqual([
      ["tcp", 443, 443],
      ["tcp", 80, 80],
      ["tcp", 5432, 5432],
    ]);
  });

  it("has no rule outside those resources", () => {
    const { inputs } = program.only("aws:ec2/securityGroup:SecurityGroup");
    expect(inputs).not.toHaveProperty("ingress");
    expect(inputs).not.toHaveProperty("egress");
  });

  it("describes rules in characters that EC2 takes", () => {
    const described = program.resources.filter((resource) => /securityGroup/i.test(resource.type));
    expect(described).toHaveLength(6);
    for (const { inputs } of described) expect(inputs["description"]).toMatch(/^[\w .:/()#,@[\]+=&;{}!$*-]{1,255}$/);
  });

  it("has a role that only EC2 can take, and Session Manager's policy", () => {
    const role = program.only("aws:iam/role:Role");
    const policy: unknown = JSON.parse(String(role.inputs["assumeRolePolicy"]));
    expect(policy).toEqual({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "ec2.amazonaws.com" } }],
    });
    const attached = program.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment");
    expect(attached.map(({ inputs }) => inputs["policyArn"])).toEqual([
      "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
    ]);
  });

  it("gets that role through its instance profile", () => {
    const role = program.only("aws:iam/instanceProfile:InstanceProfile").inputs["role"];
    expect(role).toMatch(/^novadrive-host-[0-9a-f]{7}$/);
    expect(program.only("aws:ec2/instance:Instance").inputs["iamInstanceProfile"]).toMatch(/^novadrive-host-/);
  });
});

describe("the release", () => {
  const releaseText = (): string => {
    const { content } = program.only("aws:ssm/document:Document").inputs;
    const document = JSON.parse(String(content)) as { mainSteps: [{ inputs: { runCommand: string[] } }] };
    return document.mainSteps[0].inputs.runCommand.join("\n");
  };

  it("is the bundle of this very code, and waits until it runs", () => {
    const { inputs } = program.only("aws:ssm/association:Association");
    const hash = (inputs["parameters"] as Record<string, string>)["BundleHash"];
    expect(program.only("aws:s3/bucketObjectv2:BucketObjectv2").inputs).toMatchObject({
      bucket: "novadrive-artifacts-id",
      key: `releases/${hash}.tar.gz`,
    });
    expect(inputs).toMatchObject({
      targets: [{ key: "InstanceIds", values: ["novadrive-host-id"] }],
      waitForSuccessTimeoutSeconds: 1500,
    });
  });

  it("brings the settings of the stack, and of its secrets only where they are", () => {
    const secret = "aws-secretsmanager:arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/dev";
    const expected = {
      NOVADRIVE_SOURCE_URL: `${secret}/source-url-AbCdEf`,
      NOVADRIVE_UI_PASSWORD_HASH: `${secret}/ui-password-hash-AbCdEf`,
      NOVADRIVE_WAREHOUSE_URL: "snowflake://acme-main/NOVADRIVE?warehouse=DEFAULT_WH&role=NOVADRIVE_RUNTIME",
      NOVADRIVE_SCHEDULE: "0 3 * * *",
      NOVADRIVE_TIMEZONE: "UTC",
      NOVADRIVE_HOST: "0.0.0.0",
      NOVADRIVE_PORT: "8080",
      NOVADRIVE_UI_TLS_CERT: "/var/lib/novadrive/tls/certificate.pem",
      NOVADRIVE_LOG_GROUP: "/novadrive/dev",
      NOVADRIVE_METRIC_NAMESPACE: "NovaDrive/dev",
      AWS_REGION: "sa-east-1",
    };
    for (const [name, value] of Object.entries(expected)) expect(releaseText()).toContain(`${name}="${value}"`);
  });

  it("comes when what it needs is there, its tables as the manifest has them now, and the alarms behind it", () => {
    const { dependencies } = program.only("aws:ssm/association:Association");
    const needed = ["Instance", "VolumeAttachment", "EipAssociation", "BucketObjectv2", "ServiceUser", "RolePolicy"];
    for (const type of needed) expect(dependencies.join("\n")).toContain(`:${type}::`);
    const tables = dependencies.filter((urn) => urn.includes("snowflake:index/table:Table::"));
    expect(tables).toHaveLength(program.all("snowflake:index/table:Table").length);
    for (const alarm of program.all("aws:cloudwatch/metricAlarm:MetricAlarm")) {
      expect(alarm.dependencies.join("\n")).toContain("aws:ssm/association:Association::");
    }
  });

  it("prepares a new box for its disk, with nothing of a release", () => {
    const { userData } = program.only("aws:ec2/instance:Instance").inputs;
    expect(userData).toMatch(/^#cloud-config\n/);
    expect(userData).toMatch(/VOLUME_ID="vol-[0-9a-f]+"/);
    expect(userData).not.toContain("NOVADRIVE_SOURCE_URL");
  });
});

describe("the stack", () => {
  it("parents every resource to a component, and components and providers to the stack", () => {
    const roots = program.resources.filter(({ type }) => /^(novadrive|pulumi:providers):/.test(type));
    expect(roots.map(({ type }) => type).toSorted()).toEqual([
      "novadrive:aws:Artifact",
      "novadrive:aws:ArtifactBucket",
      "novadrive:aws:Host",
      "novadrive:aws:HostAddress",
      "novadrive:aws:HostAlarms",
      "novadrive:aws:HostNetwork",
      "novadrive:aws:HostRole",
      "novadrive:aws:Observability",
      "novadrive:aws:Release",
      "novadrive:aws:Secrets",
      "novadrive:aws:StateVolume",
      "novadrive:snowflake:RuntimeUser",
      "novadrive:snowflake:StageTables",
      "novadrive:snowflake:WarehouseAccess",
      "novadrive:snowflake:WarehouseDatabase",
      "pulumi:providers:aws",
      "pulumi:providers:snowflake",
    ]);
    // Mocks have no stack, so what belongs to it has no parent here.
    for (const { parent } of roots) expect(parent).toBe("");
    const others = program.resources.filter((one) => !roots.includes(one) && one.type !== "pulumi:pulumi:Stack");
    expect(others.length).toBeGreaterThan(20);
    for (const { parent } of others) expect(parent).toMatch(/novadrive:(aws|snowflake):\w+::novadrive$/);
  });

  it("uses its own two providers for everything, so that none falls back to another account or region", () => {
    const custom = program.resources.filter(({ type }) => /^(aws|snowflake):/.test(type));
    for (const { type, provider } of custom) {
      expect(provider).toContain(`pulumi:providers:${type.split(":")[0]}::`);
    }
    for (const { provider } of program.calls) expect(provider).toContain("pulumi:providers:aws::");
  });

  it("tags what it makes in AWS", () => {
    const { inputs } = program.only("pulumi:providers:aws");
    expect(inputs["region"]).toBe("sa-east-1");
    expect(JSON.parse(String(inputs["defaultTags"]))).toEqual({
      tags: { Project: "novadrive", Stack: "dev", ManagedBy: "pulumi" },
    });
  });

  it("protects nothing in development", () => {
    expect(program.resources.filter((resource) => resource.protect)).toEqual([]);
  });

  it("puts out how to reach what it made", () => {
    expect(program.outputs).toEqual({
      uiAddress: "https://203.0.113.10:8080",
      hostAddress: "203.0.113.10",
      logGroup: "/novadrive/dev",
      logCommand: "aws logs tail /novadrive/dev --region sa-east-1 --follow",
      alarmTopic: expect.stringMatching(/^arn:aws:sns:sa-east-1:/),
      secretsToSet: [
        "aws secretsmanager put-secret-value --region sa-east-1 --secret-id novadrive/dev/source-url --secret-string file:///dev/stdin",
        "aws secretsmanager put-secret-value --region sa-east-1 --secret-id novadrive/dev/ui-password-hash --secret-string file:///dev/stdin",
      ],
      instanceId: "novadrive-host-id",
      sessionCommand: "aws ssm start-session --region sa-east-1 --target novadrive-host-id",
      uiTunnel:
        "aws ssm start-session --region sa-east-1 --target novadrive-host-id --document-name AWS-StartPortForwardingSession " +
        `--parameters '{"portNumber":["8080"],"localPortNumber":["8080"]}'`,
      snowflakeDatabase: "NOVADRIVE",
      snowflakeWarehouse: "DEFAULT_WH",
      snowflakeSchemas: ["STAGE", "ANALYTICS", "PIPELINE"],
      snowflakeRoles: {
        LOADER: "NOVADRIVE_LOADER",
        TRANSFORMER: "NOVADRIVE_TRANSFORMER",
        READER: "NOVADRIVE_READER",
        RUNTIME: "NOVADRIVE_RUNTIME",
      },
      snowflakeUser: "NOVADRIVE_RUNTIME",
      snowflakeUrl: "snowflake://acme-main/NOVADRIVE?warehouse=DEFAULT_WH&role=NOVADRIVE_RUNTIME",
      snowflakeTables: manifestEntries().map((entry) => `NOVADRIVE.STAGE.${entry.name.toUpperCase()}`),
    });
  });
});
