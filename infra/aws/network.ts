/** Who may reach the box, and what the box may reach. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface HostNetworkArgs {
  /** Of the subnet that the box is in. */
  readonly vpcId: pulumi.Input<string>;
  readonly uiPort: number;
  /** Networks that may open the console, in canonical form; one rule each. */
  readonly uiCidrs: readonly string[];
  /** Port of the source PostgreSQL. */
  readonly sourcePort: number;
  /** Networks that the source PostgreSQL may be in. */
  readonly sourceCidrs: readonly string[];
}

interface Rule {
  readonly name: string;
  readonly port: number;
  readonly cidr: string;
  readonly description: string;
  /** There whatever the configuration says. */
  readonly fixed?: true;
}

export class HostNetwork extends pulumi.ComponentResource {
  readonly securityGroupId: pulumi.Output<string>;

  constructor(name: string, args: HostNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:HostNetwork", name, {}, opts);
    // Made without inline rules, so that AWS's allow-all egress rule is taken away and only the rules below hold.
    const group = new aws.ec2.SecurityGroup(
      `${name}-host`,
      { description: "NovaDrive: console in, sources and services out", vpcId: args.vpcId },
      { parent: this },
    );
    // Closing a hole must not need a second command, so a rule that comes and goes with the configuration is never protected.
    const optionsFor = ({ fixed }: Rule) => (fixed ? { parent: this } : { parent: this, protect: false });
    for (const rule of ingressRules(args)) {
      const { port, cidr, description } = rule;
      new aws.vpc.SecurityGroupIngressRule(
        `${name}-${rule.name}`,
        { securityGroupId: group.id, ipProtocol: "tcp", fromPort: port, toPort: port, ...target(cidr), description },
        optionsFor(rule),
      );
    }
    for (const rule of egressRules(args)) {
      const { port, cidr, description } = rule;
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-${rule.name}`,
        { securityGroupId: group.id, ipProtocol: "tcp", fromPort: port, toPort: port, ...target(cidr), description },
        optionsFor(rule),
      );
    }
    this.securityGroupId = group.id;
    this.registerOutputs({ securityGroupId: this.securityGroupId });
  }
}

function ingressRules({ uiPort, uiCidrs }: HostNetworkArgs): Rule[] {
  return uiCidrs.map((cidr) => ({
    name: `ui-${slug(cidr)}`,
    port: uiPort,
    cidr,
    description: `Console from ${cidr}`,
  }));
}

/** Name resolution and time are served inside the VPC and pass no security group. */
function egressRules({ sourcePort, sourceCidrs }: HostNetworkArgs): Rule[] {
  const anywhere = "0.0.0.0/0";
  const fixed: Rule[] = [
    { name: "https", port: 443, cidr: anywhere, description: "Snowflake and AWS over TLS", fixed: true },
    { name: "http", port: 80, cidr: anywhere, description: "Ubuntu package mirrors; packages are signed", fixed: true },
  ];
  const source = sourceCidrs.map((cidr) => ({
    name: `source-${slug(cidr)}`,
    port: sourcePort,
    cidr,
    description: `Source PostgreSQL in ${cidr}`,
  }));
  return [
    ...fixed,
    ...source.filter(({ port, cidr }) => !fixed.some((rule) => rule.port === port && rule.cidr === cidr)),
  ];
}

function target(cidr: string): { cidrIpv4: string } | { cidrIpv6: string } {
  return cidr.includes(":") ? { cidrIpv6: cidr } : { cidrIpv4: cidr };
}

/** Rules are named for their network, so that taking one out of the list leaves the others alone. */
function slug(cidr: string): string {
  return cidr.replaceAll(/[:/]/g, "-");
}
