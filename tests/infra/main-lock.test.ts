/** A manifest that would lose data stops the program before its first resource, and reaches the user as words. */
import * as pulumi from "@pulumi/pulumi";
import { expect, it, vi } from "vitest";
import type * as reading from "../../runtime/manifest/read.ts";
import { devConfiguration } from "../support/pulumi/mocked-program.ts";

vi.mock("../../runtime/manifest/read.ts", async (original) => {
  const { readManifest, ...rest } = await original<typeof reading>();
  return {
    ...rest,
    readManifest(file: string) {
      const manifest = readManifest(file);
      return { ...manifest, tables: manifest.tables.slice(1) };
    },
  };
});

it("names the table that would be dropped, and registers nothing", async () => {
  const account = { SNOWFLAKE_ORGANIZATION_NAME: "ACME", SNOWFLAKE_ACCOUNT_NAME: "MAIN", SNOWFLAKE_USER: "DEPLOYER" };
  for (const [name, value] of Object.entries(account)) vi.stubEnv(name, value);
  pulumi.runtime.setAllConfig(devConfiguration());
  const registered: string[] = [];
  await pulumi.runtime.setMocks({
    call: () => ({}),
    newResource({ type, name }) {
      registered.push(type);
      return { id: name, state: {} };
    },
  });
  // @ts-expect-error: plain JavaScript, for the Node.js that cannot read anything else.
  const main: { default: () => Promise<unknown> } = await import("../../infra/main.js");
  const failure: unknown = await main.default().catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(pulumi.RunError);
  expect(String(failure)).toMatch(
    /sql\/manifest\.lock\.json does not let this manifest pass, so nothing was done:\n {2}- STAGE\.VEICULOS is gone from the manifest\./,
  );
  await pulumi.runtime.disconnect();
  expect(registered.filter((type) => type !== "pulumi:pulumi:Stack")).toEqual([]);
});
