/** Where the box goes when nobody says where, and what is said when there is no such place. */
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { partitionOf } from "../../infra/aws/partition.ts";
import { placeHost, type PlacementArgs } from "../../infra/aws/placement.ts";
import { FUNCTIONS, type Properties } from "../support/pulumi/behaviour.ts";

let defaultSubnets = true;

beforeAll(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ name }) => ({ id: name, state: {} }),
    call({ token, inputs }): Properties {
      if (token === "aws:ec2/getSubnets:getSubnets" && !defaultSubnets) return { ids: [] };
      return FUNCTIONS[token]?.(inputs) ?? {};
    },
  });
});

const placed = (args: PlacementArgs) => placeHost(args, {});

describe("the box", () => {
  it("goes to the first zone that has its type and a default subnet, whatever order AWS tells them in", async () => {
    const placement = await placed({ instanceType: "t2.large" });
    expect(placement).toMatchObject({ vpcId: "vpc-0default", availabilityZone: "sa-east-1a", chosen: true });
    expect(placement.subnetIn("sa-east-1a")).toBe("subnet-0default-a");
  });

  it("goes beside its disk where there is one, or nowhere", async () => {
    const { subnetIn } = await placed({ instanceType: "t2.large" });
    expect(subnetIn("sa-east-1c")).toBe("subnet-0default-c");
    expect(() => subnetIn("sa-east-1b")).toThrow(
      "The state volume is in sa-east-1b, where this account has no default subnet with t2.large: " +
        "pulumi config set novadrive:instanceType <a type of that zone>",
    );
  });

  it("goes where it is told", async () => {
    const placement = await placed({ instanceType: "t2.large", subnetId: "subnet-0abc" });
    expect(placement).toMatchObject({ vpcId: "vpc-of-subnet-0abc", availabilityZone: "sa-east-1b", chosen: false });
    expect(placement.subnetIn("sa-east-1a")).toBe("subnet-0abc");
  });

  it("goes nowhere, and says what to set, when the region does not have its type", async () => {
    await expect(placed({ instanceType: "t9.large" })).rejects.toThrow(
      "This region has no t9.large: pulumi config set novadrive:instanceType <another x86-64 type>",
    );
  });

  it("goes nowhere, and says what to set, when the account has no default subnet", async () => {
    defaultSubnets = false;
    await expect(placed({ instanceType: "t2.large" })).rejects.toThrow(
      "This account has no default subnet in a zone with t2.large (sa-east-1a, sa-east-1c): " +
        "pulumi config set novadrive:subnetId <subnet with a route to an internet gateway>",
    );
  });
});

it.each([
  ["sa-east-1", "aws"],
  ["cn-north-1", "aws-cn"],
  ["us-gov-west-1", "aws-us-gov"],
])("%s is in the partition %s", (region, partition) => {
  expect(partitionOf(region)).toBe(partition);
});
