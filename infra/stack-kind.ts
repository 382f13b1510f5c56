/** What sets a stack that may vanish apart from one that may not; nothing else in the program asks which of the two it is. */

export interface StackKind {
  readonly name: "dev" | "prod";
  /** The engine refuses to delete or replace what it made. */
  readonly protect: boolean;
  /** EC2 refuses to terminate the box, whoever asks. */
  readonly terminationProtection: boolean;
  /** Days in which a deleted secret can be brought back; with 0 it is gone, and its name free, at once. */
  readonly secretRecoveryDays: 0 | 30;
  /** Days in which a deleted key can be brought back; AWS knows no shorter time than 7. */
  readonly keyRecoveryDays: 7 | 30;
  /** A bucket with objects in it may be deleted. */
  readonly emptyBuckets: boolean;
  /** A snapshot of the state volume is taken before the volume is deleted. */
  readonly keepState: boolean;
}

export const STACK_KINDS = {
  dev: {
    name: "dev",
    protect: false,
    terminationProtection: false,
    secretRecoveryDays: 0,
    keyRecoveryDays: 7,
    emptyBuckets: true,
    keepState: false,
  },
  prod: {
    name: "prod",
    protect: true,
    terminationProtection: true,
    secretRecoveryDays: 30,
    keyRecoveryDays: 30,
    emptyBuckets: false,
    keepState: true,
  },
} as const satisfies Record<StackKind["name"], StackKind>;

/**
 * What a protected stack does not protect, each with its reason. All of it comes back with the next `pulumi up`, and none of it
 * holds data; protected, it could not be changed at all.
 */
export const NEVER_PROTECTED: Readonly<Record<string, string>> = {
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
    "A rule goes when its network leaves the configuration: closing a hole must not need a second command.",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "As for the rules that let in.",
  "aws:secretsmanager/secretVersion:SecretVersion":
    "A new value is a new version, and replaces this one. The secret itself is protected.",
  "aws:s3/bucketObjectv2:BucketObjectv2":
    "Each release is an object of its own and replaces the last, which the bucket keeps as an old version.",
  "aws:ssm/association:Association": "Replaced by each release: only a new one makes `pulumi up` wait for the box.",
  "aws:sns/topicSubscription:TopicSubscription": "Another address for alarms is another subscription.",
};
