/** Where the box's packages and its Node.js are: in this project, or fetched for the box when this computer is of another kind. */
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { BOX, type Lock } from "./dependencies.ts";

export interface PlatformFiles {
  /** Has node_modules. */
  readonly root: string;
  /** The Node.js program for the box. */
  readonly node: string;
}

const run = promisify(execFile);

/** Whether what `npm ci` installed here runs on the box as it is. */
export function isLikeTheBox(): boolean {
  const report: unknown = process.report?.getReport();
  const header = typeof report === "object" && report !== null && "header" in report ? report.header : undefined;
  const glibc = typeof header === "object" && header !== null && "glibcVersionRuntime" in header;
  return process.platform === BOX.os && process.arch === BOX.cpu && glibc;
}

/**
 * What was fetched is kept, and used until the lock file is another one.
 *
 * @throws Error with npm's own words if the packages cannot be fetched
 */
export async function platformFiles(options: {
  readonly root: string;
  readonly lock: Lock;
  /** Where fetched packages are kept. */
  readonly cache: string;
  /** For tests: fetches even where it need not. */
  readonly fetch?: boolean | undefined;
}): Promise<PlatformFiles> {
  const { root, lock, cache, fetch = !isLikeTheBox() } = options;
  if (!fetch) return { root, node: join(root, "node_modules/node/bin/node") };
  const version = lock.packages["node_modules/node"]?.version;
  if (version === undefined) throw new Error("package-lock.json has no package node: npm install --save-dev node@24");
  const program = `node-${BOX.os}-${BOX.cpu}`;
  const folder = join(cache, `packages-${hash("sha256", JSON.stringify(lock), "hex").slice(0, 16)}`);
  const fetched = { root: folder, node: join(folder, "node/node_modules", program, "bin/node") };
  if (existsSync(folder)) return fetched;
  await mkdir(cache, { recursive: true });
  const partial = await mkdtemp(`${folder}.partial-`);
  try {
    for (const file of ["package.json", "package-lock.json"]) await cp(join(root, file), join(partial, file));
    const forTheBox = [
      `--os=${BOX.os}`,
      `--cpu=${BOX.cpu}`,
      `--libc=${BOX.libc}`,
      "--ignore-scripts",
      "--prefer-offline",
    ];
    const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
    await npm(partial, ["ci", "--omit=dev", ...forTheBox, ...quiet]);
    // The package `node` fetches its program in a script, for the machine that runs the script. Its program is a package too.
    const alone = ["--no-save", "--no-package-lock", `--prefix=${join(partial, "node")}`];
    await npm(partial, ["install", `${program}@${version}`, ...alone, ...forTheBox, ...quiet]);
    // Two at once have fetched the same.
    await rename(partial, folder).catch((thrown: unknown) => {
      if (!existsSync(folder)) throw thrown;
    });
    return fetched;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function npm(cwd: string, args: readonly string[]): Promise<void> {
  try {
    await run(process.platform === "win32" ? "npm.cmd" : "npm", args, { cwd, maxBuffer: 64 << 20 });
  } catch (thrown) {
    const words = thrown instanceof Error && "stderr" in thrown ? String(thrown.stderr) : String(thrown);
    throw new Error(`The packages for the box could not be fetched: npm ${args[0]} said:\n${words.trim()}`, {
      cause: thrown,
    });
  }
}
