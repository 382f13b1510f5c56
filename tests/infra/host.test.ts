/** Which image fits which instance type. */
import { expect, it } from "vitest";
import { architectureOf } from "../../infra/aws/host.ts";

it.each([
  "t4g.large",
  "m7gd.xlarge",
  "c7gn.medium",
  "a1.medium",
  "im4gn.large",
  "is4gen.medium",
  "x2gd.large",
  "g5g.xlarge",
])("%s is an ARM machine", (type) => {
  expect(architectureOf(type)).toBe("arm64");
});

it.each(["t2.large", "t3a.large", "g5.xlarge", "g4dn.xlarge", "m7i-flex.large", "c6in.large", "mac1.metal"])(
  "%s is an Intel or AMD machine",
  (type) => {
    expect(architectureOf(type)).toBe("amd64");
  },
);
