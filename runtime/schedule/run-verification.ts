/** One whole verification: under the lock of batches, kept in the history, and followed by a repair where that was asked for. */
import { join } from "node:path";
import type { Config } from "../config/options.ts";
import { sourceSettings } from "../config/source-settings.ts";
import { secondsBetween, systemClock, type Clock } from "../core/clock.ts";
import { fromReport, NovaError, toNovaError } from "../core/errors.ts";
import type { EventBus } from "../core/events.ts";
import type { WarehouseUsage } from "../core/result.ts";
import type { Repaired, VerificationResult } from "../core/verification.ts";
import { verifyTables, type Verified } from "../load/verify.ts";
import { keepsRows, type ManifestTable } from "../manifest/manifest.ts";
import { readManifest } from "../manifest/read.ts";
import { connectSource } from "../source/postgres.ts";
import type { Store } from "../store/store.ts";
import { openWarehouse } from "../warehouse/open.ts";
import { acquireBatchLock } from "./batch-lock.ts";
import { cacheFolder } from "./build-models.ts";
import { selectTables } from "./load-tables.ts";
import { runBatch, type RunBatchOptions } from "./run-batch.ts";
import { createTaskRunner } from "./task-runner.ts";

export interface RunVerificationOptions {
  readonly config: Config;
  readonly store: Store;
  readonly events: EventBus;
  readonly signal: AbortSignal;
  /** Names of tables; all if empty. */
  readonly tables?: readonly string[] | undefined;
  /** Whether tables that differ are loaded anew, and verified again. */
  readonly repair?: boolean | undefined;
  readonly clock?: Clock | undefined;
  /** How the settings' warehouse is opened, if not by its URL. */
  readonly openWarehouse?: typeof openWarehouse | undefined;
}

/** @throws NovaError BATCH_RUNNING, VERIFY_NOT_LOADED, TABLE_UNKNOWN, and those of the source and the warehouse */
export async function runVerification(options: RunVerificationOptions): Promise<VerificationResult> {
  const { clock = systemClock, repair = false } = options;
  const startedAt = clock.now();
  const first = await verifyOnce(options, clock);
  const unequal = first.tables.filter((table) => !table.equal);
  if (!repair || unequal.length === 0) return resultOf(first, startedAt, clock);
  const repaired = await repairTables(options, repairsOf(first));
  const second = await verifyOnce(options, clock);
  return { ...resultOf(second, startedAt, clock), repair: { ...repaired, found: unequal } };
}

interface VerifiedOnce extends Verified {
  readonly manifestTables: readonly ManifestTable[];
  readonly usage: WarehouseUsage | null;
}

function resultOf({ snapshot, tables, usage }: VerifiedOnce, startedAt: Date, clock: Clock): VerificationResult {
  const equal = tables.every((table) => table.equal);
  const seconds = secondsBetween(startedAt, clock.now());
  return { equal, snapshot, seconds, tables, ...(usage && { usage }) };
}

async function verifyOnce(options: RunVerificationOptions, clock: Clock): Promise<VerifiedOnce> {
  const { config, events, signal, store } = options;
  using _lock = acquireBatchLock(config.stateDir);
  const manifest = readManifest(join(config.projectDir, "models", "manifest.yml"));
  const tables = selectTables(manifest, options.tables ?? []);
  const warn = (message: string) => events.emit({ type: "log", batchId: 0, at: clock.now(), level: "warn", message });
  const tasks = createTaskRunner({
    batchId: 0,
    clock,
    signal,
    emit: (event) => events.emit(event),
    retry: { retries: config.retries, delay: config.retryDelay, backoff: config.retryBackoff },
    timeout: config.taskTimeout,
  });
  const open = options.openWarehouse ?? openWarehouse;
  await using source = connectSource({ ...sourceSettings(config), warn, clock });
  await using warehouse = await open({ url: config.warehouseUrl, cacheFolder: cacheFolder(config), warn });
  const verified = await verifyTables({ tables, source, warehouse, tasks, clock, concurrency: 1 }).catch(
    (thrown: unknown) => {
      throw signal.aborted ? toNovaError(signal.reason) : thrown;
    },
  );
  store.recordVerification({ at: clock.now(), snapshot: verified.snapshot, tables: verified.tables });
  return { ...verified, manifestTables: tables, usage: warehouse.usage() };
}

/**
 * A batch of its own, which loads what is new as every batch does and reads the tables that differ whole: so all stage tables show one instant
 * again, and the models follow.
 */
async function repairTables(
  { config, store, events, signal, clock, openWarehouse: open }: RunVerificationOptions,
  how: Repairs,
): Promise<{ readonly batch_id: number; readonly tables: readonly Repaired[] }> {
  const batch = await runBatch({
    config,
    store,
    events,
    trigger: "command",
    signal,
    repair: how,
    clock,
    openWarehouse: open,
  });
  const failed = batch.error ?? batch.tables.find((table) => how.has(table.name) && table.error)?.error;
  if (failed) throw fromReport(failed);
  const tables = batch.tables.flatMap(({ name, inserted, updated, deleted }) =>
    how.has(name) ? [{ name, inserted, updated, deleted }] : [],
  );
  return { batch_id: batch.batch_id, tables };
}

type Repairs = NonNullable<RunBatchOptions["repair"]>;

/** @throws NovaError VERIFY_NOT_REPAIRABLE for rows that only a replacement could put right, in tables whose rows a replacement would lose */
function repairsOf({ tables, unmergeable, manifestTables }: VerifiedOnce): Repairs {
  const kept = unmergeable.filter((name) => manifestTables.some((table) => table.name === name && keepsRows(table)));
  if (kept.length > 0) throw notRepairable(kept);
  const keyless = new Set(manifestTables.filter((table) => table.primaryKey.length === 0).map(({ name }) => name));
  const replaced = (name: string) => keyless.has(name) || unmergeable.includes(name);
  return new Map(
    tables.flatMap(({ name, equal }) => (equal ? [] : [[name, replaced(name) ? "replace" : "merge"] as const])),
  );
}

function notRepairable(names: readonly string[]): NovaError {
  const tables = names.map((name) => `--table ${name}`).join(" ");
  return new NovaError(
    "VERIFY_NOT_REPAIRABLE",
    `${names.join(", ")}: rows of the stage table stand there twice, or have no key, and it keeps rows that the source has deleted, which loading it anew would lose. Nothing was repaired.`,
    {
      remedy: `Take the rows out of the stage table by hand (\`novadrive verify ${tables}\` names their keys) and repair then; or \`novadrive run --full-refresh ${tables}\` loads the rows anew that the source has, without the others.`,
      details: { tables: names },
    },
  );
}
