/** Rows or keys of one table from the snapshot into the warehouse: files flow in while later ones are still being written. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { StagedFile } from "../core/staged-file.ts";
import type { TaskContext } from "../core/task.ts";
import type { KeySelection } from "../manifest/fingerprint.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import type { ExtractSummary, Since, SourceSnapshot } from "../source/source.ts";
import type { IncomingPurpose, Warehouse } from "../warehouse/warehouse.ts";

export interface TransferOptions {
  readonly table: ManifestTable;
  readonly snapshot: SourceSnapshot;
  readonly warehouse: Warehouse;
  /** Folder for staged files; a folder of the table's own is made in it, and removed. */
  readonly folder: string;
}

export interface Transfer {
  readonly what: IncomingPurpose;
  readonly since?: Since | undefined;
  readonly within?: KeySelection | undefined;
  /** See ExtractRequest. */
  readonly taken?: readonly string[] | undefined;
  readonly take: (file: StagedFile, note: string | undefined) => Promise<void>;
  readonly context: TaskContext;
}

export async function transfer(
  { table, snapshot, warehouse, ...options }: TransferOptions,
  { take, context, ...which }: Transfer,
): Promise<ExtractSummary> {
  const folder = join(options.folder, encodeURIComponent(`${table.name}-${which.what}`));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    return await snapshot.extract({
      table,
      ...which,
      format: warehouse.capabilities.stagedFiles,
      folder,
      take,
      progress: (progress) => context.progress(progress),
      signal: context.signal,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
