/** What is known of the box from outside: its logs, and whom its alarms tell. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface ObservabilityArgs {
  /** `/novadrive/dev`. */
  readonly logGroupName: string;
  readonly logRetentionDays: number;
  readonly alertEmail?: string | undefined;
}

export class Observability extends pulumi.ComponentResource {
  readonly logGroupName: pulumi.Output<string>;
  readonly logGroupArn: pulumi.Output<string>;
  readonly topicArn: pulumi.Output<string>;

  constructor(name: string, args: ObservabilityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:Observability", name, {}, opts);
    const child = { parent: this };
    const logs = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { name: args.logGroupName, retentionInDays: args.logRetentionDays },
      child,
    );
    const account = aws.getCallerIdentityOutput({}, { parent: this }).accountId;
    // Without a key: AWS's own for SNS does not let CloudWatch send (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html),
    // and one of ours would cost a dollar a month and outlive `destroy` by a week, to hide the names of alarms.
    const topic = new aws.sns.Topic(`${name}-alarms`, { displayName: "NovaDrive" }, child);
    new aws.sns.TopicPolicy(
      `${name}-alarms`,
      {
        arn: topic.arn,
        policy: pulumi.all([topic.arn, account]).apply(([arn, id]) => JSON.stringify(topicPolicy(arn, id))),
      },
      child,
    );
    if (args.alertEmail !== undefined) {
      new aws.sns.TopicSubscription(
        `${name}-alarms`,
        { topic: topic.arn, protocol: "email", endpoint: args.alertEmail },
        // Another address is another subscription.
        { parent: this, protect: false },
      );
    }
    this.logGroupName = logs.name;
    this.logGroupArn = logs.arn;
    this.topicArn = topic.arn;
    this.registerOutputs({
      logGroupName: this.logGroupName,
      logGroupArn: this.logGroupArn,
      topicArn: this.topicArn,
    });
  }
}

function topicPolicy(topic: string, account: string) {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AlarmsPublish",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: "sns:Publish",
        Resource: topic,
        Condition: { StringEquals: { "aws:SourceAccount": account } },
      },
    ],
  };
}
