/** First loads that outlive the process which began them: their files are on the stage, what they stand on is in `pipeline.first_loads`. */
import { randomBytes } from "node:crypto";
import { NovaError } from "../../core/errors.ts";
import type { FirstLoad, FirstLoadRequest, FirstLoads, KeptLoad, StatementOptions } from "../warehouse.ts";
import type { ManifestTable } from "../../manifest/manifest.ts";
import { changes, named, readFence } from "./rows.ts";
import { SnowflakeFirstLoad, type FirstLoadOptions, type Opening } from "./snowflake-first-load.ts";
import { noteFirstLoad, readFirstLoad, type OpenedLoad } from "./sql/first-load.ts";
import { stagePath } from "./sql/names.ts";
import { listFiles, removeFiles } from "./sql/pipeline.ts";
import { loadFolder, readStagedParts, type StagedPart } from "./staged-parts.ts";

export interface FirstLoadsOptions extends Pick<FirstLoadOptions, "sessions" | "usage"> {
  /** Told of each load that is opened. */
  readonly opened: (load: SnowflakeFirstLoad) => void;
}

interface Found extends OpenedLoad {
  readonly kept: KeptLoad;
  readonly parts: readonly StagedPart[];
}

export class SnowflakeFirstLoads implements FirstLoads {
  readonly #options: FirstLoadsOptions;
  /** By table: what `read` has found, so that `open` goes on with exactly that. */
  readonly #found = new Map<string, Found | undefined>();

  constructor(options: FirstLoadsOptions) {
    this.#options = options;
  }

  async read(table: ManifestTable, options: StatementOptions = {}): Promise<KeptLoad | undefined> {
    const found = await this.#find(table, options);
    this.#found.set(table.name, found);
    return found?.kept;
  }

  async open(request: FirstLoadRequest, options: StatementOptions = {}): Promise<FirstLoad> {
    const { table, goesOn, batchId } = request;
    const { sessions, usage, opened } = this.#options;
    sessions.setBatch(batchId);
    const found = this.#found.has(table.name) ? this.#found.get(table.name) : await this.#find(table, options);
    this.#found.delete(table.name);
    const before = goesOn ? found : undefined;
    // A name of its own, so that no file of another load can come in with it.
    const loadId = before?.loadId ?? randomBytes(8).toString("hex");
    const openings = (before?.openings ?? 0) + 1;
    await sessions.use(async (session) => {
      const { inserted, updated } = changes(
        await session.run(noteFirstLoad(request, { loadId, openings }, found), options),
      );
      if (inserted + updated === 0) throw takenByAnother(table);
      if (found && !before) await session.run(removeFiles(stagePath(loadFolder(found.loadId))), options);
    });
    const earlier = openingsOf(before?.parts ?? []);
    const load = new SnowflakeFirstLoad({ sessions, usage, batchId, table, loadId, number: openings, earlier });
    opened(load);
    return load;
  }

  async #find(table: ManifestTable, options: StatementOptions): Promise<Found | undefined> {
    return this.#options.sessions.use(async (session) => {
      const [row] = (await session.run(readFirstLoad(table.name), options)).rows;
      const [loadId, openings, batchId, fence] = row ?? [];
      if (typeof loadId !== "string") return undefined;
      const files = named(await session.run(listFiles(stagePath(loadFolder(loadId))), options), "name");
      const parts = readStagedParts(files.map(({ name }) => name ?? ""));
      const kept: KeptLoad = {
        batchId: Number(batchId),
        fence: readFence(fence),
        notes: parts.flatMap(({ note }) => (note === undefined ? [] : [note])),
        rows: parts.reduce((sum, { rows }) => sum + rows, 0),
      };
      return { loadId, openings: Number(openings), kept, parts };
    });
  }
}

/** Files without a note are among them: their rows are those of a snapshot as well, and what is read again takes their place. */
function openingsOf(parts: readonly StagedPart[]): readonly Opening[] {
  const rows = new Map<number, number>();
  for (const part of parts) rows.set(part.opening, (rows.get(part.opening) ?? 0) + part.rows);
  return Array.from(rows, ([number, count]) => ({ number, rows: count })).toSorted((a, b) => b.number - a.number);
}

function takenByAnother(table: ManifestTable): NovaError {
  return new NovaError("BATCH_RUNNING", `${table.name}: another process goes on with its first load.`, {
    remedy: "See that only one machine loads into this database, and run again.",
    details: { table: table.name },
  });
}
