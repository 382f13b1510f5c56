/** Tests of the tests: what happens without a guard, pinned, so that each guard is seen to be what keeps the rows. */
import { Client } from "pg";
import { expect, test } from "vitest";
import type { Guards } from "../../../runtime/source/guards.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { Mirror } from "../../support/mirror.ts";
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
