/** What the settings say of how the source is read. */
import { availableParallelism } from "node:os";
import { requireSourceUrl } from "./config.ts";
import type { Config } from "./options.ts";

/** PostgreSQL has other work as well; more have to be asked for. */
const MOST_READERS = 4;

/** One for each processor: a reader keeps one busy here, and one of PostgreSQL's. */
export function readersOf({ readers }: Config): number {
  return readers ?? Math.min(MOST_READERS, availableParallelism());
}

/** For `connectSource`. @throws NovaError CONFIG_INVALID without a URL */
export function sourceSettings(config: Config) {
  const { rowsPerSecond, snapshotLimit } = config;
  return { url: requireSourceUrl(config), readers: readersOf(config), rowsPerSecond, snapshotLimit };
}
