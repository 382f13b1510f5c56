/** The program with other settings than the development stack's. */
import { beforeAll, expect, it } from "vitest";
import { NEVER_PROTECTED } from "../../infra/stack-kind.ts";
import { runWithMocks, type MockedProgram } from "../support/pulumi/mocked-program.ts";

const KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";

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
  };
  program = await runWithMocks(configuration, { stack: "prod", secretKeys: ["snowflake:privateKey"] });
});

it("protects everything but what it says, with the reason, that it does not", () => {
  const own = program.resources.filter(({ type }) => /^(aws|snowflake|novadrive):/.test(type));
  expect(own.length).toBeGreaterThan(50);
  const unprotected = own.filter(({ protect }) => !protect);
  for (const { type } of unprotected) expect(Object.keys(NEVER_PROTECTED)).toContain(type);
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
  const { inputs } = program.only("pulumi:providers:snowflake");
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
