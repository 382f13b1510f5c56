/** Every resource that the program makes in AWS, held to the rules that hold for all: closed, encrypted, narrow, tagged. */
import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { METRICS } from "../../infra/aws/alarms.ts";
import { WILDCARDS } from "../../infra/aws/iam.ts";
import { testTls } from "../support/login.ts";
import { runWithMocks, type MockedProgram, type RegisteredResource } from "../support/pulumi/mocked-program.ts";
import { plain } from "../support/pulumi/sdk-types.ts";

const SOURCE_URL = "postgres://loader:hunter2@db.example:5432/shop";

let program: MockedProgram;

beforeAll(async () => {
  // Everything switched on that can be.
  program = await runWithMocks(
    {
      "aws:region": "sa-east-1",
      "snowflake:organizationName": "ACME",
      "snowflake:accountName": "MAIN",
      "snowflake:user": "DEPLOYER",
      "novadrive:uiCidrs": '["203.0.113.7/32"]',
      "novadrive:instanceType": "t3.large",
      "novadrive:keyName": "operators",
      "novadrive:alertEmail": "data@example.com",
      "novadrive:sourceUrl": SOURCE_URL,
      "novadrive:tlsCertificate": testTls().cert,
      "novadrive:tlsKey": testTls().key,
      "novadrive:warehousePublicKey": generateKeyPairSync("rsa", { modulusLength: 2048 })
        .publicKey.export({ type: "spki", format: "pem" })
        .toString(),
    },
    { stack: "all", secretKeys: ["novadrive:sourceUrl", "novadrive:tlsKey"] },
  );
});

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, unknown>>;
}

/** Every statement of every policy, wherever a resource has one. */
function statements(): (Statement & { readonly of: RegisteredResource })[] {
  return program.resources.flatMap((of) =>
    ["policy", "assumeRolePolicy"].flatMap((key) => {
      const text = of.inputs[key];
      if (typeof text !== "string") return [];
      return (JSON.parse(text) as { Statement: Statement[] }).Statement.map((statement) => ({ ...statement, of }));
    }),
  );
}

const list = (value: string | readonly string[] | undefined): readonly string[] =>
  typeof value === "string" ? [value] : (value ?? []);

describe("policies", () => {
  it("are those of the role, the bucket and the topic", () => {
    const withPolicies = new Set(statements().map(({ of }) => `${of.type.split(":").at(-1)}`));
    expect([...withPolicies].toSorted()).toEqual(["BucketPolicy", "Role", "RolePolicy", "TopicPolicy"]);
  });

  it("have no wildcard but those of the table, each of which is there and has its reason", () => {
    const wild = statements().filter(({ Action, Resource, Principal }) =>
      [...list(Action), ...list(Resource), JSON.stringify(Principal ?? "")].some((part) => part.includes("*")),
    );
    expect(wild.map(({ Sid }) => Sid ?? "none").toSorted()).toEqual(Object.keys(WILDCARDS).toSorted());
    for (const reason of Object.values(WILDCARDS)) expect(reason).toMatch(/^.{40,}\.$/);
  });

  it("let nobody do everything", () => {
    const allowed = statements().filter(({ Effect }) => Effect === "Allow");
    for (const { Action, Principal } of allowed) {
      expect(Principal).not.toBe("*");
      expect(JSON.stringify(Action)).not.toContain("*");
    }
  });

  it("hold AWS's services to this account", () => {
    const services = statements().filter(({ Principal }) => JSON.stringify(Principal ?? "").includes("cloudwatch"));
    expect(services).toHaveLength(1);
    for (const { Condition } of services) {
      expect(Condition).toEqual({ StringEquals: { "aws:SourceAccount": "123456789012" } });
    }
  });

  it("name nothing that AWS refuses: statements are told apart by letters and digits", () => {
    for (const { Sid } of statements()) expect(Sid ?? "X").toMatch(/^[A-Za-z0-9]+$/);
  });
});

