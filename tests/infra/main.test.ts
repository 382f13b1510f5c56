/** What Pulumi runs first: an old Node.js must be told what to do instead of failing on TypeScript. */
import { RunError } from "@pulumi/pulumi";
import { expect, it, vi } from "vitest";

vi.mock("node:process", () => {
  const process = { versions: { node: "20.20.2" }, execPath: "/usr/bin/node" };
  return { default: process, ...process };
});

it("says which Node.js it got and how to start it with another", async () => {
  // @ts-expect-error: plain JavaScript, for the Node.js that cannot read anything else.
  const main: { default: () => Promise<unknown> } = await import("../../infra/main.js");
  const failure: unknown = await main.default().catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(RunError);
  expect(String(failure)).toMatch(
    /needs Node\.js 24 or newer, and Pulumi has run it with 20\.20\.2 \(\/usr\/bin\/node\)\.\nUse `npm run up`/,
  );
});
