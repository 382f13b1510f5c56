/** A process that publishes batch after batch, each with every row of two tables changed, until it is killed. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import { CRASH_ROWS, crashTables } from "./crash-tables.ts";

const [file = ""] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "novadrive-crash-staged-"));
process.stdout.write(`${folder}\n`);
const warehouse = await openDuckDb({ file, threads: 2 });
const tables = crashTables();
await warehouse.prepare({ file: "manifest.yml", tables });

for (let id = (await warehouse.readState()).lastBatchId + 1; ; id++) {
  const publications = [];
  for (const table of tables) {
    const path = join(folder, `${table.name}.csv`);
    const lines = Array.from({ length: CRASH_ROWS }, (_, row) => `${row},"batch ${id}"\n`);
    await writeFile(path, lines.join(""));
    const rows = await warehouse.openIncoming(id, table, "rows");
    await rows.add({ path, rows: CRASH_ROWS, longestRow: 20, bytes: 0 });
    await rows.seal();
    const watermark = { batchId: id, cursor: `batch ${id}`, cursorColumn: "id", fence: {} };
    publications.push({ table, action: "merge" as const, rows, keys: rows, watermark });
  }
  process.stdout.write(`publishing ${id}\n`);
  const batch = { id, uuid: crypto.randomUUID(), snapshot: "2025-01-01T00:00:00.000000Z", startedAt: new Date() };
  await warehouse.publish({ batch, tables: publications });
  process.stdout.write(`published ${id}\n`);
}
