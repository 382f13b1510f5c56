/** Makes the bundle: everything that the box runs, so that it needs no package registry. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeArchive } from "./archive.ts";
import { isUseful, parseLock, productionPackages } from "./dependencies.ts";
import { bundleFile, contentHash, fileList, filesBelow, hashFiles, LIST, type BundleFile } from "./files.ts";
import { platformFiles } from "./platform.ts";

export interface Bundle {
  /** `<out>/<hash>.tar.gz` */
  readonly file: string;
  /** SHA-256 of paths, modes and bytes, in hexadecimal digits. */
  readonly hash: string;
  /** Of the archive. */
  readonly bytes: number;
  /** Of what is in it. */
  readonly unpackedBytes: number;
}

export interface MakeBundleOptions {
  /** The project's folder. */
  readonly root: string;
  /** Folder for the archive, and for packages that were fetched for it; made if it is not there. */
  readonly out: string;
  /** For tests: fetches the box's packages even where the installed ones would do. */
  readonly fetch?: boolean | undefined;
}

/**
 * The same project gives the same hash, and an archive that is there already is not made again: after the first time it takes
 * about a second.
 *
 * @throws Error if a package is missing, or cannot be fetched
 */
export async function makeBundle({ root, out, fetch }: MakeBundleOptions): Promise<Bundle> {
  const lock = parseLock(await readFile(join(root, "package-lock.json"), "utf8"));
  const platform = await platformFiles({ root, lock, cache: out, fetch });
  const packages = await Promise.all(
    productionPackages(lock).map((folder) =>
      filesBelow({ folder: join(platform.root, folder), to: folder, keep: isUseful }),
    ),
  );
  return await packFiles({
    out,
    files: [...(await projectFiles(root)), ...packages.flat(), bundleFile("bin/node", platform.node)],
  });
}

/** The runtime, the models, and the box's own scripts and units. */
async function projectFiles(root: string): Promise<BundleFile[]> {
  const everything = () => true;
  const folders = await Promise.all([
    filesBelow({ folder: join(root, "runtime"), to: "runtime", keep: everything }),
    // Compiled SQL is written there by dbt, too; the box compiles for itself.
    filesBelow({ folder: join(root, "sql"), to: "sql", keep: (path) => !/^(?:target|logs|dbt_packages)\//.test(path) }),
    filesBelow({ folder: join(root, "infra/box/files"), to: "box", keep: everything }),
  ]);
  const single = ["package.json", "LICENSE"].map((name) => bundleFile(name, join(root, name)));
  // A hidden file is an editor's, or a setting of somebody's own: no secret gets out by way of one.
  return [...folders.flat(), ...single].filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
}

/** Packs these files and their list. */
export async function packFiles({
  out,
  files,
}: {
  readonly out: string;
  readonly files: readonly BundleFile[];
}): Promise<Bundle> {
  const hashed = await hashFiles(files);
  const list = fileList(hashed);
  const hash = contentHash(list);
  const file = join(out, `${hash}.tar.gz`);
  await mkdir(out, { recursive: true });
  if (!existsSync(file)) await writeArchive({ file, texts: { [LIST]: list }, files: hashed });
  await removeOld(out, file);
  const { size: bytes } = await stat(file);
  return { file, hash, bytes, unpackedBytes: hashed.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Each is some 85 MB, and of use only until it is in the bucket. */
const KEPT_ARCHIVES = 3;

async function removeOld(out: string, current: string): Promise<void> {
  const names = (await readdir(out)).filter((name) => /^[0-9a-f]{64}\.tar\.gz$/.test(name));
  const files = await Promise.all(
    names
      .map((name) => join(out, name))
      .filter((file) => file !== current)
      .map(async (file) => ({ file, at: (await stat(file)).mtimeMs })),
  );
  const old = files.toSorted((a, b) => b.at - a.at).slice(KEPT_ARCHIVES - 1);
  await Promise.all(old.map(({ file }) => rm(file, { force: true })));
}
