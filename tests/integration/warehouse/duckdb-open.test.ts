/** Opening a DuckDB file: every way in which it can fail has its own code and says what to do. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtempDisposable, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import { openWarehouse } from "../../../runtime/warehouse/open.ts";

const folder = () => mkdtempDisposable(join(tmpdir(), "novadrive-open-"));
const isRoot = process.getuid?.() === 0;

it("creates the file, and the folders on the way to it", async () => {
  await using dir = await folder();
  const file = join(dir.path, "a", "b", "w.duckdb");
  await using warehouse = await openWarehouse({ url: `duckdb:${file}` });
  expect(await warehouse.readState()).toEqual({ lastBatchId: 0, watermarks: new Map() });
  expect((await stat(file)).isFile()).toBe(true);
});

it("opens a warehouse without a file", async () => {
  await using warehouse = await openWarehouse({ url: "duckdb::memory:" });
  expect((await warehouse.query("select initcap('in memory')")).rows).toEqual([["In Memory"]]);
});

it("names the process that has the file open", async () => {
  await using dir = await folder();
  const file = join(dir.path, "w.duckdb");
  const holder = spawn(process.execPath, [join(import.meta.dirname, "hold-warehouse.ts"), file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await once(holder.stdout, "data");
    await expect(openDuckDb({ file })).rejects.toMatchObject({
      code: "WAREHOUSE_LOCKED",
      message: expect.stringContaining(`process ${holder.pid}`),
      remedy: expect.stringContaining(String(holder.pid)),
      details: { pid: holder.pid },
    });
  } finally {
    const ended = once(holder, "exit");
    holder.kill("SIGKILL");
    await ended;
  }
  await using warehouse = await openDuckDb({ file });
  expect((await warehouse.query("select count(*) from pipeline.batches")).rows).toEqual([["0"]]);
});

it("does not open a file twice in one process, by whatever name", async () => {
  await using dir = await folder();
  await mkdir(join(dir.path, "real"));
  await symlink(join(dir.path, "real"), join(dir.path, "link"));
  const file = join(dir.path, "real", "w.duckdb");
  {
    await using warehouse = await openDuckDb({ file });
    await expect(openDuckDb({ file: join(dir.path, "link", "w.duckdb") })).rejects.toMatchObject({
      code: "WAREHOUSE_LOCKED",
    });
    expect(warehouse.capabilities.managesStageTables).toBe(true);
  }
  await using again = await openDuckDb({ file });
  expect((await again.query("select 1")).rows).toEqual([["1"]]);
});

it("refuses a file that is no DuckDB database", async () => {
  await using dir = await folder();
  const file = join(dir.path, "w.duckdb");
  await writeFile(file, "This is a text. ".repeat(1000));
  await expect(openDuckDb({ file })).rejects.toMatchObject({
    code: "WAREHOUSE_UNREACHABLE",
    message: expect.stringContaining(file),
    details: { file },
  });
  await expect(openDuckDb({ file })).rejects.toMatchObject({ code: "WAREHOUSE_UNREACHABLE" });
});

it("refuses a file that was cut off", async () => {
  await using dir = await folder();
  const file = join(dir.path, "w.duckdb");
  await writeFile(file, Buffer.concat([Buffer.alloc(8), Buffer.from("DUCK"), Buffer.alloc(5000)]));
  await expect(openDuckDb({ file })).rejects.toMatchObject({ code: "WAREHOUSE_UNREACHABLE" });
});

it("refuses a folder that cannot be made", async () => {
  await using dir = await folder();
  await writeFile(join(dir.path, "file"), "");
  await expect(openDuckDb({ file: join(dir.path, "file", "w.duckdb") })).rejects.toMatchObject({
    code: "FOLDER_NOT_WRITABLE",
    details: { folder: join(dir.path, "file") },
  });
});

it.skipIf(isRoot)("refuses a folder that cannot be written", async () => {
  await using dir = await folder();
  const closed = join(dir.path, "closed");
  await mkdir(closed);
  await chmod(closed, 0o500);
  await expect(openDuckDb({ file: join(closed, "w.duckdb") })).rejects.toMatchObject({ code: "FOLDER_NOT_WRITABLE" });
});

it("opens nothing once it is told to stop", async () => {
  await using dir = await folder();
  const reason = new Error("stopped");
  await expect(openDuckDb({ file: join(dir.path, "w.duckdb"), signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
});

it("says that there is no more memory, and goes on afterwards", async () => {
  await using warehouse = await openDuckDb({ file: ":memory:", memoryLimitMb: 100, threads: 1 });
  const failing = warehouse.query(
    "select length(listagg(repeat('x', 1000), ',')) from table(generator(rowcount => 1000000))",
  );
  await expect(failing).rejects.toMatchObject({ code: "WAREHOUSE_FULL" });
  expect((await warehouse.query("select 1")).rows).toEqual([["1"]]);
});
