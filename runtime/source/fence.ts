/**
 * How far a clock may be trusted. Rows that a transaction still open has written are not in the snapshot, yet their cursor, which is mostly
 * the transaction's start, may lie behind the highest one that it shows; a watermark beyond them would lose them for good.
 *
 * The order of the reads decides: all of this before the snapshot is taken, in autocommit. (Read from inside the snapshot's
 * transaction, pg_stat_activity left out writers in a third of the cases that were tried.)
 *
 * All instants here are texts of one form, `2024-05-01 13:00:00.123456+00`, so that they can be compared as texts.
 */
import type { RunQuery } from "./catalogue.ts";
import { sqlFile } from "./sql-file.ts";

/** What is known of the transactions that are open before the snapshot is taken. */
export interface Activity {
  /** The source's clock, before anything else was read. */
  readonly t0: string;
  readonly standby: boolean;
  /** The start of the earliest one, as far as that is shown; null if none is. */
  readonly earliest: string | null;
  /** Virtual ids of all, where the start of some is not shown. */
  readonly open?: readonly string[] | undefined;
  /** Prepared transactions show the time of their PREPARE only. */
  readonly prepared: boolean;
}

const ACTIVITY = sqlFile("activity");
const PREPARED = sqlFile("prepared");
const OPEN_TRANSACTIONS = sqlFile("open-transactions");
const NOW = `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00' AS now`;

/** @param query in autocommit */
export async function readActivity(query: RunQuery): Promise<Activity> {
  const { now: t0 } = await one<{ now: string }>(query, NOW);
  const { hidden, earliest } = await one<{ hidden: number; earliest: string | null }>(query, ACTIVITY);
  const open = hidden > 0 ? (await query<{ id: string }>(OPEN_TRANSACTIONS)).map((row) => row.id) : undefined;
  const { prepared, standby } = await one<{ prepared: number; standby: boolean }>(query, PREPARED);
  return { t0, standby, earliest, open, prepared: prepared > 0 };
}

/** By virtual id: an instant at which the transaction had not begun yet, null if none is known. */
export type FirstSeen = Readonly<Record<string, string | null>>;

export interface TimeFence {
  /** No transaction that the snapshot does not show began before this instant; undefined if that is unknown. */
  readonly time: string | undefined;
  /** Why it is unknown. */
  readonly unknown?: string | undefined;
  /** For the next batch, where starts are hidden. */
  readonly firstSeen?: FirstSeen | undefined;
}

/** What the last batch knew. */
export interface SeenBefore {
  readonly t0: string;
  readonly firstSeen?: FirstSeen | undefined;
}

/**
 * Seconds, for the moment between a transaction's start and its showing in pg_stat_activity, and for a procedure that commits, whose now() may be
 * older than its transaction.
 */
export const MARGIN = 5;

/**
 * Where the start of a transaction is not shown, but everybody may see that it is open, it began after the last batch looked if that did not
 * see it.
 */
export function timeFence(activity: Activity, previous: SeenBefore | undefined, margin = MARGIN): TimeFence {
  const { t0, earliest, open, prepared, standby } = activity;
  const firstSeen = open && Object.fromEntries(open.map((id) => [id, notBegunAt(id, previous)]));
  const unknown = (why: string): TimeFence => ({ time: undefined, unknown: why, firstSeen });
  if (standby) return unknown("the source is a standby, which does not show the open transactions of its primary");
  if (prepared) return unknown("a prepared transaction is open, whose rows may be older than anything shown");
  let time = earliest !== null && earliest < t0 ? earliest : t0;
  for (const since of Object.values(firstSeen ?? {})) {
    if (since === null) {
      const why = "another user's transaction is open, and when it began is not shown to this one";
      return unknown(`${why} (GRANT pg_read_all_stats)`);
    }
    if (since < time) time = since;
  }
  return { time: secondsBefore(time, margin), firstSeen };
}

function notBegunAt(id: string, previous: SeenBefore | undefined): string | null {
  if (!previous?.firstSeen) return null;
  const known = previous.firstSeen[id];
  return known === undefined ? previous.t0 : known;
}

function secondsBefore(time: string, seconds: number): string {
  const whole = Date.parse(`${time.slice(0, 10)}T${time.slice(11, 19)}Z`);
  const earlier = new Date(whole - seconds * 1000).toISOString();
  return `${earlier.slice(0, 10)} ${earlier.slice(11, 19)}${time.slice(19)}`;
}

async function one<Row extends Record<string, unknown>>(query: RunQuery, sql: string): Promise<Row> {
  const [row] = await query<Row>(sql);
  if (!row) throw new RangeError("A statement that always gives a row gave none");
  return row;
}
