/** Python for the peers: a virtual environment with pinned packages, made once and kept in the user's cache. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Python {
  /** Of the virtual environment. */
  readonly program: string;
  /** `Python 3.11.7`, then `name==version` of the packages that were asked for. */
  readonly packages: readonly string[];
}

/** @returns why there is none, where there is none */
export async function installPython(): Promise<Python | { readonly missing: string }> {
  const requirements = join(import.meta.dirname, "requirements.txt");
  const wanted = parseRequirements(await readFile(requirements, "utf8"));
  try {
    const { stdout } = await run("python3", ["--version"]);
    const packages = [stdout.trim(), ...wanted];
    const folder = join(cacheFolder(), `bench-${nameOf(packages)}`);
    const program = join(folder, "bin/python");
    const there = await access(join(folder, "complete")).then(
      () => true,
      () => false,
    );
    if (!there) await install(folder, requirements);
    return { program, packages };
  } catch (thrown) {
    return { missing: reasonOf(thrown) };
  }
}

/** Runs a program of this folder. @returns the JSON of its last line @throws Error with what it says on standard error */
export async function runPython({ program }: Python, script: string, args: readonly string[]): Promise<unknown> {
  const { stdout } = await run(program, [join(import.meta.dirname, script), ...args], { maxBuffer: 1 << 24 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

export function parseRequirements(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** The first package with its version, and a few digits of all. */
function nameOf(packages: readonly string[]): string {
  const [, first = ""] = packages;
  const digest = createHash("sha256").update(packages.join("\n")).digest("hex").slice(0, 8);
  return `${first.replace(/\[.*\]/, "").replace("==", "-")}-${digest}`;
}

const cacheFolder = (): string => join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "novadrive");

/** In place, since a virtual environment cannot be moved; a file says that it is complete. */
async function install(folder: string, requirements: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await run("python3", ["-m", "venv", folder]);
  await run(join(folder, "bin/python"), ["-m", "pip", "install", "--quiet", "--requirement", requirements], {
    maxBuffer: 1 << 24,
  });
  await writeFile(join(folder, "complete"), "");
}

/** The last lines of what a program said, or that it is not there. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if ("code" in thrown && thrown.code === "ENOENT") return "there is no python3 on PATH";
  const said = "stderr" in thrown && typeof thrown.stderr === "string" ? thrown.stderr : "";
  const out = "stdout" in thrown && typeof thrown.stdout === "string" ? thrown.stdout : "";
  const lines = `${out}\n${said}`.split("\n").filter((line) => line.trim() !== "");
  const last = lines.filter((line) => /error/i.test(line)).at(-1) ?? lines.at(-1) ?? thrown.message;
  return last.trim();
}
