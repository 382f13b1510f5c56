/** Tables of many columns and more rows than one row group of DuckDB, which is what takes memory. */
import { mkdtempDisposable, open, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const ROWS = 130_000;

it.each([80, 300])("%i columns are read and published in the memory that there is", async (count) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-wide-"));
  const columns = Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, "integer"]));
  const table = manifestTable({ name: "wide", columns });
  const path = join(folder.path, "rows.csv");
  const line = `${Array.from({ length: count }, (_, index) => index).join(",")}\n`;
  {
    await using file = await open(path, "w");
    for (let row = 0; row < ROWS; row += 1000) await file.write(line.repeat(1000));
  }
  await using warehouse = await openDuckDb({ file: join(folder.path, "warehouse.duckdb"), threads: 2 });
  await warehouse.prepare({ file: "manifest.yml", tables: [table] });
  const rows = await warehouse.openIncoming(1, table, "rows");
  await rows.add({ path, rows: ROWS, bytes: (await stat(path)).size });
  await rows.seal();
  const batch = { id: 1, uuid: "1", snapshot: "2026-01-01T00:00:00.000000Z", startedAt: new Date() };
  const watermark = { batchId: 1, cursor: null, cursorColumn: null, fence: {} };
  const published = await warehouse.publish({ batch, tables: [{ table, action: "replace", rows, watermark }] });
  expect(published).toMatchObject([{ inserted: ROWS }]);
  expect((await warehouse.query("SELECT CURRENT_SETTING('threads')")).rows).toEqual([["2"]]);
});
