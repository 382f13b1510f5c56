/** Tables of many columns and more rows than one row group of DuckDB, which is what takes memory. */
import { copyFile, mkdtempDisposable, open, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const ROWS = 130_000;

async function wide(folder: string, { columns, rows }: { readonly columns: number; readonly rows: number }) {
  const names = Array.from({ length: columns }, (_, index) => [`c${index}`, "integer"]);
  const path = join(folder, "rows.csv");
  const line = `${Array.from({ length: columns }, (_, index) => index).join(",")}\n`;
  await using file = await open(path, "w");
  for (let row = 0; row < rows; row += 1000) await file.write(line.repeat(1000));
  return {
    table: manifestTable({ name: "wide", columns: Object.fromEntries(names) }),
    file: { path, rows, longestRow: line.length, bytes: (await stat(path)).size },
  };
}

it.each([80, 300])("%i columns are read and published in the memory that there is", async (count) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-wide-"));
  const { table, file } = await wide(folder.path, { columns: count, rows: ROWS });
  await using warehouse = await openDuckDb({ file: join(folder.path, "warehouse.duckdb"), threads: 2 });
  await warehouse.prepare({ file: "manifest.yml", tables: [table] });
  const rows = await warehouse.openIncoming(1, table, "rows");
  await rows.add(file);
  await rows.seal();
  const batch = { id: 1, uuid: "1", snapshot: "2026-01-01T00:00:00.000000Z", startedAt: new Date() };
  const watermark = { batchId: 1, cursor: null, cursorColumn: null, fence: {} };
  const published = await warehouse.publish({ batch, tables: [{ table, action: "replace", rows, watermark }] });
  expect(published).toMatchObject([{ inserted: ROWS }]);
  expect((await warehouse.query("SELECT CURRENT_SETTING('threads')")).rows).toEqual([["2"]]);
});

it("what a killed process has left in the log of 500 columns can be read", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-wide-"));
  const { table, file } = await wide(folder.path, { columns: 500, rows: 5000 });
  const first = join(folder.path, "first.duckdb");
  const killed = join(folder.path, "killed.duckdb");
  {
    await using warehouse = await openDuckDb({ file: first, threads: 2 });
    await warehouse.prepare({ file: "manifest.yml", tables: [table] });
    const rows = await warehouse.openIncoming(1, table, "rows");
    for (let files = 0; files < 5; files += 1) await rows.add(file);
    for (const ending of ["", ".wal"]) await copyFile(`${first}${ending}`, `${killed}${ending}`);
  }
  expect((await stat(`${killed}.wal`)).size).toBeGreaterThan(64 * 2 ** 20);
  await using warehouse = await openDuckDb({ file: killed, threads: 2 });
  const found = await warehouse.query(
    "SELECT sum(estimated_size)::VARCHAR FROM duckdb_tables() WHERE schema_name = 'pipeline_incoming'",
  );
  expect(found.rows).toEqual([["25000"]]);
});
