/** The product's version, as package.json has it, and which release of it was deployed. */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The hash of the deployed files, by the name of their folder: `releases/<hash>`; undefined where they were not deployed. */
export function release(folder = join(import.meta.dirname, "../..")): string | undefined {
  return basename(dirname(folder)) === "releases" ? basename(folder) : undefined;
}

export function version(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  return version;
}
