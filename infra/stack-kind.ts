/** What sets a stack that may vanish apart from one that may not; nothing else in the program asks which of the two it is. */

export interface StackKind {
  readonly name: "dev" | "prod";
  /** The engine refuses to delete or replace what it made. */
  readonly protect: boolean;
  /** EC2 refuses to terminate the box, whoever asks. */
  readonly terminationProtection: boolean;
  /** Days in which a deleted secret can be brought back; with 0 it is gone, and its name free, at once. */
  readonly secretRecoveryDays: 0 | 30;
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
    emptyBuckets: true,
    keepState: false,
  },
  prod: {
    name: "prod",
    protect: true,
    terminationProtection: true,
    secretRecoveryDays: 30,
    emptyBuckets: false,
    keepState: true,
  },
} as const satisfies Record<StackKind["name"], StackKind>;

/**
 * What a protected stack does not protect, by type, or by type and name where others of the type are, each with its reason. All of it comes back with the next `pulumi up`, and none of it
 * holds data; protected, it could not be changed at all.
 */
export const NEVER_PROTECTED: Readonly<Record<string, string>> = {
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
    "A rule goes when its network leaves the configuration: closing a hole must not need a second command.",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "As for the rules that let in.",
  "aws:secretsmanager/secretVersion:SecretVersion":
    "A new value is a new version, and replaces this one. The secret itself is protected.",
  "aws:s3/bucketObjectv2:BucketObjectv2":
    "Each release is an object of its own and takes the place of the last, which stays in the bucket.",
  "aws:ssm/association:Association": "Replaced by each release: only a new one makes `pulumi up` wait for the box.",
  "aws:sns/topicSubscription:TopicSubscription": "Another address for alarms is another subscription.",
  "aws:secretsmanager/secret:Secret novadrive-tls-key":
    "Comes and goes with the certificate in the configuration. Secrets Manager keeps it for 30 days.",
  "aws:secretsmanager/secret:Secret novadrive-snowflake-private-key":
    "Comes and goes with the key pair in the configuration. Secrets Manager keeps it for 30 days.",
  "snowflake:index/execute:Execute novadrive-workload-identity": "Goes when the user logs in by a key pair instead.",
  "novadrive:snowflake:CreditQuota": "Comes and goes with its setting, as all that it is made of.",
  "snowflake:index/resourceMonitor:ResourceMonitor": "What a setting limits, a setting must be able to free.",
  "snowflake:index/execute:Execute novadrive-quota": "The warehouse leaves the monitor with it.",
  "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole novadrive-RUNTIME-quota":
    "There is nothing to see without the monitor.",
};
