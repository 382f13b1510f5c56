/** What dead batches have left behind goes, but first loads that can be gone on with. */
import type { Manifest } from "../../manifest/manifest.ts";
import { named } from "./rows.ts";
import { findFirstLoads, forgetFirstLoads } from "./sql/first-load.ts";
import { incomingTable, STAGE, stagePath } from "./sql/names.ts";
import { dropIncomingTable, isIncomingTable, listFiles, removeFiles } from "./sql/pipeline.ts";
import { loadFolder, readStagedParts } from "./staged-parts.ts";
import type { Statement, StatementResult } from "./statement.ts";

type Run = (statement: Statement) => Promise<StatementResult>;

/** @param tables names of all tables of the pipeline's schema */
export async function removeLeftovers(run: Run, tables: readonly string[], manifest: Manifest): Promise<void> {
  for (const table of tables.filter(isIncomingTable)) await run(dropIncomingTable(incomingTable(table)));
  const files = named(await run(listFiles(`@${STAGE}`)), "name").map(({ name }) => name ?? "");
  if (files.length === 0) return;
  const loads = new Set(readStagedParts(files).map(({ loadId }) => loadId));
  const kept = loads.size > 0 ? await keptLoads(run, manifest) : new Set<string>();
  const wanted = loads.intersection(kept);
  if (wanted.size === 0) {
    await run(removeFiles(`@${STAGE}`));
    return;
  }
  const batches = new Set(files.flatMap((file) => /^[^/]+\/(\d+)\//.exec(file)?.[1] ?? []));
  const folders = [...batches, ...[...loads.difference(wanted)].map((loadId) => loadFolder(loadId))];
  for (const folder of folders) await run(removeFiles(stagePath(folder)));
}

/** Those of tables of the manifest that were never published; the others are forgotten. Needs the warehouse, so it is asked only if there are files. */
async function keptLoads(run: Run, { tables }: Manifest): Promise<ReadonlySet<string>> {
  const names = new Set(tables.map(({ name }) => name));
  const loads = (await run(findFirstLoads())).rows.map(([table, loadId, published]) => ({
    table: table ?? "",
    loadId: loadId ?? "",
    isKept: published === null && names.has(table ?? ""),
  }));
  const gone = loads.filter(({ isKept }) => !isKept);
  if (gone.length > 0) await run(forgetFirstLoads(gone.map(({ table }) => table)));
  return new Set(loads.filter(({ isKept }) => isKept).map(({ loadId }) => loadId));
}