describe("the box's role", () => {
  const granted = (sid: string) => statements().find(({ Sid }) => Sid === sid);

  it("reads exactly the stack's secrets", () => {
    const secrets = program.all("aws:secretsmanager/secret:Secret").map(({ inputs }) => String(inputs["name"]));
    expect(granted("ReadSecrets")).toMatchObject({
      Action: ["secretsmanager:GetSecretValue"],
      Resource: secrets.map((name) => `arn:aws:secretsmanager:sa-east-1:123456789012:secret:${name}-AbCdEf`),
    });
    expect(secrets).toEqual([
      "novadrive/all/source-url",
      "novadrive/all/ui-password-hash",
      "novadrive/all/snowflake-private-key",
      "novadrive/all/tls-key",
    ]);
  });

  it("reads releases, writes to one log group and to one namespace of metrics", () => {
    expect(granted("ReadReleases")).toMatchObject({
      Action: ["s3:GetObject"],
      Resource: ["arn:aws:s3:::novadrive-artifacts-id/releases/*"],
    });
    expect(granted("WriteLogs")).toMatchObject({
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: ["arn:aws:logs:sa-east-1:123456789012:log-group:/novadrive/all:*"],
    });
    expect(granted("WriteMetrics")).toMatchObject({
      Action: ["cloudwatch:PutMetricData"],
      Condition: { StringEquals: { "cloudwatch:namespace": "NovaDrive/all" } },
    });
  });

  it("may not read the account's parameters, which Session Manager's policy would allow", () => {
    const attached = program.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment");
    expect(attached.map(({ inputs }) => inputs["policyArn"])).toEqual([
      "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
    ]);
    expect(granted("NoParameters")).toMatchObject({ Effect: "Deny", Resource: ["*"] });
    expect(granted("NoParameters")?.Action).toContain("ssm:GetParameters");
  });
});

describe("the network", () => {
  it("lets nobody in but the configured networks, to the page's port, and nobody to port 22", () => {
    const rules = program.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule");
    expect(rules.map(({ inputs }) => [inputs["fromPort"], inputs["toPort"], inputs["cidrIpv4"]])).toEqual([
      [8080, 8080, "203.0.113.7/32"],
    ]);
    expect(program.only("aws:ec2/securityGroup:SecurityGroup").inputs).not.toHaveProperty("ingress");
  });
});

