/** What the box may do in AWS: be reached through Session Manager, and nothing else yet. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export class HostRole extends pulumi.ComponentResource {
  readonly roleArn: pulumi.Output<string>;
  readonly instanceProfileName: pulumi.Output<string>;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
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
      { role: role.name, policyArn: "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore" },
      { parent: this },
    );
    const profile = new aws.iam.InstanceProfile(`${name}-host`, { role: role.name }, { parent: this });
    this.roleArn = role.arn;
    this.instanceProfileName = profile.name;
    this.registerOutputs({ roleArn: this.roleArn, instanceProfileName: this.instanceProfileName });
  }
}
