/** Where the box's packages and its Node.js are: in this project, or fetched for the box when this computer is of another kind. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { BOX, type Lock } from "./dependencies.ts";

export interface PlatformFiles extends AsyncDisposable {
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

/** @throws Error with npm's own words if the packages cannot be fetched */
export async function platformFiles(options: {
  readonly root: string;
  readonly lock: Lock;
  /** For tests: fetches even where it need not. */
  readonly fetch?: boolean | undefined;
}): Promise<PlatformFiles> {
  const { root, lock, fetch = !isLikeTheBox() } = options;
  if (!fetch) {
    return { root, node: join(root, "node_modules/node/bin/node"), [Symbol.asyncDispose]: async () => undefined };
  }
  const version = lock.packages["node_modules/node"]?.version;
  if (version === undefined) throw new Error("package-lock.json has no package node: npm install --save-dev node@24");
  const folder = await mkdtemp(join(tmpdir(), "novadrive-bundle-"));
  const remove = async () => await rm(folder, { recursive: true, force: true });
  try {
    for (const file of ["package.json", "package-lock.json"]) await cp(join(root, file), join(folder, file));
    const forTheBox = [
      `--os=${BOX.os}`,
      `--cpu=${BOX.cpu}`,
      `--libc=${BOX.libc}`,
      "--ignore-scripts",
      "--prefer-offline",
    ];
    const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
    await npm(folder, ["ci", "--omit=dev", ...forTheBox, ...quiet]);
    // The package `node` fetches its program in a script, for the machine that runs the script. Its program is a package too.
    const program = `node-${BOX.os}-${BOX.cpu}`;
    await npm(folder, [
      "install",
      "--no-save",
      "--no-package-lock",
      `--prefix=${folder}/node`,
      `${program}@${version}`,
      ...forTheBox,
      ...quiet,
    ]);
    return {
      root: folder,
      node: join(folder, "node/node_modules", program, "bin/node"),
      [Symbol.asyncDispose]: remove,
    };
  } catch (thrown) {
    await remove();
    throw thrown;
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
