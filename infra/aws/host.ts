/** The box that the runtime lives on, with its disk and its address attached. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { isBurstable } from "../instance-type.ts";
import { STATE_DEVICE } from "./state-volume.ts";

export interface HostArgs {
  /** An x86-64 type. */
  readonly instanceType: string;
  /** For types that earn CPU credits; the others are made without. */
  readonly cpuCredits: "standard" | "unlimited";
  readonly rootVolumeGb: number;
  readonly subnetId: pulumi.Input<string>;
  readonly securityGroupId: pulumi.Input<string>;
  readonly instanceProfileName: pulumi.Input<string>;
  /** EC2 key pair; Session Manager needs none. */
  readonly keyName?: string | undefined;
  /**
   * Prepares the box at its first boot, and free of anything that a release may change: cloud-init runs it once, so a change of it
   * reaches the next box only.
   */
  readonly userData?: pulumi.Input<string> | undefined;
  readonly terminationProtection: boolean;
  readonly stateVolumeId: pulumi.Input<string>;
  readonly addressAllocationId: pulumi.Input<string>;
  readonly tags: Readonly<Record<string, string>>;
}

/** Canonical's public parameter with its newest image: https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/ */
const IMAGE = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id";

export class Host extends pulumi.ComponentResource {
  readonly instanceId: pulumi.Output<string>;

  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:Host", name, {}, opts);
    const image = aws.ssm.getParameterOutput({ name: IMAGE, withDecryption: false }, { parent: this });
    const instance = new aws.ec2.Instance(
      `${name}-host`,
      {
        // Not `value`, which Pulumi would treat as a secret.
        ami: image.insecureValue,
        instanceType: args.instanceType,
        subnetId: args.subnetId,
        vpcSecurityGroupIds: [args.securityGroupId],
        iamInstanceProfile: args.instanceProfileName,
        keyName: args.keyName,
        userData: args.userData,
        userDataReplaceOnChange: false,
        disableApiTermination: args.terminationProtection,
        // A box that is told to shut down from within comes back when it is started; it does not vanish.
        instanceInitiatedShutdownBehavior: "stop",
        // Tokens only, and none for what runs in a container: the role's credentials stay with the runtime.
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: {
          encrypted: true,
          volumeType: "gp3",
          volumeSize: args.rootVolumeGb,
          deleteOnTermination: true,
          tags: args.tags,
        },
        // t3 is unlimited unless told otherwise, and then billed for what it takes; t2 is standard.
        ...(isBurstable(args.instanceType) ? { creditSpecification: { cpuCredits: args.cpuCredits } } : {}),
        tags: args.tags,
      },
      {
        parent: this,
        // Canonical publishes a new image every few weeks; each would replace the box. Changed user data would stop and start it
        // for nothing, since cloud-init does not run it again.
        ignoreChanges: ["ami", "userData"],
        // Volume and address can be attached to one box at a time.
        deleteBeforeReplace: true,
      },
    );
    new aws.ec2.VolumeAttachment(
      `${name}-state`,
      {
        instanceId: instance.id,
        volumeId: args.stateVolumeId,
        deviceName: STATE_DEVICE,
        // A mounted file system is written out, and the detaching does not wait for it for ever.
        stopInstanceBeforeDetaching: true,
      },
      { parent: this, deleteBeforeReplace: true },
    );
    new aws.ec2.EipAssociation(
      `${name}-host`,
      { instanceId: instance.id, allocationId: args.addressAllocationId },
      { parent: this, deleteBeforeReplace: true },
    );
    this.instanceId = instance.id;
    this.registerOutputs({ instanceId: this.instanceId });
  }
}
