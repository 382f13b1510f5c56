/** The program with other settings than the development stack's. */
import { generateKeyPairSync } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { NEVER_PROTECTED } from "../../infra/stack-kind.ts";
import { runWithMocks, type MockedProgram } from "../support/pulumi/mocked-program.ts";
import { makeCertificates } from "../support/tls/certificates.ts";

const KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";

const PUBLIC_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .publicKey.export({ format: "pem", type: "spki" })
  .toString();
const SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sales/key-AbCdEf";

const { server: CERTIFICATE } = makeCertificates();

let program: MockedProgram;

beforeAll(async () => {
  const configuration = {
    "aws:region": "us-east-1",
    "aws:profile": "company",
    "snowflake:organizationName": "ACME",
    "snowflake:accountName": "MAIN",
    "snowflake:user": "DEPLOYER",
    "snowflake:privateKey": KEY,
    "novadrive:instanceType": "m7i.large",
    "novadrive:rootVolumeGb": "80",
    "novadrive:subnetId": "subnet-0abc",
    "novadrive:uiPort": "8443",
    "novadrive:sourcePort": "6432",
    "novadrive:sourceCidrs": '["198.51.100.20/32"]',
    "novadrive:database": "SALES",
    "novadrive:warehouse": "LOADER_WH",
    "novadrive:warehouseSize": "SMALL",
    "novadrive:autoSuspendSeconds": "120",
    "novadrive:statementTimeoutSeconds": "900",
    "novadrive:monthlyCreditQuota": "40",
    "novadrive:accessPrefix": "SALES_EU",
    "novadrive:warehouseCidrs": '["198.51.100.4/32"]',
    "novadrive:warehousePublicKey": PUBLIC_KEY,
    "novadrive:warehousePrivateKeySecret": SECRET,
    "novadrive:sourceUrl": "postgres://loader:secret@db.example:5432/shop",
    "novadrive:tlsCertificate": CERTIFICATE,
    "novadrive:schedule": "*/5 * * * *",
    "novadrive:timezone": "America/Sao_Paulo",
  };
  const secretKeys = ["snowflake:privateKey", "novadrive:sourceUrl"];
  program = await runWithMocks(configuration, { stack: "prod", secretKeys });
});

it("protects everything but what it says, with the reason, that it does not", () => {
  const own = program.resources.filter(({ type }) => /^(aws|snowflake|novadrive):/.test(type));
  expect(own.length).toBeGreaterThan(50);
  const unprotected = own.filter(({ protect }) => !protect);
  const said = Object.keys(NEVER_PROTECTED);
  for (const { type, name } of unprotected) expect(said.includes(type) ? type : `${type} ${name}`).toBeOneOf(said);
  // The rules that no setting takes away are protected like the rest.
  const egress = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
  expect(unprotected.filter(({ type }) => type === egress).map(({ name }) => name)).toEqual([
    "novadrive-source-198.51.100.20-32",
  ]);
  for (const reason of Object.values(NEVER_PROTECTED)) expect(reason.length).toBeGreaterThan(20);
});

it("takes the network of the subnet, and the size that was set", () => {
  expect(program.only("aws:ec2/instance:Instance").inputs).toMatchObject({
    ami: "ami-0amd64",
    instanceType: "m7i.large",
    subnetId: "subnet-0abc",
    rootBlockDevice: { encrypted: true, volumeSize: 80 },
    tags: { Name: "novadrive-prod" },
  });
  expect(program.only("aws:ec2/securityGroup:SecurityGroup").inputs["vpcId"]).toBe("vpc-of-subnet-0abc");
});

