import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { MIGRATIONS } from "../../../runtime/store/schema.ts";
import { Store } from "../../../runtime/store/store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "novadrive-database-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function failureOf(work: () => unknown): NovaError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof NovaError) return thrown;
    throw thrown;
  }
  throw new Error("Nothing was thrown");
}

test("a folder that does not exist is created", () => {
  using store = Store.open({ folder: join(folder, "deep", "state") });
  expect(store.batches({ limit: 1 })).toEqual([]);
});

test("a folder that cannot be created is refused by name, with the setting that mends it", () => {
  writeFileSync(join(folder, "file"), "");
  const error = failureOf(() => Store.open({ folder: join(folder, "file", "state") }));
  expect(error.code).toBe("FOLDER_NOT_WRITABLE");
  expect(error.message).toContain(join(folder, "file", "state"));
  expect(error.remedy).toContain("NOVADRIVE_STATE_DIR");
});

test.skipIf(process.getuid?.() === 0)("a folder without write access is refused", () => {
  chmodSync(folder, 0o500);
  expect(failureOf(() => Store.open({ folder })).code).toBe("FOLDER_NOT_WRITABLE");
  chmodSync(folder, 0o700);
});

test("a file that is no database is left alone, and the remedy says how to go on", () => {
  const file = join(folder, "history.db");
  writeFileSync(file, "this is not a database, but something that somebody may want back");
  const error = failureOf(() => Store.open({ folder }));
  expect(error.code).toBe("STORE_UNREADABLE");
  expect(error.message).toContain(file);
  expect(error.remedy).toContain(`mv '${file}'`);
  expect(readFileSync(file, "utf8")).toContain("somebody may want back");
});

test("a history of a newer program is refused, and left as it is", () => {
  const newer = MIGRATIONS.length + 1;
  using database = new DatabaseSync(join(folder, "history.db"));
  database.exec(`PRAGMA user_version = ${newer}`);
  const error = failureOf(() => Store.open({ folder }));
  expect(error.code).toBe("STORE_UNREADABLE");
  expect(error.message).toContain(`version ${newer}`);
  expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: newer });
});

test("an empty file of an interrupted first start is taken over", () => {
  writeFileSync(join(folder, "history.db"), "");
  using store = Store.open({ folder });
  expect(store.nextBatchId(0)).toBe(1);
});

test("opening again keeps what was there", () => {
  {
    using store = Store.open({ folder });
    store.record({ type: "batch_started", batchId: 5, at: new Date(), trigger: "command" });
  }
  using store = Store.open({ folder });
  expect(store.batches({ limit: 9 }).map((batch) => batch.batch_id)).toEqual([5]);
});
