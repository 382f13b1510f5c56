/** The policies for who deploys and who operates, against what the program makes. Whether AWS asks for more, only AWS can tell. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { matchesGlob } from "node:path/posix";
import { isDeepStrictEqual } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { devConfiguration, runWithMocks, type MockedProgram } from "../support/pulumi/mocked-program.ts";

interface Statement {
  readonly Sid: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, unknown>>;
}

const read = (name: string) => readFileSync(join(import.meta.dirname, "../../infra/aws", name), "utf8");
const policy = JSON.parse(read("deployer-policy.json")) as { readonly Statement: readonly Statement[] };
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
    ["ReleaseDocument", "aws:ssm/document:Document", `arn:aws:ssm:${account}:document/`],
  ];
  for (const [sid, type, prefix] of expected) {
    expect(named(type).length).toBeGreaterThan(0);
    for (const name of named(type)) expect(covered(sid, `${prefix}${name}`), `${sid} ${name}`).toBe(true);
  }
});

/** Statements that reach what does not bear the program's name, and are not held to its tag: each with the reason why. */
const FREE: Readonly<Record<string, string>> = {
  LookUp:
    "Only looks. What is gone has no tag: asked for one, AWS would say denied, and a refresh could not see that it is gone.",
  FindUbuntu: "Only reads, and only the parameters in which Canonical publishes its images for everybody.",
  MakeBox: "Makes what is not there yet, and so has no tag; the image, the subnet and the network are others'.",
  MakeParts:
    "What comes into being has no tag yet, nor has a box's network interface. The address, the security group and the volume need one: ChangeBox.",
  TagWhatIsMade:
    "Only in the call that makes the thing. What is there already takes tags only where it has ours: ChangeBox.",
  AlarmsRestartBox: "The one role that AWS itself makes in the account for alarms that restart boxes.",
  EndSubscription:
    "SNS knows no resource for it (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html).",
  MakeRelease:
    "Tags what it makes as the program's own. What has another project's tag keeps it; without one AWS cannot tell it from a new one.",
};

const tagged = { "aws:ResourceTag/Project": "novadrive" };
const hasTag = ({ Condition }: Statement) => isDeepStrictEqual(Condition?.["StringEquals"], tagged);
const ownName = (resource: string) => /[:/]novadrive[-/]/.test(resource);
const bySid = (sid: string) => policy.Statement.find(({ Sid }) => Sid === sid);

it("reaches what others made in no service where AWS can tell: by name, or by the tag that the program gives everything", () => {
  const free = policy.Statement.filter((one) => !list(one.Resource).every(ownName) && !hasTag(one));
  expect(free.map(({ Sid }) => Sid).toSorted()).toEqual(Object.keys(FREE).toSorted());
  for (const reason of Object.values(FREE)) expect(reason).toMatch(/^.{40,}\.$/s);
  const tags = JSON.parse(String(program.only("pulumi:providers:aws").inputs["defaultTags"])) as { tags: object };
  expect(tags.tags).toMatchObject({ Project: "novadrive" });
  const destructive = /:(Delete|Terminate|Stop|Start|Modify|Update|Detach|Revoke|Release|Send|Remove|Put|Replace|Pass)/;
  for (const action of free.flatMap(({ Action }) => list(Action))) expect(action).not.toMatch(destructive);
});

it("makes and changes a part of what is there only where the whole has the tag", () => {
  const parts = bySid("MakeParts");
  expect(list(bySid("ChangeBox")?.Action ?? [])).toEqual(expect.arrayContaining([...list(parts?.Action ?? [])]));
  for (const resource of list(parts?.Resource ?? [])) {
    expect(resource).toMatch(/:(network-interface|security-group-rule|snapshot)\/\*$/);
  }
});

it("gives nothing in EC2 a tag but what it makes in the same call, and what has the tag", () => {
  const tagging = policy.Statement.filter(({ Action }) => list(Action).includes("ec2:CreateTags"));
  expect(tagging.map(({ Sid }) => Sid)).toEqual(["TagWhatIsMade", "ChangeBox"]);
  const made = list(bySid("MakeBox")?.Action ?? []);
  const parts = list(bySid("MakeParts")?.Action ?? []).filter((action) => !action.endsWith("sociateAddress"));
  expect(tagging[0]?.Condition).toEqual({
    StringEquals: { "ec2:CreateAction": [...made, ...parts].map((action) => action.replace("ec2:", "")) },
  });
});

it("runs scripts by associations that have its tag, of documents that have its name", () => {
  const association = (action: string) => action.startsWith("ssm:") && action.endsWith("Association");
  const running = policy.Statement.filter(({ Action }) => list(Action).some(association));
  const where = running.filter(({ Sid }) => Sid !== "LookUp").map((one) => [list(one.Resource).join(), one.Condition]);
  expect(where).toEqual([
    ["arn:aws:ssm:*:*:document/novadrive-*", undefined],
    [
      "arn:aws:ssm:*:*:association/*",
      { StringEquals: { "aws:RequestTag/Project": "novadrive" }, StringEqualsIfExists: tagged },
    ],
    ["arn:aws:ec2:*:*:instance/*", { StringEquals: tagged }],
    ["arn:aws:ssm:*:*:association/*", { StringEquals: tagged }],
  ]);
  expect(JSON.stringify(policy)).not.toMatch(/ssm:(SendCommand|StartSession|StartAutomationExecution)/);
});

it("has actions for no service that the program does not use", () => {
  const used = ["cloudwatch", "ec2", "iam", "logs", "s3", "secretsmanager", "sns", "ssm", "sts"];
  const allowed = policy.Statement.flatMap(({ Action }) => list(Action).map((action) => action.split(":")[0]));
  expect(new Set(allowed)).toEqual(new Set(used));
});

it("lets operators into boxes with the tag alone, and end their own sessions as users and as roles", () => {
  const operator = JSON.parse(read("operator-policy.json")) as typeof policy;
  const reach = operator.Statement.filter(({ Resource }) => list(Resource).some((one) => one.includes(":instance/")));
  expect(reach).toMatchObject([{ Condition: { StringEquals: { "ssm:resourceTag/Project": "novadrive" } } }]);
  // The session of a role is named for the role's id and session, that of a user for the user.
  expect(operator.Statement.find(({ Sid }) => Sid === "OwnSessions")?.Resource).toEqual([
    "arn:aws:ssm:*:*:session/${aws:userid}-*",
    "arn:aws:ssm:*:*:session/${aws:username}-*",
  ]);
});
