/** The list of files of a bundle, and the hash that names it. */
import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";

export interface BundleFile {
  /** In the bundle, with `/`. */
  readonly path: string;
  /** On this machine. */
  readonly source: string;
  readonly mode: 0o644 | 0o755;
}

export interface HashedFile extends BundleFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** Name of the list in the bundle: by it the box checks what it unpacked. */
export const LIST = "FILES";

/** What the box's line-based tools take for one name, whatever the locale. */
const PLAIN = /^[\w@.+,=()/-]+$/;

/** Programs; everything else is read only. */
const isProgram = (path: string): boolean => path === "bin/node" || /^box\/[^/]+\.sh$/.test(path);

/**
 * All files below a folder, sorted.
 *
 * @throws Error for a symbolic link, which could lead out of the folder
 */
export async function filesBelow(options: {
  readonly folder: string;
  /** Where they go in the bundle; empty for its top. */
  readonly to: string;
  /** By the path below the folder. */
  readonly keep: (path: string) => boolean;
}): Promise<BundleFile[]> {
  const { folder, to, keep } = options;
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry): Promise<BundleFile[]> => {
      const { name } = entry;
      const source = join(folder, name);
      const path = to === "" ? name : `${to}/${name}`;
      if (entry.isDirectory()) {
        // A package's own node_modules are packages by themselves.
        if (name === "node_modules") return [];
        return await filesBelow({ folder: source, to: path, keep: (below) => keep(`${name}/${below}`) });
      }
      if (!keep(name)) return [];
      if (!entry.isFile()) throw new Error(`${source} is no ordinary file, which is all that a bundle takes.`);
      return [bundleFile(path, source)];
    }),
  );
  return found.flat();
}

export function bundleFile(path: string, source: string): BundleFile {
  if (!PLAIN.test(path) || path.startsWith("/") || path.split("/").includes("..")) {
    throw new Error(
      `${source} would be ${JSON.stringify(path)} in the bundle, a name that the box's tools may misread.`,
    );
  }
  return { path, source, mode: isProgram(path) ? 0o755 : 0o644 };
}

/** Sorted by path, each with the hash of its bytes. @throws Error for a file that is missing, or has another's path */
export async function hashFiles(files: readonly BundleFile[]): Promise<HashedFile[]> {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const twice = sorted.find(({ path }, index) => sorted[index + 1]?.path === path);
  if (twice) throw new Error(`Two files would be ${twice.path} in the bundle.`);
  const atATime = pLimit(16);
  return await Promise.all(sorted.map((file) => atATime(async () => ({ ...file, ...(await hashFile(file.source)) }))));
}

/** Most files are small, and read at once in half of the time that a stream takes. */
const SMALL_BYTES = 1 << 20;

async function hashFile(source: string): Promise<{ bytes: number; sha256: string }> {
  const { size } = await stat(source);
  if (size <= SMALL_BYTES) {
    const content = await readFile(source);
    return { bytes: content.length, sha256: hash("sha256", content, "hex") };
  }
  const sum = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(source, { highWaterMark: SMALL_BYTES })) {
    sum.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: sum.digest("hex") };
}

/** One line a file, `644 <SHA-256> runtime/cli/main.ts`, in the order of the paths' bytes. */
export function fileList(files: readonly HashedFile[]): string {
  return files.map(({ mode, sha256, path }) => `${mode.toString(8)} ${sha256} ${path}\n`).join("");
}

/** SHA-256 of the list: of paths, modes and bytes, and of nothing else. */
export const contentHash = (list: string): string => hash("sha256", list, "hex");
