/** Pulumi.yaml describes every setting, and takes the same for granted as the program. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { checkConfiguration } from "../../infra/config.ts";
import { SETTINGS, type Setting } from "../../infra/settings.ts";
import { devConfiguration } from "../support/pulumi/mocked-program.ts";

interface Declaration {
  readonly type: string;
  readonly default?: unknown;
  readonly description?: string;
}

const file = readFileSync(join(import.meta.dirname, "../../Pulumi.yaml"), "utf8");
const { name: project, config } = parse(file) as { name: string; config: Record<string, Declaration> };

/** As Pulumi hands a value to the program. */
function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

const own = Object.entries<Setting<unknown>>(SETTINGS).filter(([, { key }]) => key === undefined);

it("has the program's own settings, all of them, in their order", () => {
  expect(Object.keys(config)).toEqual(own.map(([name]) => name));
});

it.each(own)("types and describes %s", (name, { schema }) => {
  const declared = config[name];
  const standard = schema.parse(declared?.default === "" ? undefined : asText(declared?.default));
  const types = { number: "integer", boolean: "boolean", string: "string", undefined: "string", object: "array" };
  expect(declared?.type).toBe(types[typeof standard as keyof typeof types]);
  expect(declared?.description).toMatch(/^[A-Z].{15,}\.$|^\w+: .{15,}\.$/);
  // Without one, Pulumi would ask every stack for a value.
  expect(declared).toHaveProperty("default");
});

it("gives the defaults that the program has by itself", () => {
  const values = {
    "aws:region": "sa-east-1",
    "snowflake:organizationName": "ACME",
    "snowflake:accountName": "MAIN",
    "snowflake:user": "DEPLOYER",
  };
  const rest = { project, secretKeys: [], environment: {}, hasSnowflakeFile: false, now: new Date() };
  const defaults = Object.entries(config).map(([name, declared]) => [`${project}:${name}`, asText(declared.default)]);
  const filled = checkConfiguration({ ...rest, values: { ...Object.fromEntries(defaults), ...values } });
  expect(filled).toHaveProperty("settings");
  expect(filled).toEqual(checkConfiguration({ ...rest, values }));
});

it("describes everything that the development stack sets of the program's own", () => {
  const keys = Object.keys(devConfiguration()).filter((key) => key.startsWith(`${project}:`));
  expect(keys).toContain("novadrive:kind");
  for (const key of keys) expect(config).toHaveProperty(key.slice(project.length + 1));
});

it("marks the secrets as such in words, since Pulumi gives what is marked otherwise no default", () => {
  const secrets = own.filter(([, { secret }]) => secret).map(([name]) => name);
  const described = Object.keys(config).filter((name) => config[name]?.description?.startsWith("Secret. "));
  expect(described).toEqual(secrets);
});
