import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const ROWS = 200_000;
const TEXTS = 39;

const columns = Object.fromEntries(
  Array.from({ length: TEXTS + 1 }, (_, index) => [`c${index}`, index === 0 ? "integer not null" : "varchar(100)"]),
);
const table = manifestTable({ name: "wide", columns, primaryKey: ["c0"], sync: { mode: "incremental", cursor: "c0" } });

/** Every text is another one in every round. */
async function writeRows(path: string, round: number): Promise<void> {
  await using file = await open(path, "w");
  for (let from = 0; from < ROWS; from += 10_000) {
    const lines = Array.from({ length: 10_000 }, (_, offset) => {
      const id = from + offset;
      const texts = Array.from(
        { length: TEXTS },
        (__, k) => `"${(id * 31 + k * 7 + round).toString(36)} some text here"`,
      );
      return `${id},${texts.join(",")}\n`;
    });
    await file.write(lines.join(""));
  }
}

test("every row of a wide table can change in one batch, in the memory that there is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-memory-"));
  try {
    await using warehouse = await openDuckDb({ file: join(folder, "warehouse.duckdb") });
    await warehouse.prepare({ file: "manifest.yml", tables: [table] });
    const path = join(folder, "rows.csv");
    for (const [round, counts] of [
      { inserted: ROWS, updated: 0 },
      { inserted: 0, updated: ROWS },
    ].entries()) {
      await writeRows(path, round);
      const rows = await warehouse.openIncoming(round + 1, table, "rows");
      await rows.add({ path, rows: ROWS, longestRow: 5000, bytes: (await stat(path)).size });
      await rows.seal();
      const batch = {
        id: round + 1,
        uuid: String(round),
        snapshot: "2026-01-01T00:00:00.000000Z",
        startedAt: new Date(),
      };
      const watermark = { batchId: batch.id, cursor: null, cursorColumn: null, fence: {} };
      const [published] = await warehouse.publish({
        batch,
        tables: [{ table, action: "merge", rows, keys: rows, watermark }],
      });
      expect(published).toMatchObject({ ...counts, rows: ROWS, deleted: 0 });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
