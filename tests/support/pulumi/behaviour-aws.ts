/** What AWS does that the program relies on, resource type by resource type. */
import { createHash } from "node:crypto";
import type { Behaviour, Properties } from "./behaviour.ts";

const ACCOUNT = "123456789012";

export const AWS_BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  "aws:ec2/securityGroup:SecurityGroup": {
    autoNamed: true,
    replaces: ["name", "description", "vpcId"],
    computed: (id) => ({ arn: `arn:aws:ec2:::security-group/${id}`, vpcId: "vpc-0default" }),
  },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {},
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {},
  "aws:iam/role:Role": {
    autoNamed: true,
    replaces: ["name"],
    computed: (id) => ({ arn: `arn:aws:iam::${ACCOUNT}:role/${id}` }),
  },
  "aws:iam/rolePolicy:RolePolicy": { autoNamed: true, replaces: ["name", "role"] },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": { replaces: ["role", "policyArn"] },
  "aws:iam/instanceProfile:InstanceProfile": { autoNamed: true, replaces: ["name"] },
  "aws:ec2/instance:Instance": {
    replaces: ["ami", "subnetId", "keyName"],
    computed: () => ({
      publicIp: "203.0.113.99",
      privateIp: "172.31.0.10",
      subnetId: "subnet-0default",
      availabilityZone: "sa-east-1a",
    }),
    refusesDeletion: ({ disableApiTermination }) =>
      disableApiTermination === true ? "OperationNotPermitted: The instance may not be terminated" : undefined,
  },
  "aws:ebs/volume:Volume": {
    replaces: ["availabilityZone", "encrypted"],
    idPrefix: "vol-",
    computed: (id) => ({ arn: `arn:aws:ec2:::volume/${id}`, iops: 3000, throughput: 125 }),
  },
  "aws:ec2/volumeAttachment:VolumeAttachment": { replaces: ["deviceName", "instanceId", "volumeId"] },
  "aws:ec2/eip:Eip": {
    replaces: ["domain"],
    computed: (id) => ({ allocationId: `eipalloc-${id}`, publicIp: "203.0.113.10" }),
  },
  "aws:ec2/eipAssociation:EipAssociation": { replaces: ["instanceId", "allocationId"] },
  "aws:secretsmanager/secret:Secret": {
    replaces: ["name"],
    computed: (_id, { name }) => ({ arn: `arn:aws:secretsmanager:sa-east-1:${ACCOUNT}:secret:${String(name)}-AbCdEf` }),
  },
  "aws:secretsmanager/secretVersion:SecretVersion": {
    replaces: ["secretId", "secretString"],
    computed: (_id, { secretString }) => ({
      versionId: createHash("sha256").update(JSON.stringify(secretString)).digest("hex").slice(0, 32),
    }),
  },
  "aws:s3/bucket:Bucket": {
    replaces: ["bucket"],
    computed: (id, { bucket }) => {
      const name = typeof bucket === "string" ? bucket : id.toLowerCase();
      return { bucket: name, arn: `arn:aws:s3:::${name}` };
    },
    refusesDeletion: ({ forceDestroy }) =>
      forceDestroy === true ? undefined : "BucketNotEmpty: The bucket you tried to delete is not empty",
    takesAlong: ({ bucket }, id) => id.startsWith(`${String(bucket)}/`),
  },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": { replaces: ["bucket"] },
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": { replaces: ["bucket"] },
  "aws:s3/bucketVersioning:BucketVersioning": { replaces: ["bucket"] },
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": { replaces: ["bucket"] },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": { replaces: ["bucket"] },
  "aws:s3/bucketPolicy:BucketPolicy": { replaces: ["bucket"] },
  // An object is deleted with all its versions (terraform-provider-aws, internal/service/s3/object.go, resourceObjectDelete).
  "aws:s3/bucketObjectv2:BucketObjectv2": {
    replaces: ["bucket", "key"],
    chosenId: ({ bucket, key }) => `${String(bucket)}/${String(key)}`,
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    replaces: ["name"],
    computed: (_id, { name }) => ({ arn: `arn:aws:logs:sa-east-1:${ACCOUNT}:log-group:${String(name)}` }),
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": { replaces: ["name"] },
  "aws:sns/topic:Topic": {
    autoNamed: true,
    replaces: ["name"],
    computed: (id) => ({ arn: `arn:aws:sns:sa-east-1:${ACCOUNT}:${id}` }),
  },
  "aws:sns/topicPolicy:TopicPolicy": { replaces: ["arn"] },
  "aws:sns/topicSubscription:TopicSubscription": { replaces: ["topic", "protocol", "endpoint"] },
  "aws:ssm/document:Document": {
    autoNamed: true,
    replaces: ["name", "documentType"],
    computed: () => ({ latestVersion: "1" }),
    update: (olds, news) => ({ ...news, latestVersion: String(Number(olds["latestVersion"]) + 1) }),
  },
  "aws:ssm/association:Association": {
    replaces: ["name"],
    computed: (id) => ({ associationId: `association-${id}` }),
  },
};

/** The account's default subnets; the instance types that the program may ask for are in two of three zones. */
const SUBNETS: Readonly<Record<string, string>> = {
  "subnet-0default-c": "sa-east-1c",
  "subnet-0default-a": "sa-east-1a",
  "subnet-0default-b": "sa-east-1b",
};

export const AWS_FUNCTIONS: Readonly<Record<string, (inputs: Properties) => Properties>> = {
  "aws:ssm/getParameter:getParameter": ({ name, withDecryption }) => {
    const known = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id";
    if (name !== known) throw new Error(`ParameterNotFound: ${String(name)}`);
    const value = "ami-0amd64";
    return { id: name, name, withDecryption, type: "String", version: 1, value, insecureValue: value };
  },
  "aws:ec2/getSubnet:getSubnet": ({ id }) => ({
    id,
    vpcId: String(id).startsWith("subnet-0default") ? "vpc-0default" : `vpc-of-${String(id)}`,
    availabilityZone: SUBNETS[String(id)] ?? "sa-east-1b",
  }),
  "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": ({ filters }) => {
    const [type = ""] = (filters as readonly { values: readonly string[] }[])[0]?.values ?? [];
    const locations = type === "t9.large" ? [] : ["sa-east-1c", "sa-east-1a"];
    return {
      id: "sa-east-1",
      locations,
      instanceTypes: locations.map(() => type),
      locationTypes: [],
      region: "sa-east-1",
    };
  },
  "aws:ec2/getSubnets:getSubnets": ({ filters }) => {
    const given = filters as readonly { name: string; values: readonly string[] }[];
    const zones = given.find(({ name }) => name === "availability-zone")?.values ?? Object.values(SUBNETS);
    const ids = Object.entries(SUBNETS).flatMap(([id, zone]) => (zones.includes(zone) ? [id] : []));
    return { id: "sa-east-1", ids, region: "sa-east-1", tags: {} };
  },
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({
    id: ACCOUNT,
    accountId: ACCOUNT,
    arn: `arn:aws:iam::${ACCOUNT}:user/deployer`,
    userId: "AIDA",
  }),
};
