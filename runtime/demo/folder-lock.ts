/** One demo per folder: a lock that the operating system takes back however the process ends, kill -9 included. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { NovaError } from "../core/errors.ts";

/**
 * Makes the folder if need be and locks it.
 *
 * Node has no flock; SQLite's file lock is the kernel's own. A file with a process id would have to guess whether that process, or
 * another one with the same number, still lives.
 *
 * @throws NovaError FOLDER_NOT_WRITABLE; DEMO_RUNNING when another process, or this one, has it locked
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const holder = path.join(folder, "demo.pid");
  let database: DatabaseSync | undefined;
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    database = new DatabaseSync(path.join(folder, "demo.lock"));
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    await writeFile(holder, `${process.pid}\n`);
  } catch (thrown) {
    database?.close();
    if (thrown instanceof Error && /database is locked/.test(thrown.message)) {
      const pid = (await readFile(holder, "utf8").catch(() => "")).trim();
      throw new NovaError("DEMO_RUNNING", `A demo already runs in ${folder}${pid === "" ? "" : ` (process ${pid})`}`);
    }
    throw notWritable(folder, thrown);
  }
  const held = database;
  return {
    async [Symbol.asyncDispose]() {
      if (held.isOpen) held.close();
    },
  };
}

/** @param cause what the file system said */
export function notWritable(folder: string, cause: unknown): NovaError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new NovaError("FOLDER_NOT_WRITABLE", `The demo cannot write to ${folder}: ${why}`, {
    remedy: "Give the user write access to it, or choose another folder with --dir.",
    cause,
  });
}
