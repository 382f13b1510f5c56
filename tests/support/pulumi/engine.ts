/** The real engine on a copy of the project, with stand-ins for what it would start: providers and, where needed, the language host. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import process from "node:process";
import { LocalWorkspace, PulumiCommand, type EngineEvent, type Stack } from "@pulumi/pulumi/automation/index.js";
import { makeBundle } from "../../../infra/bundle/bundle.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** What the infrastructure program is made of, and what it packs for the box. */
const PARTS = [
  "package.json",
  "package-lock.json",
  "LICENSE",
  "Pulumi.yaml",
  "Pulumi.dev.yaml",
  "infra",
  "runtime",
  "sql",
];

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

/** @param environment more variables for the engine and the program */
export async function openProject(pulumi: string, environment: Record<string, string>): Promise<EngineProject> {
  const base = mkdtempSync(join(tmpdir(), "novadrive-infra-"));
  const folder = join(base, "project");
  for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  // Packed once for all copies; one that a test changes is packed again.
  const bundle = await makeBundle({ root: ROOT, out: join(ROOT, ".bundle") });
  mkdirSync(join(folder, ".bundle"));
  symlinkSync(bundle.file, join(folder, ".bundle", basename(bundle.file)));
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
        NODE_COMPILE_CACHE: join(base, "compile-cache"),
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

/** What an update did to each resource, by `type name`; the unchanged ones left out. */
export class Changes {
  readonly #operations = new Map<string, string>();

  readonly record = (event: EngineEvent): void => {
    const step = event.resourcePreEvent?.metadata;
    if (step && step.op !== "same") this.#operations.set(shortName(step.urn), step.op);
  };

  get operations(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#operations);
  }
}

function shortName(urn: string): string {
  const [, , types = "", name = ""] = urn.split("::");
  return `${types.slice(types.lastIndexOf("$") + 1)} ${name}`;
}
