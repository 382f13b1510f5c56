/** What the name of an instance type says. */
import { expect, it } from "vitest";
import { architectureOf, isBurstable } from "../../infra/instance-type.ts";

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

it.each(["t2.large", "t3.medium", "t3a.large", "t4g.large"])("%s earns CPU credits", (type) => {
  expect(isBurstable(type)).toBe(true);
});

it.each(["m7i.large", "trn1.2xlarge", "c6a.large"])("%s knows no CPU credits", (type) => {
  expect(isBurstable(type)).toBe(false);
});
