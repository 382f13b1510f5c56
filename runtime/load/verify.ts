/** A verification: every table of one snapshot of the source against the stage table as the last batch left it. Nothing is written. */
import { secondsBetween, type Clock } from "../core/clock.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { NovaError } from "../core/errors.ts";
import type { TaskRunner } from "../core/task.ts";
import { describeWarning } from "../core/warning.ts";
import type { TableVerification } from "../core/verification.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import type { Source } from "../source/source.ts";
import type { Warehouse } from "../warehouse/warehouse.ts";
import { isShapedAs } from "./scope.ts";
import { verifyTable } from "./verify-table.ts";

export interface VerifyOptions {
  readonly tables: readonly ManifestTable[];
  readonly source: Source;
  readonly warehouse: Warehouse;
  readonly tasks: TaskRunner;
  /** Tables under way at the same time. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly onTable?: ((result: TableVerification) => void) | undefined;
}

export interface Verified {
  /** The source's instant, ISO 8601 in UTC. */
  readonly snapshot: string;
  /** In the order of the tables that were asked for. */
  readonly tables: readonly TableVerification[];
  /** Names of those whose stage table has rows that no merge by key can put right. */
  readonly unmergeable: readonly string[];
}

/**
 * No batch may be published meanwhile: the caller holds the lock.
 *
 * @throws NovaError VERIFY_NOT_LOADED, and those of the source and the warehouse, after the tasks' retries
 */
export async function verifyTables(options: VerifyOptions): Promise<Verified> {
  const { tables, source, warehouse, tasks, clock, concurrency } = options;
  return tasks.restartable(async () => {
    const { state, snapshot } = await tasks.run({ kind: "open", subject: "" }, async (context) => {
      for (const warning of await source.preflight(tables, context.signal))
        context.log(describeWarning(warning), "warn");
      const read = await warehouse.readState({ signal: context.signal });
      return { state: read, snapshot: await source.openSnapshot(tables, context.signal) };
    });
    await using _closed = snapshot;
    const missing = tables.filter((table) => !state.watermarks.has(table.name)).map((table) => table.name);
    if (missing.length > 0) {
      throw new NovaError("VERIFY_NOT_LOADED", `No batch has loaded ${missing.join(", ")} yet.`, {
        details: { tables: missing },
      });
    }
    const changed = tables.filter((table) => {
      const watermark = state.watermarks.get(table.name);
      return watermark && !isShapedAs(table, watermark);
    });
    if (changed.length > 0) throw notYetAs(changed.map((table) => table.name));
    const limit = { limit: concurrency, signal: tasks.signal };
    const results = await mapConcurrently(tables, limit, (table, signal) => {
      const watermark = state.watermarks.get(table.name);
      if (!watermark) throw new RangeError(`No watermark of ${table.name}`);
      const startedAt = clock.now();
      const verify = async () => {
        const result = await tasks.run(
          { kind: "verify", subject: table.name },
          (context) =>
            verifyTable({
              table,
              snapshot,
              warehouse,
              watermark,
              signal: context.signal,
              progress: (rows) => context.progress({ rows, bytes: 0 }),
              log: (message, level) => context.log(message, level),
            }),
          { signal },
        );
        const verified = { ...result.found, seconds: secondsBetween(startedAt, clock.now()) };
        options.onTable?.(verified);
        return { verified, unmergeable: result.unmergeable };
      };
      return verify();
    });
    return {
      snapshot: snapshot.at,
      tables: results.map(({ verified }) => verified),
      unmergeable: results.flatMap(({ verified, unmergeable }) => (unmergeable ? [verified.name] : [])),
    };
  });
}

function notYetAs(names: readonly string[]): NovaError {
  return new NovaError(
    "VERIFY_NOT_LOADED",
    `The manifest has changed for ${names.join(", ")} since the last batch, so the stage table is not yet what it says.`,
    { remedy: "Run `novadrive run` first, or name other tables with --table.", details: { tables: names } },
  );
}
