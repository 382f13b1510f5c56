/** For tests that count which rows a batch has read. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TestDatabase } from "./postgres.ts";

/**
 * Other tests use the same server, and a transaction of theirs that is open at a snapshot makes everything count as new that was written since
 * it began: right, but not what is counted here.
 */
export async function othersAreDone(database: TestDatabase): Promise<void> {
  const [now] = await database.query<{ xid: string }>(
    "SELECT pg_snapshot_xmax(pg_current_snapshot())::xid::text AS xid",
  );
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const [open] = await database.query<{ others: string }>(
      `SELECT (SELECT count(*) FROM pg_stat_activity
                WHERE backend_xid IS NOT NULL AND datname <> current_database() AND age(backend_xid) > age($1::xid))
            + (SELECT count(*) FROM pg_prepared_xacts
                WHERE database <> current_database() AND age(transaction) > age($1::xid)) AS others`,
      [now?.xid],
    );
    if (open?.others === "0") return;
    await sleep(50);
  }
}
