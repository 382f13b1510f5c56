/** Tests of the tests: what happens without a guard, pinned, so that each guard is seen to be what keeps the rows. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { expect, test } from "vitest";
import type { Clock } from "../../../runtime/core/clock.ts";
import type { Guards } from "../../../runtime/source/guards.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { Mirror } from "../../support/mirror.ts";
import { startOwnPostgres } from "../../support/own-postgres.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const TABLE = manifestTable({
  name: "t",
  columns: { id: "integer", changed: "timestamp_ltz" },
  primaryKey: ["id"],
  sync: { mode: "incremental", cursor: "changed" },
});

interface Race extends Partial<Guards> {
  readonly detect: "scan" | "cursor";
}

/** A row is written before a batch and committed in the middle of its opening; how many rows lacks the stage after two more batches? */
async function race({ detect, ...guards }: Race): Promise<number> {
  await using db = await createTestDatabase();
  await db.query("CREATE TABLE t (id int PRIMARY KEY, changed timestamptz); INSERT INTO t VALUES (1, now())");
  const late = new Client({ connectionString: db.url });
  await late.connect();
  const commit = { now: false };
  try {
    const between = async () => {
      if (!commit.now) return;
      commit.now = false;
      await late.query("COMMIT");
    };
    await using source = connectSource({ url: db.url, guards: { margin: 0, between, ...guards } });
    const mirror = new Mirror(db, { ...TABLE, sync: { ...TABLE.sync, detect } }, source);
    await mirror.batch();
    await late.query("BEGIN; INSERT INTO t VALUES (2, now())");
    await db.query("INSERT INTO t VALUES (3, clock_timestamp() + interval '1 hour')");
    commit.now = true;
    await mirror.batch();
    await mirror.batch();
    return (await mirror.differences()).length;
  } finally {
    await late.end();
  }
}

test("open transactions are looked at before the snapshot: afterwards, one that ends in between is neither shown nor waited for", async () => {
  expect(await race({ detect: "cursor" })).toBe(0);
  expect(await race({ detect: "cursor", activity: "after" })).toBe(1);
  // Row versions need no such order.
  expect(await race({ detect: "scan", activity: "after" })).toBe(0);
});

test("the fence of row versions is the oldest transaction that is open: from the next one on, rows of those before are lost", async () => {
  expect(await race({ detect: "scan", activity: "after" })).toBe(0);
  expect(await race({ detect: "scan", activity: "after", version: "next" })).toBe(1);
});

/**
 * A transaction shows a moment after it has begun, and that moment cannot be stretched: so its row is written after the batch that has not seen it
 * open, with the time that it would have had.
 */
async function unseen(margin?: number): Promise<readonly string[]> {
  await using db = await createTestDatabase();
  await db.query(`CREATE TABLE t (id int PRIMARY KEY, changed timestamptz);
    INSERT INTO t VALUES (1, clock_timestamp() + interval '1 hour')`);
  await using source = connectSource({ url: db.url, guards: margin === undefined ? {} : { margin } });
  const mirror = new Mirror(db, { ...TABLE, sync: { ...TABLE.sync, detect: "cursor" } }, source);
  await mirror.batch();
  const looked = mirror.position?.fence["t0"];
  await db.query("INSERT INTO t VALUES (2, $1::timestamptz - interval '1 second')", [looked]);
  await mirror.batch();
  await mirror.batch();
  return await mirror.differences();
}

test("the time fence stays behind what is shown: without the margin, a transaction that does not show yet is lost", async () => {
  expect(await unseen()).toEqual([]);
  expect(await unseen(0)).toEqual([expect.stringContaining("2")]);
});

/** All that writes the log by itself is off but the one process whose duty it is. */
const UNFLUSHED = {
  wal_level: "minimal",
  max_wal_senders: "0",
  autovacuum: "off",
  checkpoint_timeout: "1h",
  bgwriter_lru_maxpages: "0",
};

/**
 * The server confirms a commit that is not on disk yet, a batch reads it, and then the server crashes; the next transaction gets the number of the
 * one that is lost. The process that writes the log is held until the batch waits for it, so time plays no part.
 */
async function crash(url: string, flushed: boolean): Promise<{ reused: boolean; differences: number }> {
  const query = async <Row>(sql: string, params: unknown[] = []): Promise<Row[]> => {
    const client = new Client({ connectionString: url });
    client.on("error", () => {});
    await client.connect();
    try {
      const result: unknown = await client.query(sql, params);
      return ((Array.isArray(result) ? result.at(-1) : result) as { rows: Row[] }).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const xid = async (sql: string) => (await query<{ xmin: string }>(`${sql} RETURNING xmin::text`))[0]?.xmin;
  await query(`DROP TABLE IF EXISTS t, other; CREATE TABLE other (i int);
    CREATE TABLE t (id int PRIMARY KEY, changed timestamptz); INSERT INTO t VALUES (1, now())`);
  const writer = await walWriter(query);
  if (writer === undefined) throw new Error("No process writes the log");
  let held = false;
  let waited = 0;
  const clock: Clock = {
    now: () => new Date(waited),
    async sleep(milliseconds) {
      waited += 1;
      if (held) process.kill(writer, "SIGCONT");
      held = false;
      await sleep(milliseconds);
    },
  };
  await using source = connectSource({ url, clock, guards: { flushed } });
  const mirror = new Mirror({ query }, { ...TABLE, sync: { ...TABLE.sync, detect: "scan" } }, source);
  await mirror.batch();
  process.kill(writer, "SIGSTOP");
  held = true;
  const lost = await xid("SET synchronous_commit = off; INSERT INTO t VALUES (2, now())");
  await mirror.batch();
  // The server ends all its processes and begins anew from what is on disk.
  process.kill(writer, "SIGKILL");
  held = false;
  await recovered(query, writer);
  const next = await xid("INSERT INTO t VALUES (3, now())");
  // It has come further than it was, so that it does not look like one that was set back.
  for (let i = 0; i < 3; i++) await query("INSERT INTO other SELECT generate_series(1, 1000)");
  await mirror.batch();
  await mirror.batch();
  return { reused: lost === next, differences: (await mirror.differences()).length };
}

async function walWriter(query: (sql: string) => Promise<{ pid?: number }[]>): Promise<number | undefined> {
  const [found] = await query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
  return found?.pid;
}

/** It may still answer before it has noticed; then it has the same process. */
async function recovered(query: (sql: string) => Promise<{ pid?: number }[]>, before: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    const now = await walWriter(query).catch(() => undefined);
    if (now !== undefined && now !== before) return;
  }
  throw new Error("The server has not come back");
}

test("a batch waits for the log: without, what a crash takes back is published, and who gets its number is never read", async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startOwnPostgres(UNFLUSHED);
  stack.defer(server.stop);
  expect(await crash(server.url, true)).toEqual({ reused: false, differences: 0 });
  expect(await crash(server.url, false)).toEqual({ reused: true, differences: 1 });
}, 120_000);
