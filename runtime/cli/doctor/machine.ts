/** What `doctor` checks of this machine: program, settings, state folder, disk, schedule, lock, status page. */
import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import cronstrue from "cronstrue";
import { createTask } from "node-cron";
import type { ConfigProblem } from "../../config/config.ts";
import type { Config } from "../../config/options.ts";
import { checkDiskSpace } from "../../core/disk-space.ts";
import { failed, failedBy, ok, warning, type Finding } from "../../core/finding.ts";
import { findRunningBatch } from "../../schedule/batch-lock.ts";
import type { AreaContext } from "./area.ts";
import { checkPage } from "./page.ts";

export interface GivenSettings {
  readonly config: Config;
  /** Settings that are not valid, and have their default in `config`. */
  readonly problems: readonly ConfigProblem[];
}

export async function checkMachine({ config, problems }: GivenSettings, context: AreaContext): Promise<void> {
  const { report } = context;
  report(ok("Node.js", `${process.versions.node} on ${process.platform} ${process.arch}.`));
  report(...checkSettings(problems));
  const folder = resolve(config.stateDir);
  const existing = await nearestFolder(folder);
  report(await checkWritable(folder, existing));
  report(
    await checkDiskSpace({
      check: "disk",
      folder: existing,
      remedy: `Free space there, or move NOVADRIVE_STATE_DIR to a larger disk: files of rows on their way are kept in it.`,
    }),
  );
  if (!problems.some(({ option }) => option === "schedule" || option === "timezone")) report(checkSchedule(config));
  report(checkBatchLock(folder));
  report(...(await checkPage({ config, problems }, context)));
}

function checkSettings(problems: readonly ConfigProblem[]): readonly Finding[] {
  if (problems.length === 0) return [ok("settings", "All are valid.")];
  return problems.map(({ message }) =>
    failed("settings", message, "Correct it; `novadrive --help` lists all settings."),
  );
}

/** The folder itself, or the first above it that exists. */
async function nearestFolder(folder: string): Promise<string> {
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  return exists || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}

async function checkWritable(folder: string, existing: string): Promise<Finding> {
  const check = "state folder";
  const here = existing === folder;
  const cannot = (why: string) =>
    failed(
      check,
      `${existing} ${why}${here ? "" : `, so ${folder} cannot be made`}.`,
      "Give this user write access to it, or choose another folder with NOVADRIVE_STATE_DIR.",
    );
  try {
    if (!(await stat(existing)).isDirectory()) return cannot("is no folder");
    await access(existing, constants.W_OK | constants.X_OK);
    return ok(check, here ? `${folder} can be written.` : `${folder} will be made by the first batch.`);
  } catch {
    return cannot("cannot be written by this user");
  }
}

function checkSchedule({ schedule, timezone }: Config): Finding {
  const check = "schedule";
  try {
    // A task that is made but not started waits for nothing.
    const [next] = createTask(schedule, () => undefined, { timezone }).getNextRuns(1);
    if (!next) {
      return warning(check, `"${schedule}" is never due.`, "Correct NOVADRIVE_SCHEDULE, a cron expression.");
    }
    const words = cronstrue.toString(schedule, { use24HourTimeFormat: true, throwExceptionOnParseError: false });
    return ok(check, `${words} (${schedule}, ${timezone}); next at ${next.toISOString()}.`);
  } catch (thrown) {
    return failed(
      check,
      `"${schedule}" cannot be planned: ${thrown instanceof Error ? thrown.message : String(thrown)}.`,
      "Correct NOVADRIVE_SCHEDULE, a cron expression.",
    );
  }
}

function checkBatchLock(folder: string): Finding {
  const check = "batch lock";
  try {
    const running = findRunningBatch(folder);
    if (!running) return ok(check, "Free: no batch is running.");
    const { pid } = running;
    return warning(
      check,
      `A batch is running${pid === undefined ? "" : ` in process ${pid}`}; another one cannot begin before it is over.`,
      pid === undefined
        ? "Wait until it is over."
        : `Wait until it is over, or see what it does with \`ps -p ${pid}\`.`,
    );
  } catch (thrown) {
    return failedBy(check, thrown);
  }
}
