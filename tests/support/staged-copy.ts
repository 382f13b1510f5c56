/** Loads tables of a source into a warehouse as a batch does, without the rest of a batch. */
import { randomUUID } from "node:crypto";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shownBy } from "../../runtime/load/verified-ground.ts";
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";
import type { SourceSnapshot } from "../../runtime/source/source.ts";
import type { Warehouse } from "../../runtime/warehouse/warehouse.ts";

export interface StagedCopy {
  readonly snapshot: SourceSnapshot;
  readonly warehouse: Warehouse;
  readonly tables: readonly ManifestTable[];
  readonly batchId: number;
}

/** The stage tables must be there already. */
export async function copyIntoStage({ snapshot, warehouse, tables, batchId }: StagedCopy): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-copy-"));
  const loaded = [];
  for (const table of tables) {
    const rows = await warehouse.openIncoming(batchId, table, "rows");
    await snapshot.extract({
      table,
      what: "rows",
      format: warehouse.capabilities.stagedFiles,
      folder: folder.path,
      take: (file) => rows.add(file),
      progress: () => {},
      signal: AbortSignal.timeout(60_000),
    });
    const fence = shownBy(snapshot, await rows.seal());
    const watermark = { batchId, cursor: null, cursorColumn: null, fence };
    loaded.push({ table, action: "replace" as const, rows, watermark });
  }
  const batch = { id: batchId, uuid: randomUUID(), snapshot: snapshot.at, startedAt: new Date() };
  await warehouse.publish({ batch, tables: loaded });
}
