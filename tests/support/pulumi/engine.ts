/** The real engine on a copy of the project, with stand-ins for what it would start: providers and, where needed, the language host. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { LocalWorkspace, PulumiCommand, type EngineEvent, type Stack } from "@pulumi/pulumi/automation/index.js";
import { NOT_ON_THE_BOX } from "../../../infra/bundle/dependencies.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** What the infrastructure program is made of, and what it packs for the box. */
const PARTS = ["LICENSE", "Pulumi.yaml", "Pulumi.dev.yaml", "infra", "runtime", "sql"];

/** Path of the `pulumi` command, on PATH or built before; otherwise why there is none. */
export function findPulumi(): { readonly path: string } | { readonly missing: string } {
  try {
    const path = execFileSync(join(ROOT, ".ci/build-pulumi"), ["--find"], { encoding: "utf8", stdio: "pipe" });
    return { path: path.trim() };
  } catch (thrown) {
    const said = thrown instanceof Error && "stderr" in thrown ? String(thrown.stderr).trim() : String(thrown);
    return { missing: said };
  }
}

export interface EngineProject extends Disposable {
  /** The copy, which a test may change. */
  readonly folder: string;
  readonly stack: Stack;
}

/**
 * @param environment more variables for the engine and the program
 * @param bundle `real` packs all that goes onto the box
 */
export async function openProject(
  pulumi: string,
  environment: Record<string, string>,
  bundle: "small" | "real" = "small",
): Promise<EngineProject> {
  const base = mkdtempSync(join(tmpdir(), "novadrive-infra-"));
  const folder = join(base, "project");
  for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  if (bundle === "real") {
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    for (const file of ["package.json", "package-lock.json"]) cpSync(join(ROOT, file), join(folder, file));
  } else installPackages(folder);
  const state = join(base, "state");
  mkdirSync(state);
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "dev", workDir: folder },
    {
      pulumiHome: join(base, "home"),
      pulumiCommand: await PulumiCommand.get({ root: dirname(dirname(pulumi)) }),
      envVars: {
        PATH: [
          // The Node.js that runs the tests, then the stand-ins; the language host last, so that a real one wins.
          dirname(process.execPath),
          join(import.meta.dirname, "providers"),
          dirname(pulumi),
          process.env["PATH"] ?? "",
          join(import.meta.dirname, "language"),
        ].join(delimiter),
        HOME: base,
        // Every update starts the same three programs anew.
        NODE_COMPILE_CACHE: join(ROOT, "node_modules/.cache/novadrive/compile-cache"),
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        ...environment,
      },
    },
  );
  return { folder, stack, [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }) };
}

/**
 * All packages for the program, none for its bundle, and a few bytes for the bundle's Node.js: packing the 270 MB of the real one after each
 * change takes longer than all else here, and the bundle has tests of its own.
 */
function installPackages(folder: string): void {
  const packages = join(folder, "node_modules");
  mkdirSync(join(packages, "node/bin"), { recursive: true });
  writeFileSync(join(packages, "node/bin/node"), "#!/bin/false\n", { mode: 0o755 });
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name !== "node") symlinkSync(join(ROOT, "node_modules", name), join(packages, name));
  }
  const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8")) as Record<string, unknown>;
  const lock = read("package-lock.json");
  const installed = lock["packages"] as Record<string, object>;
  const write = (file: string, content: object) => writeFileSync(join(folder, file), JSON.stringify(content));
  const dependencies = Object.fromEntries(Object.keys(NOT_ON_THE_BOX).map((name) => [name, "*"]));
  write("package.json", { ...read("package.json"), dependencies });
  write("package-lock.json", {
    ...lock,
    packages: { "": { ...installed[""], dependencies }, "node_modules/node": installed["node_modules/node"] },
  });
}

/** What an update did to each resource, by `type name`; the unchanged ones left out. */
export class Changes {
  readonly #operations = new Map<string, string>();
  /** `begins <operation> <type name>` and `ends …`, in the order in which it happened. */
  readonly order: string[] = [];

  readonly record = (event: EngineEvent): void => {
    const step = event.resourcePreEvent?.metadata;
    const done = event.resOutputsEvent?.metadata;
    if (step && step.op !== "same") this.#operations.set(shortName(step.urn), step.op);
    if (step) this.order.push(`begins ${step.op} ${shortName(step.urn)}`);
    if (done) this.order.push(`ends ${done.op} ${shortName(done.urn)}`);
  };

  get operations(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#operations);
  }
}

function shortName(urn: string): string {
  const [, , types = "", name = ""] = urn.split("::");
  return `${types.slice(types.lastIndexOf("$") + 1)} ${name}`;
}
