/** Runs the infrastructure program, or a part of it, without an engine and gives back everything that it registered. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { vi } from "vitest";
import { parse } from "yaml";
import { autoName, BEHAVIOURS, FUNCTIONS, physicalId, type Properties } from "./behaviour.ts";
import { inputProblems, plain } from "./sdk-types.ts";

export interface RegisteredResource {
  readonly type: string;
  readonly name: string;
  readonly inputs: Properties;
  readonly parent: string;
  readonly provider: string;
  readonly protect: boolean;
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
  readonly deleteBeforeReplace: boolean;
  /** URNs. */
  readonly dependencies: readonly string[];
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

export interface MockOptions {
  readonly stack?: string;
  readonly secretKeys?: readonly string[];
}

/** Once per test file: a program is a module, and registers its resources when it is first imported. */
export async function runWithMocks(
  configuration: Record<string, string>,
  options: MockOptions = {},
): Promise<MockedProgram> {
  return recordResources(configuration, options, async () => ({ ...(await import("../../../infra/index.ts")) }));
}

/** The resources of a component by itself. @param build makes it, and says what of it to give back as outputs */
export async function recordComponent(build: () => Properties): Promise<MockedProgram> {
  return recordResources({}, {}, async () => build());
}

async function recordResources(
  configuration: Record<string, string>,
  { stack = "dev", secretKeys = [] }: MockOptions,
  run: () => Promise<Properties>,
): Promise<MockedProgram> {
  const inputsOf = new Map<string, Properties>();
  const calls: { token: string; inputs: Properties; provider: string }[] = [];
  // What mocks are told lacks the options; the request has them.
  const registrations = vi.spyOn(MockMonitor.prototype, "registerResource");
  pulumi.runtime.setAllConfig(configuration, [...secretKeys]);
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        inputsOf.set(`${type} ${name}`, inputs);
        const behaviour = BEHAVIOURS[type];
        const problems = behaviour ? inputProblems(type, plain(inputs) as Properties) : [];
        if (problems.length > 0) throw new Error(`${type} ${name}: ${problems.join("; ")}`);
        const id = behaviour?.idPrefix ? physicalId(behaviour.idPrefix, name) : `${name}-id`;
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
  const program = await run();
  const outputs = await new Promise<Properties>((resolve) => {
    pulumi.output(program).apply((values) => resolve(values as Properties));
  });
  await pulumi.runtime.disconnect();
  const requests = registrations.mock.calls.map(([request]) => request as RegisterResourceRequest);
  registrations.mockRestore();
  const resources = requests.map((request) => ({
    type: request.getType(),
    name: request.getName(),
    inputs: inputsOf.get(`${request.getType()} ${request.getName()}`) ?? {},
    parent: request.getParent(),
    provider: request.getProvider(),
    protect: request.getProtect() ?? false,
    ignoreChanges: request.getIgnorechangesList(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    replaceOnChanges: request.getReplaceonchangesList(),
    dependencies: request.getDependenciesList(),
  }));
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
