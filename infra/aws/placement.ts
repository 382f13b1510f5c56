/** Where the box goes: which subnet, and with it which network and which zone. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface PlacementArgs {
  readonly instanceType: string;
  /** Undefined: a default subnet of the account, in a zone that has the instance type. */
  readonly subnetId?: string | undefined;
}

export interface Placement {
  readonly vpcId: string;
  /** For a new volume. */
  readonly availabilityZone: string;
  /** Whether the zone was chosen here, and so may turn out otherwise another time: a volume that is there must then stay where it is. */
  readonly chosen: boolean;
  /** Subnet for a box beside a volume in this zone. @throws RunError where there is none */
  readonly subnetIn: (zone: string) => string;
}

/**
 * Looked up, never read off the instance: a volume whose zone were the instance's output would be replaced together with it.
 * The engine deletes first what depends on an instance that it deletes before its replacement, and so would the state be gone.
 * @throws RunError where there is no such place
 */
export async function placeHost(args: PlacementArgs, options: pulumi.InvokeOptions): Promise<Placement> {
  const { instanceType, subnetId } = args;
  if (subnetId !== undefined) {
    const { vpcId, availabilityZone } = await aws.ec2.getSubnet({ id: subnetId }, options);
    return { vpcId, availabilityZone, chosen: false, subnetIn: () => subnetId };
  }
  const [first, ...others] = await defaultSubnets(instanceType, options);
  const subnetIn = (zone: string): string => {
    const subnet = [first, ...others].find(({ availabilityZone }) => availabilityZone === zone);
    if (subnet !== undefined) return subnet.id;
    throw new pulumi.RunError(
      `The state volume is in ${zone}, where this account has no default subnet with ${instanceType}: ` +
        "pulumi config set novadrive:instanceType <a type of that zone>",
    );
  };
  return { vpcId: first.vpcId, availabilityZone: first.availabilityZone, chosen: true, subnetIn };
}

type Subnets = [aws.ec2.GetSubnetResult, ...aws.ec2.GetSubnetResult[]];

/** The subnets that AWS made in every zone, by the zone's name; not every zone has every instance type. */
async function defaultSubnets(instanceType: string, options: pulumi.InvokeOptions): Promise<Subnets> {
  const { locations } = await aws.ec2.getInstanceTypeOfferings(
    { locationType: "availability-zone", filters: [{ name: "instance-type", values: [instanceType] }] },
    options,
  );
  const zones = locations.toSorted();
  if (zones.length === 0) {
    throw new pulumi.RunError(
      `This region has no ${instanceType}: pulumi config set novadrive:instanceType <another x86-64 type>`,
    );
  }
  const filters = [
    { name: "default-for-az", values: ["true"] },
    { name: "availability-zone", values: zones },
  ];
  const { ids } = await aws.ec2.getSubnets({ filters }, options);
  const subnets = await Promise.all(ids.map(async (id) => aws.ec2.getSubnet({ id }, options)));
  const [first, ...others] = subnets.toSorted((a, b) => (a.availabilityZone < b.availabilityZone ? -1 : 1));
  if (first === undefined) {
    throw new pulumi.RunError(
      `This account has no default subnet in a zone with ${instanceType} (${zones.join(", ")}): ` +
        "pulumi config set novadrive:subnetId <subnet with a route to an internet gateway>",
    );
  }
  return [first, ...others];
}
