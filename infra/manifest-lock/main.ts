/** `npm run manifest:lock`: takes the manifest's additions and allowed losses into the lock. With `--check`, only says whether it is up to date. */
import { join } from "node:path";
import process from "node:process";
import { readManifest } from "../../runtime/manifest/read.ts";
import { updateLock, type UpdateOutcome } from "./file.ts";

const SQL = join(import.meta.dirname, "../../sql");
const write = !process.argv.includes("--check");

function report(outcome: UpdateOutcome): string {
  if (outcome.status === "refused") return outcome.message;
  const first = {
    same: "sql/manifest.lock.json is up to date.",
    written: "sql/manifest.lock.json is written; commit it with the manifest.",
    outdated: "sql/manifest.lock.json is not up to date: run npm run manifest:lock and commit it.",
  }[outcome.status];
  return [first, ...outcome.news.map((one) => `  - ${one}`)].join("\n");
}

try {
  const manifest = readManifest(join(SQL, "models/manifest.yml"));
  const today = new Date().toISOString().slice(0, 10);
  const outcome = updateLock({ file: join(SQL, "manifest.lock.json"), manifest, today, write });
  const bad = outcome.status === "refused" || outcome.status === "outdated";
  (bad ? process.stderr : process.stdout).write(`${report(outcome)}\n`);
  if (bad) process.exitCode = 1;
} catch (thrown) {
  // The manifest's errors and the lock's say what to do; a stack trace would only hide it.
  const remedy = thrown instanceof Error && "remedy" in thrown ? `\n${String(thrown.remedy)}` : "";
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}${remedy}\n`);
  process.exitCode = 1;
}
