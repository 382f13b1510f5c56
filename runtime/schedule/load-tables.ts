/** The loading half of a batch: the source, the tables that were asked for, and what the history is told of them. */
import { join } from "node:path";
import type { Config } from "../config/options.ts";
import { readersOf, sourceSettings } from "../config/source-settings.ts";
import type { Clock } from "../core/clock.ts";
import { NovaError } from "../core/errors.ts";
import type { EventBus } from "../core/events.ts";
import { KeyStore } from "../load/key-store.ts";
import { loadBatch, type LoadBatchOptions, type LoadOutcome } from "../load/load-batch.ts";
import type { Manifest, ManifestTable } from "../manifest/manifest.ts";
import { connectSource } from "../source/postgres.ts";

export interface LoadTablesOptions extends Omit<
  LoadBatchOptions,
  "tables" | "source" | "folder" | "keyStore" | "concurrency" | "clock"
> {
  readonly config: Config;
  readonly events: EventBus;
  readonly clock: Clock;
  /** Names of tables to load; all if empty. */
  readonly names: readonly string[];
}

/** @throws NovaError TABLE_UNKNOWN, CONFIG_INVALID; what goes wrong later is in the outcome */
export async function loadTables({ config, events, names, ...options }: LoadTablesOptions): Promise<LoadOutcome> {
  const { batchId, clock } = options;
  const tables = selectTables(options.manifest, names);
  const warn = (message: string) => events.emit({ type: "log", batchId, at: clock.now(), level: "warn", message });
  await using source = connectSource({ ...sourceSettings(config), warn, clock });
  const outcome = await loadBatch({
    ...options,
    tables,
    source,
    folder: join(config.stateDir, "staged"),
    keyStore: new KeyStore(join(config.stateDir, "keys")),
    concurrency: readersOf(config),
  });
  for (const result of outcome.tables) events.emit({ type: "table_finished", batchId, at: clock.now(), result });
  return outcome;
}

/** @throws NovaError TABLE_UNKNOWN */
export function selectTables(manifest: Manifest, names: readonly string[]): readonly ManifestTable[] {
  if (names.length === 0) return manifest.tables;
  const unknown = names.filter((name) => !manifest.tables.some((table) => table.name === name));
  if (unknown.length > 0) {
    const known = manifest.tables.map((table) => table.name).join(", ");
    throw new NovaError("TABLE_UNKNOWN", `${unknown.join(", ")}: not in the manifest, which has ${known}.`);
  }
  return manifest.tables.filter((table) => names.includes(table.name));
}
