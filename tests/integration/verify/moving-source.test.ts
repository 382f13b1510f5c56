/** While the source goes on changing, a verification finds no difference where there is none, and the one that there is. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { EventBus } from "../../../runtime/core/events.ts";
import type { VerificationResult } from "../../../runtime/core/verification.ts";
import { runVerification } from "../../../runtime/schedule/run-verification.ts";
import { Store } from "../../../runtime/store/store.ts";
import { createShop, type Shop } from "../../support/shop.ts";

const ROUNDS = 4;

/** Short transactions one after the other, until told to stop: changes, new rows, deletes, keys that change, roll-backs. */
async function write({ database }: Shop, stop: AbortSignal): Promise<number> {
  let count = 0;
  while (!stop.aborted) {
    const id = 1000 + count;
    const statement = [
      `UPDATE orders SET price = price + 1, changed_at = clock_timestamp() WHERE id = 1 + ${count} % 40`,
      `INSERT INTO orders VALUES (${id}, 'new', 1, clock_timestamp())`,
      `DELETE FROM orders WHERE id = ${id - 9}`,
      `UPDATE orders SET id = ${id + 100_000}, changed_at = clock_timestamp() WHERE id = ${id - 5}`,
      `INSERT INTO visits VALUES (${id}, '/${id}')`,
      `UPDATE rates SET rate = rate + 0.0001 WHERE currency = 'BRL'`,
      `BEGIN; DELETE FROM orders; ROLLBACK`,
      `BEGIN; SAVEPOINT a; UPDATE orders SET customer = 'sub', changed_at = clock_timestamp() WHERE id % 7 = 0; RELEASE a; COMMIT`,
    ][count % 8];
    await database.query(statement ?? "");
    count += 1;
    await sleep(2);
  }
  return count;
}

async function verify({ config, meter }: Shop): Promise<VerificationResult> {
  using store = Store.open({ folder: config.stateDir });
  const { signal } = new AbortController();
  return await runVerification({ config, store, events: new EventBus(), signal, openWarehouse: meter.openWarehouse });
}

it("raises no false alarm, and no difference is lost in the changes", async () => {
  await using shop = await createShop();
  await shop.database.query(
    "INSERT INTO orders SELECT i, 'customer ' || i, i, now() FROM generate_series(22, 900) i; UPDATE orders SET changed_at = now() WHERE changed_at IS NULL",
  );
  const stop = new AbortController();
  const writing = write(shop, stop.signal);
  // Its row, of a subtransaction, is in no snapshot before the end, and its version is older than those of all that follow.
  const late = await shop.database.pool.connect();
  try {
    await late.query(
      "BEGIN; SELECT txid_current(); SAVEPOINT a; INSERT INTO orders VALUES (-1, 'late', 5, clock_timestamp())",
    );
    for (let round = 1; round <= ROUNDS; round++) {
      expect((await shop.run()).status).toBe("success");
      if (round === 3) await late.query("COMMIT");
      await sleep(50);
      expect(await verify(shop)).toMatchObject({ equal: true });
    }
    await shop.run();
    await shop.ask("update stage.orders set customer = 'nobody' where id = 850");
    const found = await verify(shop);
    expect(found.tables.flatMap((table) => table.keys ?? [])).toEqual([
      { key: 850, is: "changed", columns: ["customer"] },
    ]);
  } finally {
    late.release();
    stop.abort();
  }
  expect(await writing).toBeGreaterThan(50);
});
