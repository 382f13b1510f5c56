import { appendFile, cp, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectFingerprint } from "../../../runtime/schedule/project-fingerprint.ts";
import { SQL_FOLDER } from "../../support/dealership.ts";

test.each([
  "dbt_project.yml",
  "models/dimensions/dim_estados.sql",
  "models/staging/staging.yml",
  "macros/sales.sql",
  "tests/sale_price_within_list_price.sql",
])("changes with %s", async (file) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-fingerprint-"));
  await cp(SQL_FOLDER, folder.path, { recursive: true });
  const before = await projectFingerprint(folder.path, {});
  expect(await projectFingerprint(folder.path, {})).toBe(before);
  const more = file.endsWith(".sql") ? "-- x\n" : file.startsWith("models/") ? "exposures: []\n" : "# x\n";
  await appendFile(join(folder.path, file), more);
  expect(await projectFingerprint(folder.path, {})).not.toBe(before);
});

test("changes with a new model, and with variables that templates can read, but with nothing else", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-fingerprint-"));
  await cp(SQL_FOLDER, folder.path, { recursive: true });
  const before = await projectFingerprint(folder.path, { HOME: "/a", DBT_X: "1" });
  expect(await projectFingerprint(folder.path, { DBT_X: "1", HOME: "/b" })).toBe(before);
  expect(await projectFingerprint(folder.path, { DBT_X: "2" })).not.toBe(before);
  await writeFile(join(folder.path, "notes.txt"), "nothing of the project's");
  expect(await projectFingerprint(folder.path, { DBT_X: "1" })).toBe(before);
  await writeFile(join(folder.path, "models/new.sql"), "select 1 as x");
  expect(await projectFingerprint(folder.path, { DBT_X: "1" })).not.toBe(before);
});
