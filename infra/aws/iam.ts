/** What the box may do in AWS, and not a thing more. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { RELEASES } from "./artifact.ts";

export interface HostRoleArgs {
  readonly partition: string;
  /** Each by its exact ARN. */
  readonly secretArns: readonly pulumi.Input<string>[];
  readonly bucketArn: pulumi.Input<string>;
  readonly logGroupArn: pulumi.Input<string>;
  /** Of CloudWatch's metrics: the only one that the box may write to. */
  readonly metricNamespace: string;
}

interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Every `*` in the policies of this program, by the statement that has it, with the reason why it cannot be narrower. */
export const WILDCARDS: Readonly<Record<string, string>> = {
  ReadReleases: "The objects of one prefix of one bucket; their names are hashes of releases that do not exist yet.",
  WriteLogs: "The streams of one log group: CloudWatch names them below the group's ARN.",
  WriteMetrics: "PutMetricData knows no resource. The condition holds it to one namespace.",
  NoParameters: "Takes away: AmazonSSMManagedInstanceCore would let the box read every parameter of the account.",
  TlsOnly: "Takes away: nobody may use the bucket without TLS.",
  NoOldTls: "Takes away: nobody may use the bucket with a TLS older than 1.2.",
};

export class HostRole extends pulumi.ComponentResource {
  /** The role's, which Snowflake's workload identity asks for; not the instance profile's. */
  readonly roleArn: pulumi.Output<string>;
  readonly instanceProfileName: pulumi.Output<string>;

  constructor(name: string, args: HostRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:HostRole", name, {}, opts);
    const role = new aws.iam.Role(
      `${name}-host`,
      {
        description: "The NovaDrive box",
        assumeRolePolicy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "ec2.amazonaws.com" } }],
        }),
      },
      { parent: this },
    );
    new aws.iam.RolePolicyAttachment(
      `${name}-session-manager`,
      { role: role.name, policyArn: `arn:${args.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore` },
      { parent: this },
    );
    const { metricNamespace } = args;
    const policy = pulumi
      .all([pulumi.all([...args.secretArns]), args.bucketArn, args.logGroupArn])
      .apply(([secretArns, bucketArn, logGroupArn]) =>
        JSON.stringify({
          Version: "2012-10-17",
          Statement: statements({ secretArns, bucketArn, logGroupArn, metricNamespace }),
        }),
      );
    new aws.iam.RolePolicy(`${name}-host`, { role: role.name, policy }, { parent: this });
    const profile = new aws.iam.InstanceProfile(`${name}-host`, { role: role.name }, { parent: this });
    this.roleArn = role.arn;
    this.instanceProfileName = profile.name;
    this.registerOutputs({ roleArn: this.roleArn, instanceProfileName: this.instanceProfileName });
  }
}

function statements(to: {
  readonly secretArns: readonly string[];
  readonly bucketArn: string;
  readonly logGroupArn: string;
  readonly metricNamespace: string;
}): Statement[] {
  return [
    { Sid: "ReadSecrets", Effect: "Allow", Action: ["secretsmanager:GetSecretValue"], Resource: to.secretArns },
    { Sid: "ReadReleases", Effect: "Allow", Action: ["s3:GetObject"], Resource: [`${to.bucketArn}/${RELEASES}/*`] },
    {
      Sid: "WriteLogs",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: [`${to.logGroupArn}:*`],
    },
    {
      Sid: "WriteMetrics",
      Effect: "Allow",
      Action: ["cloudwatch:PutMetricData"],
      Resource: ["*"],
      Condition: { StringEquals: { "cloudwatch:namespace": to.metricNamespace } },
    },
    {
      Sid: "NoParameters",
      Effect: "Deny",
      Action: ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:GetParameterHistory"],
      Resource: ["*"],
    },
  ];
}
