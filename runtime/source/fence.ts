/**
 * How far a cursor may be trusted. Rows that a transaction still open has written are not in the snapshot, yet their cursor may lie
 * behind its highest one; a watermark beyond them would lose them for good.
 *
 * The order of the reads decides: all of this before the snapshot is taken, in autocommit. (Read from inside the snapshot's
 * transaction, pg_stat_activity left out writers in a third of the cases that were tried.)
 */
import type { Clock } from "../core/clock.ts";
import { identifier } from "../core/sql.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import { cursorKindOf } from "../manifest/postgres-type.ts";
import type { Relation, RunQuery } from "./catalogue.ts";
import { liveColumn } from "./extract-sql.ts";
import { sqlFile } from "./sql-file.ts";

export interface Fence {
  /** No transaction that the snapshot does not show began before this instant (timestamptz as text); undefined if that is unknown. */
  readonly time: string | undefined;
  /** By table, for cursors that count: no transaction that the snapshot does not show has drawn a number up to this one. */
  readonly numbers: ReadonlyMap<string, string | null>;
  /** Why something is unknown, for a warning. */
  readonly unknown: string | undefined;
}

/**
 * For the moment between a transaction's start and its showing in pg_stat_activity, and for a procedure that commits, whose now() is
 * older than its transaction.
 */
const MARGIN = "5 seconds";
/** Milliseconds to wait for transactions to end whose start is not known. */
const DRAIN_LIMIT = 2_000;
const DRAIN_POLL = 20;

const ACTIVITY = sqlFile("activity");
const PREPARED = sqlFile("prepared");
const OPEN_TRANSACTIONS = sqlFile("open-transactions");
const NOW = `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00' AS now`;

export interface FenceOptions {
  /** In autocommit. */
  readonly query: RunQuery;
  readonly clock: Clock;
  /** From `readHighest`, just before. */
  readonly numbers: ReadonlyMap<string, string | null>;
  readonly signal?: AbortSignal | undefined;
}

/** The highest numbers that are committed, by name of the table, where the cursor counts. To be read before the fence. */
export async function readHighest(
  query: RunQuery,
  tables: readonly { readonly table: ManifestTable; readonly relation: Relation }[],
): Promise<ReadonlyMap<string, string | null>> {
  const numbers = new Map<string, string | null>();
  for (const { table, relation } of tables) {
    const name = table.sync.cursor;
    if (name === undefined || cursorKindOf(liveColumn(relation, name).type) !== "number") continue;
    const from = identifier(relation.schema, relation.name);
    const sql = `SELECT max(${identifier(name)})::text AS highest FROM ${from}`;
    numbers.set(table.name, (await one<{ highest: string | null }>(query, sql)).highest);
  }
  return numbers;
}

/** Reads the fence; waits up to two seconds where only the end of the open transactions can tell. */
export async function readFence({ query, clock, numbers, signal }: FenceOptions): Promise<Fence> {
  const t0 = await one<{ now: string }>(query, NOW);
  const activity = await one<{ hidden: number; earliest: string | null }>(query, ACTIVITY);
  const { prepared, standby } = await one<{ prepared: number; standby: boolean }>(query, PREPARED);

  const nothing = (unknown: string): Fence => ({ time: undefined, numbers: new Map(), unknown });
  if (standby) return nothing("the source is a standby, which does not show the open transactions of its primary");
  if (prepared > 0) return nothing("a prepared transaction is open, whose rows may be older than anything shown");

  const mustWait = numbers.size > 0 || activity.hidden > 0;
  const drained = !mustWait || (await drain({ query, clock, signal }));
  if (activity.hidden > 0 && !drained) {
    return nothing(
      "another user's transaction is open, and when it began is not shown to this one (GRANT pg_read_all_stats)",
    );
  }
  const earliest = activity.hidden > 0 ? null : activity.earliest;
  const { time } = await one<{ time: string }>(
    query,
    `SELECT to_char((least($1::timestamptz, $2::timestamptz) - interval '${MARGIN}') AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00' AS time`,
    [t0.now, earliest],
  );
  return {
    time,
    numbers: drained ? numbers : new Map(),
    unknown: drained ? undefined : "a transaction stayed open that may have drawn a lower number",
  };
}

/** Waits until every transaction that is open now has ended; later ones do not matter. */
async function drain({ query, clock, signal }: Pick<FenceOptions, "query" | "clock" | "signal">): Promise<boolean> {
  const open = async () => new Set((await query<{ id: string }>(OPEN_TRANSACTIONS)).map((row) => row.id));
  let left = await open();
  const deadline = clock.now().getTime() + DRAIN_LIMIT;
  while (left.size > 0) {
    if (clock.now().getTime() >= deadline) return false;
    await clock.sleep(DRAIN_POLL, signal);
    left = left.intersection(await open());
  }
  return true;
}

async function one<Row extends Record<string, unknown>>(
  query: RunQuery,
  sql: string,
  params: readonly unknown[] = [],
): Promise<Row> {
  const [row] = await query<Row>(sql, params);
  if (!row) throw new RangeError("A statement that always gives a row gave none");
  return row;
}
