/** When somebody is told, and what AWS does by itself before. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/**
 * What the box reports, in the stack's own namespace and without dimensions. A process that hangs or a box that is gone reports
 * nothing, and that is what the first alarm waits for.
 */
export const METRICS = {
  /** 1, at least every minute, while the page answers its health check. */
  heartbeat: "Heartbeat",
  /** At the end of each batch: 1 if it failed, 0 if all of it succeeded. */
  batchFailed: "BatchFailed",
} as const;

export interface HostAlarmsArgs {
  readonly instanceId: pulumi.Input<string>;
  readonly topicArn: pulumi.Input<string>;
  readonly metricNamespace: string;
  readonly partition: string;
  readonly region: string;
  /** Before each alarm's name, which is what an e-mail shows: `novadrive-dev`. */
  readonly prefix: string;
  /** What must be there before: without a release there is no heartbeat to miss. A component's dependencies are not its children's. */
  readonly after?: readonly pulumi.Resource[] | undefined;
}

export class HostAlarms extends pulumi.ComponentResource {
  constructor(name: string, args: HostAlarmsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:HostAlarms", name, {}, opts);
    const { instanceId, topicArn, metricNamespace, prefix } = args;
    const action = (what: string) => `arn:${args.partition}:automate:${args.region}:ec2:${what}`;
    const statusCheck = {
      namespace: "AWS/EC2",
      dimensions: { InstanceId: instanceId },
      statistic: "Maximum",
      period: 60,
      // No data is what a stopped box gives; the heartbeat's alarm tells of that one.
      treatMissingData: "missing",
    };
    const alarms: Readonly<Record<string, Omit<aws.cloudwatch.MetricAlarmArgs, "name">>> = {
      "machine-broken": {
        ...statusCheck,
        metricName: "StatusCheckFailed_System",
        evaluationPeriods: 2,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        alarmDescription:
          "AWS's hardware under the box is broken. The box is moved to other hardware, with its disks and address.",
        alarmActions: [action("recover"), topicArn],
      },
      "system-hung": {
        ...statusCheck,
        metricName: "StatusCheckFailed_Instance",
        // One more than above, so that the two do not act at once: recovery first, which is a restart as well.
        evaluationPeriods: 3,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        alarmDescription: "The box's operating system does not answer. It is restarted.",
        alarmActions: [action("reboot"), topicArn],
      },
      "heartbeat-missing": {
        namespace: metricNamespace,
        metricName: METRICS.heartbeat,
        statistic: "Sum",
        period: 300,
        evaluationPeriods: 2,
        threshold: 1,
        comparisonOperator: "LessThanThreshold",
        treatMissingData: "breaching",
        alarmDescription:
          "NovaDrive has given no sign of life for ten minutes: no batch will run. Look with: systemctl status novadrive",
        alarmActions: [topicArn],
      },
      "batch-failed": {
        namespace: metricNamespace,
        metricName: METRICS.batchFailed,
        statistic: "Maximum",
        period: 60,
        evaluationPeriods: 1,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        // Between two batches there is no data: the alarm stays what the last batch made it.
        treatMissingData: "ignore",
        alarmDescription: "The last batch failed. The page has its log; the warehouse still holds the batch before.",
        alarmActions: [topicArn],
      },
    };
    for (const [key, alarm] of Object.entries(alarms)) {
      new aws.cloudwatch.MetricAlarm(
        `${name}-${key}`,
        { name: `${prefix}-${key}`, ...alarm, okActions: [topicArn] },
        { parent: this, dependsOn: [...(args.after ?? [])] },
      );
    }
    this.registerOutputs({});
  }
}
