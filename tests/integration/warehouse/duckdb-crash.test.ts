/** kill -9 at any point of a publication leaves all of a batch or none of it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import { CRASH_ROWS, crashTables } from "./crash-tables.ts";

/** Milliseconds after the beginning of a publication; the process dies in different steps of it. */
const MOMENTS = [0, 3, 10, 25, 60, 120];

it("leaves whole batches only", async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), "novadrive-crash-"));
  const file = join(dir.path, "w.duckdb");
  let last = 0;
  for (const [round, moment] of MOMENTS.entries()) {
    const promised = await killWhilePublishing(file, moment, round % 2 === 0 ? 1 : 2);
    await using warehouse = await openDuckDb({ file });
    const { lastBatchId, watermarks } = await warehouse.readState();
    expect(lastBatchId).toBeGreaterThanOrEqual(Math.max(last, promised));
    expect(lastBatchId).toBeLessThanOrEqual(promised + 1);
    last = lastBatchId;
    if (lastBatchId === 0) continue;
    for (const { name } of crashTables()) {
      const { rows } = await warehouse.query(
        `select count(*), count(distinct id), min(note), max(note), min(_batch_id), max(_batch_id) from stage.${name}`,
      );
      const note = `batch ${lastBatchId}`;
      const counted = String(CRASH_ROWS);
      expect(rows).toEqual([[counted, counted, note, note, String(lastBatchId), String(lastBatchId)]]);
      expect(watermarks.get(name)).toMatchObject({ batchId: lastBatchId, cursor: note });
    }
    const batches = await warehouse.query("select count(*), max(batch_id) from pipeline.batches");
    expect(batches.rows).toEqual([[String(lastBatchId), String(lastBatchId)]]);
    await warehouse.prepare({ file: "manifest.yml", tables: crashTables() });
    expect(await warehouse.relations("pipeline_incoming")).toEqual([]);
  }
  expect(last).toBeGreaterThan(0);
});

/** @returns the last batch that the process had said to be published */
async function killWhilePublishing(file: string, moment: number, times: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "publish-forever.ts"), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let promised = 0;
  let staged: string | undefined;
  let publications = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    staged ??= line;
    const published = /^published (\d+)$/.exec(line)?.[1];
    if (published !== undefined) promised = Number(published);
    if (!line.startsWith("publishing") || ++publications < times) continue;
    if (promised === 0) promised = Number(line.split(" ")[1]) - 1;
    void wait(moment).then(() => child.kill("SIGKILL"));
  }
  await ended;
  if (staged !== undefined) await rm(staged, { recursive: true, force: true });
  return promised;
}