describe("what is stored", () => {
  it("is encrypted: every volume, the bucket, the topic", () => {
    const instance = program.only("aws:ec2/instance:Instance").inputs;
    const volumes = [instance["rootBlockDevice"], program.only("aws:ebs/volume:Volume").inputs];
    for (const volume of volumes) expect(volume).toMatchObject({ encrypted: true });
    expect(instance).not.toHaveProperty("ebsBlockDevices");
    const encryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";
    expect(program.only(encryption).inputs).toMatchObject({
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
    });
  });

  it("is in a bucket that is private in every way, keeps old versions for a time, and is reached by TLS alone", () => {
    expect(program.only("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(program.only("aws:s3/bucketOwnershipControls:BucketOwnershipControls").inputs).toMatchObject({
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
    expect(program.only("aws:s3/bucketVersioning:BucketVersioning").inputs).toMatchObject({
      versioningConfiguration: { status: "Enabled" },
    });
    const lifecycle = program.only("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"];
    // Current objects never expire: a box that is replaced after a year still finds its release.
    expect(JSON.stringify(lifecycle)).not.toContain('"days"');
    expect(lifecycle).toMatchObject([{ noncurrentVersionExpiration: { noncurrentDays: 90 } }, {}]);
    const denied = statements().filter(({ of }) => of.type === "aws:s3/bucketPolicy:BucketPolicy");
    expect(denied).toMatchObject([
      { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      { Effect: "Deny", Condition: { NumericLessThan: { "s3:TlsVersion": "1.2" } } },
    ]);
    const bucket = "arn:aws:s3:::novadrive-artifacts-id";
    for (const { Resource } of denied) expect(Resource).toEqual([bucket, `${bucket}/*`]);
  });

  it("has secrets' values only where the configuration gave one, as secrets for the engine too", () => {
    const versions = program.all("aws:secretsmanager/secretVersion:SecretVersion");
    expect(versions.map(({ name }) => name)).toEqual(["novadrive-source-url", "novadrive-tls-key"]);
    for (const { inputs } of versions) expect(inputs["secretString"]).toHaveProperty("value");
    expect(plain(versions[0]?.inputs["secretString"])).toBe(SOURCE_URL);
    expect(program.outputs["secretsToSet"]).toEqual([
      expect.stringContaining(" novadrive/all/ui-password-hash "),
      expect.stringContaining(" novadrive/all/snowflake-private-key "),
    ]);
    const keySecret = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/all/snowflake-private-key-AbCdEf";
    expect(program.outputs["snowflakeUrl"]).toContain(`&private_key=${keySecret}`);
    for (const { type, inputs } of program.resources) {
      if (type === "aws:secretsmanager/secretVersion:SecretVersion") continue;
      expect(JSON.stringify(inputs)).not.toContain("hunter2");
    }
    expect(JSON.stringify(program.outputs)).not.toContain("hunter2");
  });
});

describe("the box", () => {
  it("has its disk and its address attached, and is placed by the disk's zone rather than the other way round", () => {
    const volume = program.only("aws:ebs/volume:Volume");
    expect(volume.inputs).toMatchObject({ type: "gp3", size: 20, availabilityZone: "sa-east-1a" });
    expect(volume.ignoreChanges).toEqual(["availabilityZone"]);
    expect(program.only("aws:ec2/instance:Instance").inputs["subnetId"]).toBe("subnet-0default-a");
    expect(program.only("aws:ec2/volumeAttachment:VolumeAttachment").inputs).toMatchObject({
      volumeId: expect.stringMatching(/^vol-[0-9a-f]+$/),
      instanceId: "novadrive-host-id",
      deviceName: "/dev/sdf",
      stopInstanceBeforeDetaching: true,
    });
    expect(program.only("aws:ec2/eip:Eip").inputs).toMatchObject({ domain: "vpc" });
    expect(program.only("aws:ec2/eipAssociation:EipAssociation").inputs).toMatchObject({
      instanceId: "novadrive-host-id",
      allocationId: "eipalloc-novadrive-host-id",
    });
  });

  it("has a key pair where one was named, and does not spend more CPU credits than it earns", () => {
    expect(program.only("aws:ec2/instance:Instance").inputs).toMatchObject({
      keyName: "operators",
      creditSpecification: { cpuCredits: "standard" },
    });
  });

  it("is guarded in a stack of kind prod", () => {
    expect(program.only("aws:ec2/instance:Instance").inputs["disableApiTermination"]).toBe(true);
    expect(program.only("aws:ebs/volume:Volume").inputs["finalSnapshot"]).toBe(true);
    expect(program.only("aws:s3/bucket:Bucket").inputs["forceDestroy"]).toBe(false);
    for (const { inputs } of program.all("aws:secretsmanager/secret:Secret")) {
      expect(inputs["recoveryWindowInDays"]).toBe(30);
    }
  });
});

describe("alarms", () => {
  const alarm = (name: string) => program.only("aws:cloudwatch/metricAlarm:MetricAlarm", `novadrive-${name}`).inputs;

  it("tell the topic when they go off and when all is well again, and the topic tells the address", () => {
    const topic = program.only("aws:sns/topicPolicy:TopicPolicy").inputs["arn"];
    const alarms = program.all("aws:cloudwatch/metricAlarm:MetricAlarm");
    expect(alarms).toHaveLength(4);
    for (const { inputs } of alarms) {
      expect(inputs["alarmActions"]).toContain(topic);
      expect(inputs["okActions"]).toEqual([topic]);
      expect(inputs["name"]).toMatch(/^novadrive-all-/);
    }
    expect(program.only("aws:sns/topicSubscription:TopicSubscription").inputs).toMatchObject({
      topic,
      protocol: "email",
      endpoint: "data@example.com",
    });
  });

  it("move the box off broken hardware, and restart a system that hangs", () => {
    const box = { namespace: "AWS/EC2", dimensions: { InstanceId: "novadrive-host-id" } };
    expect(alarm("machine-broken")).toMatchObject({ ...box, metricName: "StatusCheckFailed_System" });
    expect(alarm("machine-broken")["alarmActions"]).toContain("arn:aws:automate:sa-east-1:ec2:recover");
    expect(alarm("system-hung")).toMatchObject({ ...box, metricName: "StatusCheckFailed_Instance" });
    expect(alarm("system-hung")["alarmActions"]).toContain("arn:aws:automate:sa-east-1:ec2:reboot");
  });

  it("take silence for failure, but not the time between two batches", () => {
    const own = { namespace: "NovaDrive/all" };
    expect(alarm("heartbeat-missing")).toMatchObject({
      ...own,
      metricName: METRICS.heartbeat,
      treatMissingData: "breaching",
      comparisonOperator: "LessThanThreshold",
    });
    expect(alarm("batch-failed")).toMatchObject({
      ...own,
      metricName: METRICS.batchFailed,
      treatMissingData: "ignore",
    });
  });

  it("come with logs that are kept for as long as was said", () => {
    expect(program.only("aws:cloudwatch/logGroup:LogGroup").inputs).toMatchObject({
      name: "/novadrive/all",
      retentionInDays: 30,
    });
  });
});

it("names what a person looks for in the consoles, and leaves the other tags to the provider", () => {
  for (const type of ["aws:ec2/instance:Instance", "aws:ebs/volume:Volume", "aws:ec2/eip:Eip"]) {
    expect(program.only(type).inputs["tags"]).toEqual({ Name: "novadrive-all" });
  }
  expect(JSON.parse(String(program.only("pulumi:providers:aws").inputs["defaultTags"]))).toEqual({
    tags: { Project: "novadrive", Stack: "all", ManagedBy: "pulumi" },
  });
});
