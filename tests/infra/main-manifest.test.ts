/** A manifest that cannot be used must reach the user as its own words, not as a stack trace. */
import * as pulumi from "@pulumi/pulumi";
import { expect, it, vi } from "vitest";
import { NovaError } from "../../runtime/core/errors.ts";
import { devConfiguration } from "../support/pulumi/mocked-program.ts";

vi.mock("../../runtime/manifest/read.ts", () => ({
  readManifest() {
    throw new NovaError("MANIFEST_INVALID", "manifest.yml:12:3 is wrong.", { remedy: "Correct it." });
  },
}));

it("shows the manifest's error and what to do about it", async () => {
  const account = { SNOWFLAKE_ORGANIZATION_NAME: "ACME", SNOWFLAKE_ACCOUNT_NAME: "MAIN", SNOWFLAKE_USER: "DEPLOYER" };
  for (const [name, value] of Object.entries(account)) vi.stubEnv(name, value);
  pulumi.runtime.setAllConfig(devConfiguration());
  await pulumi.runtime.setMocks({ call: () => ({}), newResource: ({ name }) => ({ id: name, state: {} }) });
  // @ts-expect-error: plain JavaScript, for the Node.js that cannot read anything else.
  const main: { default: () => Promise<unknown> } = await import("../../infra/main.js");
  const failure: unknown = await main.default().catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(pulumi.RunError);
  expect(failure).toHaveProperty("message", "manifest.yml:12:3 is wrong.\nCorrect it.");
});
