import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtempDisposable, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { diagnoseWarehouse } from "../../../runtime/warehouse/diagnose.ts";
import { openWarehouse } from "../../../runtime/warehouse/open.ts";
import { manifestTable, type TableSketch } from "../../support/manifest-table.ts";

const folder = () => mkdtempDisposable(join(tmpdir(), "novadrive-doctor-"));
const manifest = (...sketches: TableSketch[]) => ({ file: "manifest.yml", tables: sketches.map(manifestTable) });
const SALES: TableSketch = { name: "sales", columns: { id: "integer", note: "varchar(10)" }, primaryKey: ["id"] };

it("makes no warehouse where there is none, and says that the first batch will", async () => {
  await using dir = await folder();
  const file = join(dir.path, "deep", "w.duckdb");
  const findings = await diagnoseWarehouse({ url: `duckdb:${file}`, manifest: manifest(SALES) });
  expect(findings).toMatchObject([
    { check: "warehouse", status: "ok", detail: `${file} will be made by the first batch.` },
    { check: "disk", detail: expect.stringContaining(`free at ${dir.path}`) },
  ]);
  expect(await readdir(dir.path)).toEqual([]);
});

it.skipIf(process.getuid?.() === 0)("says that it cannot be made", async () => {
  await using dir = await folder();
  await chmod(dir.path, 0o500);
  const findings = await diagnoseWarehouse({ url: `duckdb:${join(dir.path, "w.duckdb")}`, manifest: manifest() });
  expect(findings).toMatchObject([
    { check: "warehouse", status: "failed", remedy: expect.stringContaining("write access") },
  ]);
});

it("tells what the next batch will do to each stage table, and does none of it", async () => {
  await using dir = await folder();
  const url = `duckdb:${join(dir.path, "w.duckdb")}`;
  {
    await using warehouse = await openWarehouse({ url });
    await warehouse.prepare(manifest(SALES, { name: "clients", columns: { id: "integer", since: "date" } }));
  }
  const wanted = manifest(
    { ...SALES, columns: { id: "integer", note: "varchar(20)", paid: "decimal(10,2)" } },
    { name: "clients", columns: { id: "integer", since: "boolean", city: "text not null" } },
    { name: "sellers", columns: { id: "integer" } },
  );
  for (const attempt of [1, 2]) {
    const findings = await diagnoseWarehouse({ url, manifest: wanted });
    const stage = findings.filter(({ check }) => check.startsWith("stage "));
    expect(stage, `attempt ${attempt}`).toMatchObject([
      { check: "stage sales", status: "ok", detail: expect.stringContaining('ADD COLUMN "paid"') },
      {
        check: "stage clients",
        status: "failed",
        detail: "clients.since is DATE in the warehouse and BOOLEAN in the manifest.",
        remedy: 'correct data_type, or DROP TABLE "stage"."clients" to load the table anew.',
      },
      { check: "stage sellers", status: "ok", detail: "Will be made by the next batch." },
    ]);
  }
});

it("agrees with a warehouse that agrees with the manifest", async () => {
  await using dir = await folder();
  const file = join(dir.path, "w.duckdb");
  {
    await using warehouse = await openWarehouse({ url: `duckdb:${file}` });
    await warehouse.prepare(manifest(SALES));
  }
  const findings = await diagnoseWarehouse({ url: `duckdb:${file}`, manifest: manifest(SALES) });
  expect(findings.map(({ check, detail }) => [check, detail])).toEqual([
    ["warehouse", expect.stringMatching(/^DuckDB v\d+\.\d+\.\d+; .*w\.duckdb, [\d.]+ .?B, is not in use elsewhere\.$/)],
    ["disk", expect.any(String)],
    ["batches", "None was published yet."],
    ["stage sales", "Agrees with the manifest."],
  ]);
});

it("names the process that has the file open; that of a running batch is no fault", async () => {
  await using dir = await folder();
  const file = join(dir.path, "w.duckdb");
  const holder = spawn(process.execPath, [join(import.meta.dirname, "hold-warehouse.ts"), file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await once(holder.stdout, "data");
    const asked = { url: `duckdb:${file}`, manifest: manifest(SALES) };
    expect(await diagnoseWarehouse(asked)).toMatchObject([
      { check: "warehouse", status: "failed", detail: expect.stringContaining(`process ${holder.pid}`) },
    ]);
    expect(await diagnoseWarehouse({ ...asked, batchProcess: holder.pid })).toMatchObject([
      { check: "warehouse", status: "warning", remedy: expect.stringContaining("Wait until the batch is over") },
    ]);
  } finally {
    const ended = once(holder, "exit");
    holder.kill("SIGKILL");
    await ended;
  }
});

it("says that a file is no warehouse, and that a URL is none", async () => {
  await using dir = await folder();
  const file = join(dir.path, "w.duckdb");
  await writeFile(file, "This is a text. ".repeat(1000));
  expect(await diagnoseWarehouse({ url: `duckdb:${file}`, manifest: manifest() })).toMatchObject([
    { check: "warehouse", status: "failed", remedy: expect.stringContaining("NOVADRIVE_WAREHOUSE_URL") },
  ]);
  expect(await diagnoseWarehouse({ url: "duckdb:", manifest: manifest() })).toMatchObject([
    { check: "warehouse", status: "failed" },
  ]);
});
