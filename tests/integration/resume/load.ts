/** One batch's load, which ends its process by SIGKILL at the moment that it was told. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { systemClock } from "../../../runtime/core/clock.ts";
import type { ErrorReport } from "../../../runtime/core/errors.ts";
import { loadBatch } from "../../../runtime/load/load-batch.ts";
import { parseManifest } from "../../../runtime/manifest/read.ts";
import { createTaskRunner } from "../../../runtime/schedule/task-runner.ts";
import { connectSource, type SourceOptions } from "../../../runtime/source/postgres.ts";
import { openWarehouse } from "../../../runtime/warehouse/open.ts";
import type { FirstLoad, FirstLoads, Incoming, Warehouse } from "../../../runtime/warehouse/warehouse.ts";

export interface LoadOnce {
  readonly sourceUrl: string;
  readonly warehouseUrl: string;
  readonly manifest: string;
  readonly folder: string;
  readonly batchId: number;
  readonly fileBytes: number;
  readonly keepFrom: number;
  readonly retries?: number | undefined;
  readonly source?: Pick<SourceOptions, "rowsPerSecond" | "snapshotLimit" | "guards"> | undefined;
  /** A guard that is switched off. */
  readonly without?: "complete" | undefined;
  /** When the moment comes for the n-th time, the process ends itself, or all connections to the source. */
  readonly dieAt?: Moment | undefined;
}

interface Moment {
  readonly moment: string;
  readonly count: number;
  /** What ends; the process unless told. */
  readonly ends?: "process" | "connections" | undefined;
}

export interface LoadedOnce {
  readonly error?: ErrorReport | undefined;
  /** Rows, by table. */
  readonly read: Readonly<Record<string, number>>;
  readonly log: readonly string[];
}

type Happened = (moment: string) => Promise<void>;

export async function loadOnce(given: LoadOnce): Promise<LoadedOnce> {
  const staged = join(given.folder, "staged");
  mkdirSync(staged, { recursive: true });
  const log: string[] = [];
  const tasks = createTaskRunner({
    batchId: given.batchId,
    clock: systemClock,
    signal: new AbortController().signal,
    emit: (event) => void (event.type === "log" && log.push(event.message)),
    retry: { retries: given.retries ?? 0, delay: 0, backoff: 1 },
    timeout: 600,
  });
  const manifest = parseManifest("manifest.yml", given.manifest);
  await using source = connectSource({ url: given.sourceUrl, readers: 2, ...given.source });
  await using warehouse = watched(await openWarehouse({ url: given.warehouseUrl }), given);
  const outcome = await loadBatch({
    batchId: given.batchId,
    manifest,
    tables: manifest.tables,
    source,
    warehouse,
    tasks,
    fullRefresh: false,
    folder: staged,
    concurrency: 2,
    onSnapshot: () => {},
    keepFrom: given.keepFrom,
  });
  return {
    error: outcome.error?.report(),
    read: Object.fromEntries(outcome.tables.map(({ name, rows_read }) => [name, rows_read])),
    log,
  };
}

/** Counts what has happened, and ends things when it is time. */
function counting({ dieAt, sourceUrl }: LoadOnce): Happened {
  const seen = new Map<string, number>();
  return async (moment) => {
    const count = (seen.get(moment) ?? 0) + 1;
    seen.set(moment, count);
    if (dieAt?.moment !== moment || dieAt.count !== count) return;
    if (dieAt.ends !== "connections") process.kill(process.pid, "SIGKILL");
    const client = new Client({ connectionString: sourceUrl });
    await client.connect();
    await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'test helper' AND pid <> pg_backend_pid()",
    );
    await client.end();
  };
}

/** With small files, and something to be told by. */
function watched(inner: Warehouse, given: LoadOnce): Warehouse {
  const moment = counting(given);
  const { firstLoads } = inner;
  const publish = inner.publish.bind(inner);
  const stagedFiles = { ...inner.capabilities.stagedFiles, targetBytes: given.fileBytes };
  return Object.assign(inner, {
    capabilities: { ...inner.capabilities, stagedFiles },
    firstLoads: firstLoads && {
      read: firstLoads.read.bind(firstLoads),
      open: async (...args: Parameters<FirstLoads["open"]>) => {
        const load = await firstLoads.open(...args);
        await moment("opened");
        return watchedLoad(load, given, moment);
      },
    },
    publish: async (...args: Parameters<Warehouse["publish"]>) => {
      await moment("publish");
      const published = await publish(...args);
      await moment("published");
      return published;
    },
  });
}

/** The warehouse knows its own by their class, so they are changed in place. */
function watchedLoad(load: FirstLoad, given: LoadOnce, moment: Happened): FirstLoad {
  const { add, complete, seal } = load;
  return Object.assign(load, {
    add: async (...args: Parameters<FirstLoad["add"]>) => {
      await moment("take");
      // The file is on its way when the process dies.
      const [taken] = await Promise.allSettled([add.apply(load, args), moment("taking")]);
      if (taken.status === "rejected") throw taken.reason;
      await moment("taken");
    },
    complete: async (...args: Parameters<FirstLoad["complete"]>) => {
      await moment("complete");
      if (given.without !== "complete") await complete.apply(load, args);
      await moment("completed");
    },
    seal: async (...args: Parameters<Incoming["seal"]>) => {
      const rows = await seal.apply(load, args);
      await moment("sealed");
      return rows;
    },
  });
}
