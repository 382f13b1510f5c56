/** One batch's load in a process of its own, which ends itself by SIGKILL at the moment that it was told. Prints the outcome as JSON. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { systemClock } from "../../../runtime/core/clock.ts";
import { loadBatch } from "../../../runtime/load/load-batch.ts";
import { parseManifest } from "../../../runtime/manifest/read.ts";
import { createTaskRunner } from "../../../runtime/schedule/task-runner.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import { openWarehouse } from "../../../runtime/warehouse/open.ts";
import type { FirstLoad, FirstLoads, Incoming, Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import type { LoadOnce, LoadedOnce } from "./support.ts";

const given = JSON.parse(process.argv[2] ?? "") as LoadOnce;
const { dieAt, folder } = given;

/** Counts what has happened, and dies when it is time. */
const seen = new Map<string, number>();
async function moment(name: string): Promise<void> {
  const count = (seen.get(name) ?? 0) + 1;
  seen.set(name, count);
  if (dieAt?.moment !== name || dieAt.count !== count) return;
  if (dieAt.ends !== "connections") process.kill(process.pid, "SIGKILL");
  const client = new Client({ connectionString: given.sourceUrl });
  await client.connect();
  await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
  );
  await client.end();
}

const staged = join(folder, "staged");
mkdirSync(staged, { recursive: true });
const log: string[] = [];
const { signal } = new AbortController();
const tasks = createTaskRunner({
  batchId: given.batchId,
  clock: systemClock,
  signal,
  emit: (event) => void (event.type === "log" && log.push(event.message)),
  retry: { retries: given.retries ?? 0, delay: 0, backoff: 1 },
  timeout: 600,
});
const manifest = parseManifest("manifest.yml", given.manifest);
await using source = connectSource({ url: given.sourceUrl, readers: 2, ...given.source });
await using warehouse = watched(await openWarehouse({ url: given.warehouseUrl }));
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
const result: LoadedOnce = {
  error: outcome.error?.report(),
  read: Object.fromEntries(outcome.tables.map(({ name, rows_read }) => [name, rows_read])),
  log,
  peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
};
process.stdout.write(`${JSON.stringify(result)}\n`);

/** With small files, and something to be told by. */
function watched(inner: Warehouse): Warehouse {
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
        return watchedLoad(load);
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
function watchedLoad(load: FirstLoad): FirstLoad {
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
