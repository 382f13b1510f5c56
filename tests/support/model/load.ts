/** One batch of the model-based test: the load as a batch runs it, in this process or in one that is there to be killed. */
import { join } from "node:path";
import { systemClock } from "../../../runtime/core/clock.ts";
import { KeyStore } from "../../../runtime/load/key-store.ts";
import { loadBatch, type KnownState, type LoadOutcome } from "../../../runtime/load/load-batch.ts";
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { createTaskRunner } from "../../../runtime/schedule/task-runner.ts";
import type { Guards } from "../../../runtime/source/guards.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import type { Source } from "../../../runtime/source/source.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import { hookedSource, hookedWarehouse, type At } from "./hooked.ts";
import type { Batch } from "./steps.ts";
import { MODEL_TABLES, type TableName } from "./tables.ts";

export interface LoadOptions {
  readonly source: Source;
  readonly warehouse: Warehouse;
  readonly batchId: number;
  readonly tables: readonly TableName[];
  readonly how: Batch["how"];
  /** For staged files. */
  readonly folder: string;
  readonly at: At;
  /** Of a warehouse that is billed. */
  readonly remembered?: KnownState | undefined;
  readonly onWake?: (() => void) | undefined;
  /** For tests of the test: takes a guarantee away. What it does to the warehouse passes the points of the batch as well. */
  readonly weaken?: ((warehouse: Warehouse) => Warehouse) | undefined;
}

/** Milliseconds; what locks a table is to let go before, see `World`. */
const LOCK_TIMEOUT = 5_000;

/** @param at is told of the moment between the fences and the snapshot */
export function connectModel(url: string, at: At, guards?: Partial<Guards>): Source {
  // The margin is for transactions that have begun and do not show it yet. Here each statement has ended before the next begins; with it, no
  // cursor would ever be ahead of a row that was written a moment ago.
  const changed = { margin: 0, between: () => at("fences"), ...guards };
  return connectSource({ url, readers: 2, lockTimeout: LOCK_TIMEOUT, guards: changed });
}

export async function loadModel(options: LoadOptions): Promise<LoadOutcome> {
  const { source, warehouse, batchId, how, folder, at, remembered, onWake, weaken = (same) => same } = options;
  const tables = tablesOf(options.tables, how);
  return await loadBatch({
    batchId,
    manifest: { file: "manifest.yml", tables },
    tables,
    source: hookedSource(source, at),
    warehouse: weaken(hookedWarehouse(warehouse, at)),
    tasks: taskRunner(batchId),
    fullRefresh: how === "full-refresh",
    repair: how === "repair" ? new Map(tables.map((table) => [table.name, repairOf(table)])) : undefined,
    folder,
    keyStore: new KeyStore(join(folder, "keys")),
    // However small: a batch that failed leaves something to go on with.
    keepFrom: 0,
    concurrency: 1,
    onSnapshot: () => {},
    remembered,
    mayRest: true,
    onWake,
  });
}

/** What has no key cannot be merged. */
const repairOf = ({ primaryKey }: ManifestTable) => (primaryKey.length > 0 ? "merge" : "replace");

export function tablesOf(names: readonly TableName[], how: Batch["how"]): readonly ManifestTable[] {
  return names.map((name) => {
    const { manifest } = MODEL_TABLES[name];
    return how === "sweep" && name === "pointed"
      ? { ...manifest, sync: { ...manifest.sync, detect: "scan" } }
      : manifest;
  });
}

/** Errors that may pass are tried again, once and at once. */
export function taskRunner(batchId: number) {
  return createTaskRunner({
    batchId,
    clock: systemClock,
    signal: new AbortController().signal,
    emit: () => {},
    retry: { retries: 1, delay: 0, backoff: 1 },
    timeout: 60,
  });
}
