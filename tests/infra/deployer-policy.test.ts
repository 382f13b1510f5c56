/** The policy for who deploys, against what the program makes. Whether AWS asks for more, only AWS can tell. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { matchesGlob } from "node:path/posix";
import { beforeAll, expect, it } from "vitest";
import { devConfiguration, runWithMocks, type MockedProgram } from "../support/pulumi/mocked-program.ts";

interface Statement {
  readonly Sid: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, unknown>>;
}

const text = readFileSync(join(import.meta.dirname, "../../infra/aws/deployer-policy.json"), "utf8");
const policy = JSON.parse(text) as { readonly Statement: readonly Statement[] };
const list = (value: string | readonly string[]) => (typeof value === "string" ? [value] : value);

let program: MockedProgram;

beforeAll(async () => {
  const account = {
    "snowflake:organizationName": "ACME",
    "snowflake:accountName": "MAIN",
    "snowflake:user": "DEPLOYER",
    "novadrive:alertEmail": "data@example.com",
  };
  program = await runWithMocks({ ...devConfiguration(), ...account });
});

it("fits into a managed policy of 6144 characters", () => {
  expect(JSON.stringify(policy).length).toBeLessThan(6144);
});

it("has actions for every service that the program uses", () => {
  const prefixes: Readonly<Record<string, string>> = { ebs: "ec2", vpc: "ec2" };
  const services = program.resources
    .filter(({ type }) => type.startsWith("aws:"))
    .map(({ type }) => type.slice("aws:".length, type.indexOf("/")));
  const allowed = new Set(policy.Statement.flatMap(({ Action }) => list(Action).map((action) => action.split(":")[0])));
  for (const service of services) {
    const own = service === "cloudwatch" ? ["cloudwatch", "logs"] : [prefixes[service] ?? service];
    for (const prefix of own) expect(allowed).toContain(prefix);
  }
});

it("covers the names that the program gives, and those that the provider makes of the program's", () => {
  const resourceOf = (sid: string) =>
    policy.Statement.filter(({ Sid }) => Sid === sid).flatMap((one) => list(one.Resource));
  // The glob of Node.js stops at slashes, where the one of IAM does not.
  const covered = (sid: string, arn: string) =>
    resourceOf(sid).some((pattern) => matchesGlob(arn.replaceAll("/", "|"), pattern.replaceAll("/", "|")));
  const named = (type: string) =>
    program
      .all(type)
      .map(({ name, inputs }) => (typeof inputs["name"] === "string" ? inputs["name"] : `${name}-0a1b2c3`));
  const account = "sa-east-1:123456789012";
  const expected: readonly (readonly [string, string, string])[] = [
    ["Secrets", "aws:secretsmanager/secret:Secret", `arn:aws:secretsmanager:${account}:secret:`],
    ["Logs", "aws:cloudwatch/logGroup:LogGroup", `arn:aws:logs:${account}:log-group:`],
    ["Alarms", "aws:cloudwatch/metricAlarm:MetricAlarm", `arn:aws:cloudwatch:${account}:alarm:`],
    ["AlarmTopic", "aws:sns/topic:Topic", `arn:aws:sns:${account}:`],
    ["BoxRole", "aws:iam/role:Role", "arn:aws:iam::123456789012:role/"],
    ["BoxRole", "aws:iam/instanceProfile:InstanceProfile", "arn:aws:iam::123456789012:instance-profile/"],
    ["Releases", "aws:s3/bucket:Bucket", "arn:aws:s3:::"],
  ];
  for (const [sid, type, prefix] of expected) {
    expect(named(type).length).toBeGreaterThan(0);
    for (const name of named(type)) expect(covered(sid, `${prefix}${name}`), `${sid} ${name}`).toBe(true);
  }
});

it("changes what others made in no service where AWS can tell: by name, or by the tag that the program gives everything", () => {
  const everything = policy.Statement.filter(({ Resource }) => list(Resource).includes("*"));
  expect(everything.filter(({ Condition }) => Condition === undefined).map(({ Sid }) => Sid)).toEqual([
    "LookUp",
    "MakeBox",
  ]);
  const tags = JSON.parse(String(program.only("pulumi:providers:aws").inputs["defaultTags"])) as { tags: object };
  expect(tags.tags).toMatchObject({ Project: "novadrive" });
  const destructive = /:(Delete|Terminate|Stop|Modify|Detach|Revoke|Release)/;
  const free = everything.filter(({ Condition }) => Condition === undefined).flatMap(({ Action }) => list(Action));
  for (const action of free) expect(action).not.toMatch(destructive);
});
