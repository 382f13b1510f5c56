/** Where releases wait for the box: a private bucket, and in it one object a release, named for what is in it. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** All that the box may read of the bucket. */
export const RELEASES = "releases";

/** Days for which an object that was written over, or deleted by hand, can be had back. */
const OLD_VERSION_DAYS = 90;

export interface ArtifactBucketArgs {
  /** Whether the bucket may be deleted with what is in it. */
  readonly forceDestroy: boolean;
}

export class ArtifactBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;
  readonly bucketArn: pulumi.Output<string>;

  constructor(name: string, args: ArtifactBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:ArtifactBucket", name, {}, opts);
    const child = { parent: this };
    const made = new aws.s3.Bucket(`${name}-artifacts`, { forceDestroy: args.forceDestroy }, child);
    const bucket = made.bucket;
    const closed = new aws.s3.BucketPublicAccessBlock(
      `${name}-artifacts`,
      {
        bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      child,
    );
    new aws.s3.BucketOwnershipControls(
      `${name}-artifacts`,
      { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      child,
    );
    new aws.s3.BucketVersioning(`${name}-artifacts`, { bucket, versioningConfiguration: { status: "Enabled" } }, child);
    new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-artifacts`,
      {
        bucket,
        // S3's own key, not one of KMS: a bundle is code without a secret in it, and who may read it is the bucket's policy and
        // the box's role. A key of our own would cost a dollar a month and a right more for the box, and keep nobody else out.
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
      },
      child,
    );
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-artifacts`,
      {
        bucket,
        rules: [
          {
            id: "old-versions",
            status: "Enabled",
            filter: { prefix: `${RELEASES}/` },
            noncurrentVersionExpiration: { noncurrentDays: OLD_VERSION_DAYS },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
          {
            // What a deleted object leaves when its last version is gone. Not to be had in one rule with the others.
            id: "delete-markers",
            status: "Enabled",
            filter: { prefix: `${RELEASES}/` },
            expiration: { expiredObjectDeleteMarker: true },
          },
        ],
      },
      child,
    );
    new aws.s3.BucketPolicy(
      `${name}-artifacts`,
      { bucket, policy: made.arn.apply((arn) => JSON.stringify(tlsOnly(arn))) },
      // S3 refuses two changes of a bucket's access at the same time.
      { parent: this, dependsOn: [closed] },
    );
    this.bucketName = bucket;
    this.bucketArn = made.arn;
    this.registerOutputs({ bucketName: this.bucketName, bucketArn: this.bucketArn });
  }
}

function tlsOnly(bucketArn: string) {
  const everything = { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: [bucketArn, `${bucketArn}/*`] };
  return {
    Version: "2012-10-17",
    Statement: [
      { Sid: "TlsOnly", ...everything, Condition: { Bool: { "aws:SecureTransport": "false" } } },
      { Sid: "NoOldTls", ...everything, Condition: { NumericLessThan: { "s3:TlsVersion": "1.2" } } },
    ],
  };
}

export interface ArtifactArgs {
  readonly bucketName: pulumi.Input<string>;
  readonly bundle: pulumi.Input<{
    /** The archive on this machine. */
    readonly file: string;
    /** SHA-256 of what is in it, in hexadecimal digits; not of the archive, which may differ for the same contents. */
    readonly hash: string;
  }>;
}

/** One bundle in the bucket. */
export class Artifact extends pulumi.ComponentResource {
  /** Of the object; known only when it is there. */
  readonly key: pulumi.Output<string>;

  constructor(name: string, args: ArtifactArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:Artifact", name, {}, opts);
    const bundle = pulumi.output(args.bundle);
    const object = new aws.s3.BucketObjectv2(
      `${name}-bundle`,
      {
        bucket: args.bucketName,
        key: bundle.hash.apply(artifactKey),
        source: bundle.file.apply((file) => new pulumi.asset.FileAsset(file)),
        contentType: "application/gzip",
      },
      {
        parent: this,
        protect: false,
        // The provider deletes an object with all its versions, and the engine what was replaced at the end of the next update that
        // succeeds: going back to this bundle, behind a release that failed, would take it away under the box. The bucket goes with all
        // that is in it.
        retainOnDelete: true,
      },
    );
    this.key = object.key;
    this.registerOutputs({ key: this.key });
  }
}

/** @throws RangeError for what is no SHA-256 */
export function artifactKey(contentHash: string): string {
  if (!/^[0-9a-f]{64}$/.test(contentHash)) throw new RangeError(`${contentHash} is no SHA-256 in hexadecimal digits`);
  return `${RELEASES}/${contentHash}.tar.gz`;
}
