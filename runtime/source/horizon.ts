/** Which row versions a snapshot cannot be sure to show: those of transactions that were open just before it, and of all later ones. */
import type { RunQuery } from "./catalogue.ts";

/**
 * Read before the snapshot, and in this order: a transaction below `next` that holds no lock on its own id had ended, so every later snapshot
 * shows it. The locks tell of subtransactions too, which a snapshot's own list leaves out, and of those of other databases.
 */
const NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next, pg_is_in_recovery() AS standby";
const OPEN = `SELECT transactionid::text AS id FROM pg_catalog.pg_locks
  WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted`;

/** Open transactions that are told one by one. */
const MOST = 200;

/** `4711`, or `4711:4702,4705` with those below it that were open; undefined where that cannot be told (a standby, too many). */
export async function readHorizon(query: RunQuery): Promise<string | undefined> {
  const [row] = await query<{ next: string; standby: boolean }>(NEXT);
  const open = (await query<{ id: string }>(OPEN)).map(({ id }) => id);
  if (!row || row.standby || open.length > MOST) return undefined;
  return open.length === 0 ? row.next : `${row.next}:${open.join(",")}`;
}

/** SQL of whether a row's version is of that kind. */
export function isAfterHorizon(horizon: string): string {
  const [next = "0", open = ""] = horizon.split(":");
  const later = `age(xmin) <= age(${xid(next)})`;
  return open === "" ? later : `(${later} OR xmin IN (${open.split(",").map(xid).join(", ")}))`;
}

function xid(id: string): string {
  return `'${BigInt(id) % 2n ** 32n}'::xid`;
}
