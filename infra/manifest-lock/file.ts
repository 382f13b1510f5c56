/** The lock on disk, and the guard that the infrastructure program passes before it makes anything. */
import { readFileSync, writeFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { Manifest } from "../../runtime/manifest/manifest.ts";
import { checkLock, type LockCheck } from "./check.ts";
import { formatLock, parseLock, type ManifestLock } from "./lock.ts";

/** For messages; the file stands beside the models, whatever the folder is called where it runs. */
const NAME = "sql/manifest.lock.json";
const UPDATE = "npm run manifest:lock";

export interface LockFileOptions {
  /** Path of the lock. */
  readonly file: string;
  readonly manifest: Pick<Manifest, "tables">;
  /** YYYY-MM-DD */
  readonly today: string;
}

/**
 * Refuses a manifest that would lose data; says so when it has grown and the lock has not.
 *
 * @throws RunError with every refused change on a line, and what to do about each
 */
export function guardManifest({ file, manifest, today }: LockFileOptions): void {
  const lock = readLock(file);
  if (!lock) {
    throw new pulumi.RunError(
      `${NAME} is not there, so nothing says whether the manifest would lose data.\n` +
        `Bring it back (git checkout -- ${NAME}); in a project that never had one: ${UPDATE}`,
    );
  }
  const check = checkLock({ lock, tables: manifest.tables, today });
  if (check.problems.length > 0) throw new pulumi.RunError(refusal(check));
  if (check.news.length === 0) return;
  // Not refused: what only adds is safe. But until it is locked, nothing would notice if it went again.
  const list = check.news.map((one) => `  - ${one}`).join("\n");
  void pulumi.log.warn(`The manifest has grown since ${NAME} was written. Run ${UPDATE} and commit it:\n${list}`);
}

export type UpdateOutcome =
  | { readonly status: "refused"; readonly message: string }
  | { readonly status: "same" | "written" | "outdated"; readonly news: readonly string[] };

/** @param write false: only looks whether the lock is up to date. @throws RunError for a lock that cannot be read */
export function updateLock({
  file,
  manifest,
  today,
  write,
}: LockFileOptions & { readonly write: boolean }): UpdateOutcome {
  const lock = readLock(file);
  const check = checkLock({ lock, tables: manifest.tables, today });
  if (check.problems.length > 0) return { status: "refused", message: refusal(check) };
  const { news } = check;
  const text = formatLock(check.next);
  if (lock && text === readFileSync(file, "utf8")) return { status: "same", news };
  if (!write) return { status: "outdated", news };
  writeFileSync(file, text);
  return { status: "written", news };
}

function refusal({ problems }: LockCheck): string {
  return [
    `${NAME} does not let this manifest pass, so nothing was done:`,
    ...problems.map((one) => `  - ${one}`),
    `What is meant is allowed by an entry in "allow" of that file, with its reason; then run ${UPDATE}.`,
  ].join("\n");
}

function readLock(file: string): ManifestLock | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw thrown;
  }
  try {
    return parseLock(text);
  } catch (thrown) {
    const problems = (thrown instanceof Error ? thrown.message : String(thrown)).split("\n");
    throw new pulumi.RunError(
      `${NAME} cannot be used:\n${problems.map((one) => `  - ${one}`).join("\n")}\n` +
        `Correct it, or bring back the last good one: git checkout -- ${NAME}`,
    );
  }
}