it("opens no port when no network was named, and says how to reach the console instead", () => {
  expect(program.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")).toEqual([]);
  expect(program.outputs["uiAddress"]).toBe("https://127.0.0.1:8443");
  expect(program.outputs["uiTunnel"]).toContain('{"portNumber":["8443"],"localPortNumber":["8443"]}');
});

it("lets the box reach PostgreSQL only where it was said to be", () => {
  const rules = program.all("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule");
  const source = rules.filter(({ inputs }) => inputs["fromPort"] !== 443 && inputs["fromPort"] !== 80);
  expect(source.map(({ inputs }) => [inputs["fromPort"], inputs["toPort"], inputs["cidrIpv4"]])).toEqual([
    [6432, 6432, "198.51.100.20/32"],
  ]);
});

it("logs in to Snowflake by key when it has one", () => {
  const { inputs } = program.only("pulumi:providers:snowflake", "snowflake");
  // A secret goes to the engine in a wrapper, so that it is stored encrypted.
  expect(inputs).toMatchObject({ authenticator: "SNOWFLAKE_JWT", privateKey: { value: KEY } });
  expect(inputs).not.toHaveProperty("role");
});

it("uses the names and sizes that were set", () => {
  expect(program.only("snowflake:index/database:Database").inputs["name"]).toBe("SALES");
  expect(program.only("snowflake:index/warehouse:Warehouse").inputs).toMatchObject({
    name: "LOADER_WH",
    warehouseSize: "SMALL",
    autoSuspend: 120,
    statementTimeoutInSeconds: 900,
  });
  for (const { inputs } of program.all("snowflake:index/table:Table")) expect(inputs["database"]).toBe("SALES");
});

it("lets the box log in by key pair when it has one, whose private half only its role can read", () => {
  const body = PUBLIC_KEY.split("\n").slice(1, -2).join("");
  const user = program.only("snowflake:index/serviceUser:ServiceUser").inputs;
  expect(user).toMatchObject({ name: "SALES_EU_RUNTIME", rsaPublicKey: body, defaultWarehouse: "LOADER_WH" });
  expect(program.all("snowflake:index/execute:Execute").map(({ name }) => name)).toEqual(["novadrive-quota"]);
  expect(program.outputs["snowflakeUrl"]).toBe(
    `snowflake://acme-main/SALES?warehouse=LOADER_WH&role=SALES_EU_RUNTIME&user=SALES_EU_RUNTIME&private_key=${SECRET}`,
  );
  expect(JSON.stringify(program.only("aws:iam/rolePolicy:RolePolicy").inputs)).toContain(SECRET);
  expect(program.only("snowflake:index/networkPolicy:NetworkPolicy").inputs["allowedIpLists"]).toEqual([
    "203.0.113.10",
    "198.51.100.4/32",
  ]);
});

it("takes ACCOUNTADMIN for the quota and for nothing else", () => {
  const administrator = program.only("pulumi:providers:snowflake", "snowflake-administrator");
  expect(administrator.inputs).toMatchObject({ role: "ACCOUNTADMIN", user: "DEPLOYER" });
  const made = program.resources.filter(({ provider }) => provider.includes("snowflake-administrator"));
  expect(made.map(({ type }) => type).toSorted((one, other) => one.localeCompare(other))).toEqual([
    "snowflake:index/execute:Execute",
    "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole",
    "snowflake:index/resourceMonitor:ResourceMonitor",
  ]);
});

it("names everything that is the account's by the prefix", () => {
  const types = [
    "accountRole:AccountRole",
    "networkPolicy:NetworkPolicy",
    "serviceUser:ServiceUser",
    "resourceMonitor:ResourceMonitor",
  ];
  const names = types.flatMap((type) => program.all(`snowflake:index/${type}`)).map(({ inputs }) => inputs["name"]);
  expect(names).toHaveLength(7);
  for (const name of names) expect(name).toMatch(/^SALES_EU_/);
});

it("tells the box its schedule, its given certificate with the key's place, and when a secret has another value", () => {
  const document = String(program.only("aws:ssm/document:Document").inputs["content"]);
  for (const line of [
    `NOVADRIVE_SCHEDULE="*/5 * * * *"`,
    `NOVADRIVE_TIMEZONE="America/Sao_Paulo"`,
    `NOVADRIVE_UI_TLS_CERT="/etc/novadrive/certificate.pem"`,
    `NOVADRIVE_UI_TLS_KEY="aws-secretsmanager:arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/prod/tls-key-AbCdEf"`,
  ]) {
    expect(document).toContain(JSON.stringify(line).slice(1, -1));
  }
  expect(document).toMatch(/NOVADRIVE_SECRET_VERSIONS=\\"[0-9a-f]{32}\\"/);
  expect(document).toContain(CERTIFICATE.split("\n")[1]);
  expect(document).not.toContain("loader:secret");
});
