/** `npm run manifest:lock` as it is run: what it writes, what it says, and with which status it ends. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "novadrive-lock-"));
  const parts = ["package.json", "infra/manifest-lock", "runtime/core", "runtime/manifest", "sql/models/manifest.yml"];
  for (const part of [...parts, "sql/manifest.lock.json"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function run(...flags: readonly string[]) {
  const command = [join(folder, "infra/manifest-lock/main.ts"), ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return { status, stdout, stderr };
}

function edit(from: string, to: string): void {
  const file = join(folder, "sql/models/manifest.yml");
  const before = readFileSync(file, "utf8");
  expect(before).toContain(from);
  writeFileSync(file, before.replace(from, to));
}

const lock = () => readFileSync(join(folder, "sql/manifest.lock.json"), "utf8");

it("takes additions in, and with --check only says that they are missing", () => {
  const before = lock();
  edit("data_type: varchar(255)", "data_type: varchar(300)");
  expect(run("--check")).toEqual({
    status: 1,
    stdout: "",
    stderr:
      "sql/manifest.lock.json is not up to date: run npm run manifest:lock and commit it.\n" +
      "  - new: STAGE.VEICULOS.NOME is VARCHAR(300) instead of VARCHAR(255)\n",
  });
  expect(lock()).toBe(before);
  const written = run();
  expect(written).toMatchObject({ status: 0, stderr: "" });
  expect(written.stdout).toMatch(/^sql\/manifest\.lock\.json is written; commit it with the manifest\.\n/);
  expect(lock()).toContain('{"name": "NOME", "type": "VARCHAR(300)", "nullable": false}');
  expect(run("--check")).toEqual({ status: 0, stdout: "sql/manifest.lock.json is up to date.\n", stderr: "" });
});

it("refuses a loss, and leaves the lock alone", () => {
  const before = lock();
  edit("data_type: varchar(255)", "data_type: varchar(200)");
  const refused = run();
  expect(refused).toMatchObject({ status: 1, stdout: "" });
  expect(refused.stderr).toContain("STAGE.VEICULOS.NOME is narrowed from VARCHAR(255) to VARCHAR(200)");
  expect(lock()).toBe(before);
});

it("shows a manifest's own errors without a stack trace", () => {
  edit("data_type: varchar(255)", "data_type: words");
  const { status, stderr } = run();
  expect(status).toBe(1);
  expect(stderr).toContain('"words" is not a type of the warehouse');
  expect(stderr).not.toContain("    at ");
});
