/** Runs the infrastructure program without an engine and gives back everything that it registered. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { vi } from "vitest";
import { parse } from "yaml";
import { autoName, BEHAVIOURS, FUNCTIONS, type Properties } from "./behaviour.ts";
import { inputProblems } from "./sdk-types.ts";

export interface RegisteredResource {
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly inputs: Properties;
  readonly parent: string;
  readonly provider: string;
  readonly protect: boolean;
  readonly ignoreChanges: readonly string[];
}

export interface MockedProgram {
  readonly resources: readonly RegisteredResource[];
  readonly calls: readonly { readonly token: string; readonly inputs: Properties; readonly provider: string }[];
  readonly outputs: Properties;
  /** The only resource of a type (and name). Throws if there are more, or none. */
  only(type: string, name?: string): RegisteredResource;
  all(type: string): readonly RegisteredResource[];
}

/** The settings of Pulumi.dev.yaml in the form in which a program gets them: text, lists as JSON. */
export function devConfiguration(): Record<string, string> {
  const file = readFileSync(join(import.meta.dirname, "../../../Pulumi.dev.yaml"), "utf8");
  const { config } = parse(file) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

/** Once per test file: a program is a module, and registers its resources when it is first imported. */
export async function runWithMocks(
  configuration: Record<string, string>,
  { stack = "dev", secretKeys = [] }: { readonly stack?: string; readonly secretKeys?: readonly string[] } = {},
): Promise<MockedProgram> {
  const resources: RegisteredResource[] = [];
  const calls: { token: string; inputs: Properties; provider: string }[] = [];
  // What mocks are told lacks the options; the request has them.
  const options = new Map<string, RegisterResourceRequest>();
  const register = MockMonitor.prototype.registerResource;
  vi.spyOn(MockMonitor.prototype, "registerResource").mockImplementation(async function (
    this: MockMonitor,
    request: RegisterResourceRequest,
    callback,
  ) {
    options.set(`${request.getType()} ${request.getName()}`, request);
    return register.call(this, request, callback);
  });
  pulumi.runtime.setAllConfig(configuration, [...secretKeys]);
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs, custom }) {
        const request = options.get(`${type} ${name}`);
        resources.push({
          type,
          name,
          custom: custom ?? true,
          inputs,
          parent: request?.getParent() ?? "",
          provider: request?.getProvider() ?? "",
          protect: request?.getProtect() ?? false,
          ignoreChanges: request?.getIgnorechangesList() ?? [],
        });
        const behaviour = BEHAVIOURS[type];
        const problems = behaviour ? inputProblems(type, inputs) : [];
        if (problems.length > 0) throw new Error(`${type} ${name}: ${problems.join("; ")}`);
        const id = `${name}-id`;
        const named = behaviour?.autoNamed ? { name: autoName(`::${name}`) } : {};
        return { id, state: { ...named, ...behaviour?.computed?.(id, inputs), ...inputs } };
      },
      call({ token, inputs, provider }) {
        calls.push({ token, inputs, provider: provider ?? "" });
        const read = FUNCTIONS[token];
        if (!read) throw new Error(`No mock for ${token}`);
        return read(inputs);
      },
    },
    "novadrive",
    stack,
    false,
  );
  const program: Record<string, unknown> = { ...(await import("../../../infra/index.ts")) };
  const outputs = await new Promise<Properties>((resolve) => {
    pulumi.output(program).apply((values) => resolve(values as Properties));
  });
  await pulumi.runtime.disconnect();
  const all = (type: string) => resources.filter((resource) => resource.type === type);
  return {
    resources,
    calls,
    outputs,
    all,
    only(type, name) {
      const found = all(type).filter((resource) => name === undefined || resource.name === name);
      const [first] = found;
      if (!first || found.length > 1) throw new Error(`${found.length} resources are ${type} ${name ?? ""}`);
      return first;
    },
  };
}
