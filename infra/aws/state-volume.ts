/** The disk that outlives the box: history and logs of runs, and what a restart would otherwise have to find out again. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/**
 * The name under which EC2 attaches the volume; what Linux calls it depends on the instance type. Types before Nitro (t2) show
 * `/dev/xvdf`; Nitro (t3 and everything newer) shows the next free `/dev/nvme<n>n1`, which only its serial number, the volume's id
 * without the dash, tells from the other disks. `f` to `p` are the letters that EC2 recommends for data.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html
 */
export const STATE_DEVICE = "/dev/sdf";

export interface StateVolumeArgs {
  readonly availabilityZone: pulumi.Input<string>;
  readonly sizeGb: number;
  /** Whether a snapshot is taken before the volume is deleted. */
  readonly finalSnapshot: boolean;
  /** Whether the zone was chosen rather than configured: then the volume stays in the zone that it is in. */
  readonly stay: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export class StateVolume extends pulumi.ComponentResource {
  readonly volumeId: pulumi.Output<string>;
  /** Where it really is. */
  readonly availabilityZone: pulumi.Output<string>;

  constructor(name: string, args: StateVolumeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:StateVolume", name, {}, opts);
    const volume = new aws.ebs.Volume(
      `${name}-state`,
      {
        availabilityZone: args.availabilityZone,
        size: args.sizeGb,
        type: "gp3",
        encrypted: true,
        finalSnapshot: args.finalSnapshot,
        tags: args.tags,
      },
      { parent: this, ignoreChanges: args.stay ? ["availabilityZone"] : [] },
    );
    this.volumeId = volume.id;
    this.availabilityZone = volume.availabilityZone;
    this.registerOutputs({ volumeId: this.volumeId, availabilityZone: this.availabilityZone });
  }
}
