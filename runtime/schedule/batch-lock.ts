/** One batch at a time for one state folder, across processes; the operating system lets go of the lock when a process dies. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { NovaError } from "../core/errors.ts";

/**
 * Takes the lock without waiting. SQLite's own file lock is used because Node has none: it holds on every platform,
 * and unlike a file with a process id it cannot be left behind by a crash.
 *
 * @throws NovaError BATCH_RUNNING naming the process that holds it, FOLDER_NOT_WRITABLE
 */
export function acquireBatchLock(folder: string): Disposable {
  const holder = join(folder, "batch.pid");
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    database = new DatabaseSync(join(folder, "batch.lock"), { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    writeFileSync(holder, String(process.pid));
  } catch (cause) {
    database?.close();
    throw isBusy(cause) ? running(folder, holder, cause) : notWritable(folder, cause);
  }
  const held = database;
  return { [Symbol.dispose]: () => held.close() };
}

/**
 * Whether a batch runs for the state folder, and in which process if that is known. Only reads.
 *
 * @throws NovaError FOLDER_NOT_WRITABLE if this user may not even read the lock
 */
export function findRunningBatch(folder: string): { readonly pid: number | undefined } | undefined {
  const file = join(folder, "batch.lock");
  if (!existsSync(file)) return undefined;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0, readOnly: true });
    database.exec("SELECT count(*) FROM sqlite_schema");
    return undefined;
  } catch (cause) {
    if (!isBusy(cause)) throw notWritable(folder, cause);
    const pid = Number(readHolder(join(folder, "batch.pid")));
    return { pid: Number.isInteger(pid) && pid > 0 ? pid : undefined };
  } finally {
    database?.close();
  }
}

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && "errcode" in thrown && thrown.errcode === SQLITE_BUSY;
}

function running(folder: string, holder: string, cause: unknown): NovaError {
  return new NovaError("BATCH_RUNNING", `Another batch is running in ${folder}${describeHolder(holder)}.`, {
    cause,
    remedy: "Wait until it is over, or use another --state-dir and --warehouse-url.",
  });
}

function notWritable(folder: string, cause: unknown): NovaError {
  return new NovaError("FOLDER_NOT_WRITABLE", `The state folder ${folder} cannot be written.`, {
    cause,
    remedy: "Give this user write access to it, or choose another with --state-dir.",
  });
}

function describeHolder(file: string): string {
  const pid = readHolder(file);
  return pid === "" ? "" : ` (process ${pid})`;
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
