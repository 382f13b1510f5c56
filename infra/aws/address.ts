/** The address that the box keeps when it is replaced, so that firewalls and Snowflake's network policy can name it. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface HostAddressArgs {
  readonly tags: Readonly<Record<string, string>>;
}

/** Known before there is a box, so that whatever lets the address in can be made first. */
export class HostAddress extends pulumi.ComponentResource {
  readonly allocationId: pulumi.Output<string>;
  /** IPv4, without a prefix length. */
  readonly publicIp: pulumi.Output<string>;

  constructor(name: string, args: HostAddressArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:HostAddress", name, {}, opts);
    const address = new aws.ec2.Eip(`${name}-host`, { domain: "vpc", tags: args.tags }, { parent: this });
    this.allocationId = address.allocationId;
    this.publicIp = address.publicIp;
    this.registerOutputs({ allocationId: this.allocationId, publicIp: this.publicIp });
  }
}
