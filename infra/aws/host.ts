/** The box that the runtime will live on. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface HostArgs {
  readonly instanceType: string;
  readonly rootVolumeGb: number;
  /** Undefined: a default subnet of the default VPC, where instances get a public address. */
  readonly subnetId?: string | undefined;
  readonly securityGroupId: pulumi.Input<string>;
  readonly instanceProfileName: pulumi.Input<string>;
}

export class Host extends pulumi.ComponentResource {
  readonly instanceId: pulumi.Output<string>;
  /** Public address; the private one in a subnet that gives none. */
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:Host", name, {}, opts);
    const image = aws.ssm.getParameterOutput(
      { name: ubuntuImageParameter(args.instanceType), withDecryption: false },
      { parent: this },
    );
    const instance = new aws.ec2.Instance(
      `${name}-host`,
      {
        // Not `value`, which Pulumi would treat as a secret.
        ami: image.insecureValue,
        instanceType: args.instanceType,
        subnetId: args.subnetId,
        vpcSecurityGroupIds: [args.securityGroupId],
        iamInstanceProfile: args.instanceProfileName,
        // Tokens only, and none for what runs in a container: the role's credentials stay with the runtime.
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: { encrypted: true, volumeType: "gp3", volumeSize: args.rootVolumeGb },
        tags: { Name: `${pulumi.getProject()}-${pulumi.getStack()}` },
      },
      // Canonical publishes a new image every few weeks; each would replace the box.
      { parent: this, ignoreChanges: ["ami"] },
    );
    this.instanceId = instance.id;
    this.address = pulumi
      .all([instance.publicIp, instance.privateIp])
      .apply(([publicIp, privateIp]) => publicIp || privateIp);
    this.registerOutputs({ instanceId: this.instanceId, address: this.address });
  }
}

/**
 * The public parameter under which Canonical publishes the newest Ubuntu 24.04 LTS image for an instance type.
 * https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
 */
function ubuntuImageParameter(instanceType: string): string {
  return `/aws/service/canonical/ubuntu/server/24.04/stable/current/${architectureOf(instanceType)}/hvm/ebs-gp3/ami-id`;
}

/** Graviton families have a `g` behind the generation's digit (t4g, m7gd, c7gn), or are a1; g5 and the like are not. */
export function architectureOf(instanceType: string): "arm64" | "amd64" {
  return /^(?:a1|[a-z]+[0-9]+[a-z]*g[a-z]*)\./.test(instanceType) ? "arm64" : "amd64";
}
