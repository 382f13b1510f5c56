/** Opens the history's SQLite file: folder, settings, migrations, and what can go wrong with them. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { NovaError } from "../core/errors.ts";
import { MIGRATIONS } from "./schema.ts";

const FILE_NAME = "history.db";

/** How long a statement waits for another process that writes. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * @param folder is created if it does not exist
 * @throws NovaError FOLDER_NOT_WRITABLE, STORE_UNREADABLE
 */
export function openDatabase(folder: string): DatabaseSync {
  makeWritable(folder);
  const file = join(folder, FILE_NAME);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    // NORMAL does not fsync each commit; the few writes that must survive a power cut go through `durably`.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216");
    migrate(database, file);
    return database;
  } catch (thrown) {
    database?.close();
    throw thrown instanceof NovaError ? thrown : unreadable(file, thrown);
  }
}

/** Runs `work` in one transaction. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (thrown) {
    // A full disk makes SQLite roll back by itself, and a second ROLLBACK would hide the first error.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw thrown;
  }
}

/** Like `transaction`, and on disk when it returns: what was committed before is too. */
export function durably<T>(database: DatabaseSync, work: () => T): T {
  database.exec("PRAGMA synchronous = FULL");
  try {
    return transaction(database, work);
  } finally {
    database.exec("PRAGMA synchronous = NORMAL");
  }
}

function makeWritable(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (thrown) {
    throw new NovaError("FOLDER_NOT_WRITABLE", `The state folder ${folder} cannot be written: ${messageOf(thrown)}`, {
      remedy: `Give this user write access to ${folder}, or set NOVADRIVE_STATE_DIR (--state-dir) to another folder.`,
      details: { folder },
      cause: thrown,
    });
  }
}

function migrate(database: DatabaseSync, file: string): void {
  if (versionOf(database) === MIGRATIONS.length) return;
  transaction(database, () => {
    // Read again inside the transaction: another process may have been first.
    const from = versionOf(database);
    if (from > MIGRATIONS.length) {
      throw new NovaError(
        "STORE_UNREADABLE",
        `The run history ${file} has version ${from}; this program knows versions up to ${MIGRATIONS.length}`,
        { remedy: `Run the newer program that wrote it, or move ${file} away: history is lost, data is not.` },
      );
    }
    for (const step of MIGRATIONS.slice(from)) database.exec(step);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function unreadable(file: string, thrown: unknown): NovaError {
  return new NovaError("STORE_UNREADABLE", `The run history ${file} cannot be opened: ${messageOf(thrown)}`, {
    remedy: `Move the file away (mv '${file}' '${file}.bad'), then start again: history is lost, data is not.`,
    details: { file },
    cause: thrown,
  });
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
