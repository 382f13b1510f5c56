/** A warehouse that is billed by use is asked only for what has changed, and for nothing when nothing has. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BatchResult } from "../../../runtime/core/result.ts";
import { Store } from "../../../runtime/store/store.ts";
import { openWarehouse } from "../../../runtime/warehouse/open.ts";
import { generator } from "../../support/sample-history.ts";
import type { Meter } from "../../support/metered-warehouse.ts";
import { createShop, type Shop } from "../../support/shop.ts";

/** A shop whose first batch has run. */
async function createLoadedShop(): Promise<Shop> {
  const shop = await createShop();
  try {
    expect(await shop.run()).toMatchObject({ batch_id: 1, status: "success" });
  } catch (thrown) {
    await shop[Symbol.asyncDispose]();
    throw thrown;
  }
  shop.meter.takeCalls();
  shop.meter.takePublications();
  return shop;
}

const copyOf = ({ config }: Shop) => join(config.stateDir, "published.json");

const published = (meter: Meter) =>
  meter.takePublications().map(({ batch, tables }) => [batch.id, ...tables.map(({ table }) => table.name)]);

const statuses = ({ models, tests }: BatchResult) => [...models, ...tests].map(({ status }) => status);

const CHANGE = "UPDATE orders SET price = price + 1, changed_at = now() WHERE id = 7";

async function expectMirrored(shop: Shop): Promise<void> {
  const { stage, source } = await shop.contents();
  expect(stage).toEqual(source);
}

describe("a batch that finds nothing new", () => {
  it("sends no statement, and reports tables as loaded and models and tests as skipped", async () => {
    await using shop = await createLoadedShop();
    const { meter, run } = shop;
    const result = await run();
    expect(meter.takeCalls()).toEqual([]);
    expect(result).toMatchObject({ batch_id: 2, status: "success", usage: { statements: 0, credits: 0 } });
    expect(result.error).toBeUndefined();
    expect(result.snapshot).toMatch(/Z$/);
    // Of rows that are only ever added, those from the watermark on are counted; the others are not known.
    const nothing = { status: "success", rows_read: 0, inserted: 0, updated: 0, deleted: 0, bytes: 0 };
    expect(result.tables).toMatchObject([
      { name: "orders", ...nothing, rows_total: 21 },
      { name: "visits", ...nothing },
      { name: "rates", ...nothing, rows_total: 2 },
    ]);
    expect(result.tables[1]).not.toHaveProperty("rows_total");
    expect(result.models).toMatchObject([{ name: "sales", status: "skipped" }]);
    expect(statuses(result)).toEqual(["skipped", "skipped"]);
    const lines = shop.events.flatMap((event) => (event.type === "log" && event.batchId === 2 ? [event.message] : []));
    expect(lines.pop()).toBe("nothing new since batch 1: no model needs to be built");
    // Unless another database of the same server has been written to meanwhile, no table has to be looked at.
    const looked = ["nothing new since batch 1", "nothing new since batch 1", "nothing new since batch 1"];
    expect([looked.join(), "nothing has happened in the source since batch 1"]).toContain(lines.join());
    using store = Store.open({ folder: shop.config.stateDir });
    expect(store.batch(2)).toMatchObject({
      status: "success",
      usage: { statements: 0 },
      models: [{ status: "skipped" }],
    });
    expect(store.models()).toMatchObject([{ name: "sales", status: "success", batch_id: 1 }]);
    expect(await run()).toMatchObject({ batch_id: 3, status: "success", usage: { statements: 0 } });
  });

  it("has a number of its own, behind which the next change is published", async () => {
    await using shop = await createLoadedShop();
    await shop.run();
    await shop.run();
    await shop.database.query(CHANGE);
    expect(await shop.run()).toMatchObject({ batch_id: 4, status: "success" });
    expect(published(shop.meter)).toEqual([[4, "orders"]]);
    expect(await shop.ask("SELECT batch_id FROM pipeline.batches ORDER BY 1")).toEqual([["1"], ["4"]]);
  });

  it("does not take the rows at the watermark, which are read again each time, for new ones", async () => {
    await using shop = await createLoadedShop();
    // At the watermark; behind it, because their transaction is younger than the fence; and without a cursor.
    await shop.database.query("UPDATE orders SET changed_at = now() WHERE id % 2 = 0");
    await shop.database.query("UPDATE orders SET changed_at = NULL WHERE id % 7 = 0");
    expect((await shop.run()).tables[0]).toMatchObject({ name: "orders", updated: 11 });
    shop.meter.takeCalls();
    expect(await shop.run()).toMatchObject({ status: "success" });
    expect(shop.meter.takeCalls()).toEqual([]);
  });

  it("looks only at the tables that were named", async () => {
    await using shop = await createLoadedShop();
    await shop.database.query(CHANGE);
    expect((await shop.run({ tables: ["rates"] })).tables.map(({ name }) => name)).toEqual(["rates"]);
    expect(shop.meter.takeCalls()).toEqual([]);
    await shop.run();
    expect(published(shop.meter)).toEqual([[3, "orders"]]);
  });
});

describe("a batch that finds something new", () => {
  it("stages and publishes that table alone, and builds the models", async () => {
    await using shop = await createLoadedShop();
    const { meter, run } = shop;
    for (const [table, sql] of [
      ["orders", CHANGE],
      ["orders", "INSERT INTO orders VALUES (30, 'new', 1, now())"],
      ["orders", "DELETE FROM orders WHERE id = 3"],
      ["orders", "UPDATE orders SET customer = 'x' WHERE changed_at IS NULL"],
      ["visits", "INSERT INTO visits VALUES (10, '/10')"],
      ["rates", "UPDATE rates SET rate = 6 WHERE currency = 'BRL'"],
    ] as const) {
      await shop.database.query(sql);
      const result = await run();
      const calls = meter.takeCalls();
      // Keys are only read where one is gone.
      expect(calls.filter((name) => name === "openIncoming")).toHaveLength(sql.startsWith("DELETE") ? 2 : 1);
      expect(calls.filter((name) => name === "readState")).toHaveLength(1);
      expect(published(meter)).toEqual([[result.batch_id, table]]);
      expect(result.tables.map(({ name }) => name)).toEqual(["orders", "visits", "rates"]);
      const changed = result.tables.filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0);
      expect(changed.map(({ name }) => name)).toEqual([table]);
      expect(result.usage).toMatchObject({ statements: calls.length, credits: 1 / 60 });
      expect(statuses(result)).toEqual(["success", "pass"]);
      await expectMirrored(shop);
      await run();
      expect(meter.takeCalls()).toEqual([]);
    }
  });

  it("sees a row that was committed late, with a cursor from before", async () => {
    await using shop = await createLoadedShop();
    const late = await shop.database.pool.connect();
    await late.query("BEGIN");
    await late.query(CHANGE);
    await shop.database.query("UPDATE orders SET customer = 'early', changed_at = clock_timestamp() WHERE id = 8");
    await shop.run();
    await shop.run();
    expect(published(shop.meter)).toEqual([[2, "orders"]]);
    await late.query("COMMIT");
    late.release();
    await shop.run();
    expect(published(shop.meter)).toEqual([[4, "orders"]]);
    await expectMirrored(shop);
  });

  it("reads everything again when that is asked for", async () => {
    await using shop = await createLoadedShop();
    await shop.run({ fullRefresh: true });
    expect(published(shop.meter)).toEqual([[2, "orders", "visits", "rates"]]);
    shop.meter.takeCalls();
    await shop.run();
    expect(shop.meter.takeCalls()).toEqual([]);
  });
});

describe("what is remembered of the last batch", () => {
  it("may be lost, torn or another warehouse's: the warehouse is asked once, publishes nothing, and builds the models", async () => {
    await using shop = await createLoadedShop();
    const { meter, run } = shop;
    const copy = copyOf(shop);
    const good = readFileSync(copy, "utf8");
    for (const spoil of [
      () => rm(copy),
      async () => writeFileSync(copy, good.slice(0, good.length / 2)),
      async () => writeFileSync(copy, good.replace(/"warehouse":"[^"]+"/, '"warehouse":"other"')),
    ]) {
      await spoil();
      expect(await run()).toMatchObject({ status: "success" });
      const calls = meter.takeCalls();
      expect(calls.filter((name) => name === "readState")).toHaveLength(1);
      expect(calls).toContain("materialize");
      expect(calls).not.toContain("openIncoming");
      expect(published(meter)).toEqual([]);
      expect(await run()).toMatchObject({ status: "success" });
      expect(meter.takeCalls()).toEqual([]);
    }
  });

  it("is worthless from before the publication on, so that a batch that dies behind it is made good by the next", async () => {
    await using shop = await createLoadedShop();
    const { database, meter, run } = shop;
    await database.query(CHANGE);
    meter.onCall = (name) => {
      if (name === "publish") expect(readFileSync(copyOf(shop), "utf8")).toBe("");
      if (name === "relations" || name === "materialize") throw new Error("killed");
    };
    expect(await run()).toMatchObject({ status: "failed" });
    meter.onCall = () => {};
    expect(published(meter)).toEqual([[2, "orders"]]);
    // As it was in batch 1: the warehouse knows better.
    await database.query(
      "UPDATE orders SET price = price - 1, changed_at = '2026-01-01'::timestamptz + interval '7 hours' WHERE id = 7",
    );
    await database.query("UPDATE orders SET customer = customer");
    expect(await run()).toMatchObject({ batch_id: 3, status: "success" });
    expect(published(meter)).toEqual([[3, "orders"]]);
  });

  it("counts no more once another machine has published: the batch goes on under a number that is free", async () => {
    await using shop = await createLoadedShop();
    const { config, database, meter, run } = shop;
    await database.query(CHANGE);
    const elsewhere = { ...config, stateDir: join(shop.folder, "elsewhere") };
    expect(await run({ config: elsewhere })).toMatchObject({ batch_id: 2, status: "success" });
    await database.query(CHANGE);
    published(meter);
    expect(await run()).toMatchObject({ batch_id: 3, status: "success" });
    expect(published(meter)).toEqual([[3, "orders"]]);
    using store = Store.open({ folder: config.stateDir });
    expect(store.batch(2)).toMatchObject({ status: "cancelled", error: { code: "BATCH_NUMBER_TAKEN" } });
    const begun = shop.events.filter(({ type }) => type === "batch_started").map(({ batchId }) => batchId);
    expect(begun).toEqual([1, 2, 2, 3]);
    await expectMirrored(shop);
  });

  it("is asked of the warehouse where the state folder is new", async () => {
    await using shop = await createLoadedShop();
    const elsewhere = { ...shop.config, stateDir: join(shop.folder, "elsewhere") };
    expect(await shop.run({ config: elsewhere })).toMatchObject({ batch_id: 2, status: "success" });
    expect(published(shop.meter)).toEqual([]);
  });

  it("need not be there for a batch that cannot reach its source: the warehouse is left alone", async () => {
    await using shop = await createLoadedShop();
    await rm(copyOf(shop));
    const result = await shop.run({ config: { ...shop.config, sourceUrl: "postgres://nobody@127.0.0.1:1/none" } });
    expect(result).toMatchObject({ batch_id: 2, status: "failed", error: { code: "SOURCE_UNREACHABLE" } });
    expect(shop.meter.takeCalls()).toEqual([]);
    expect(result.usage).toMatchObject({ statements: 0 });
  });

  it("is right whatever fails: the next batch ends equal, and the one after it finds nothing", async () => {
    await using shop = await createLoadedShop();
    const { database, meter, run } = shop;
    // The first time, the stage table is asked for its keys; from then on they are known here.
    for (const _ of [1, 2]) {
      meter.takeCalls();
      await database.query(CHANGE);
      await run();
    }
    const steps = meter.takeCalls().length;
    expect(steps).toBeGreaterThan(6);
    for (let failing = 0; failing < steps; failing++) {
      await database.query(CHANGE);
      let calls = 0;
      meter.onCall = () => {
        if (calls++ === failing) throw new Error(`call ${failing}`);
      };
      expect(await run(), `call ${failing}`).toMatchObject({ status: "failed" });
      meter.onCall = () => {};
      expect(await run(), `after call ${failing}`).toMatchObject({ status: "success" });
      await expectMirrored(shop);
      const built = "SELECT (SELECT max(price) FROM analytics.sales) = (SELECT max(price) FROM stage.orders)";
      expect(await shop.ask(built)).toEqual([["true"]]);
      meter.takeCalls();
      expect(await run()).toMatchObject({ status: "success" });
      expect(meter.takeCalls()).toEqual([]);
    }
  });

  it("agrees with the source after any series of changes, losses and failures", async () => {
    await using shop = await createLoadedShop();
    const { database, meter, run } = shop;
    const random = generator(11);
    const any = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)] as T;
    let next = 100;
    const changes = [
      () => `INSERT INTO orders VALUES (${next++}, 'n', 1, now())`,
      () => `UPDATE orders SET customer = '${next++}', changed_at = now() WHERE id = ${1 + Math.floor(random() * 21)}`,
      () =>
        `DELETE FROM orders WHERE id = (SELECT id FROM orders ORDER BY id % ${1 + Math.floor(random() * 9)}, id LIMIT 1)`,
      () => `INSERT INTO visits VALUES (${next++}, '/new')`,
      () => `UPDATE rates SET rate = ${next++} WHERE currency = 'EUR'`,
    ];
    for (let round = 0; round < 8; round++) {
      const changed = random() < 0.5;
      if (changed) await database.query(any(changes)());
      if (random() < 0.15) await rm(copyOf(shop), { force: true });
      if (random() < 0.2) {
        let left = Math.floor(random() * 8);
        meter.onCall = () => {
          if (left-- === 0) throw new Error("out of luck");
        };
        await run();
        meter.onCall = () => {};
      }
      expect(await run()).toMatchObject({ status: "success" });
      await expectMirrored(shop);
      meter.takeCalls();
      await run();
      expect(meter.takeCalls()).toEqual([]);
    }
  });
});

describe("what a batch used", () => {
  it("is told even if it could not begin", async () => {
    await using shop = await createShop();
    shop.meter.onCall = () => {
      throw new Error("no answer");
    };
    const result = await shop.run();
    expect(result).toMatchObject({ batch_id: 1, status: "failed", usage: { statements: 1 }, tables: [] });
    using store = Store.open({ folder: shop.config.stateDir });
    expect(store.batch(1)?.usage).toEqual(result.usage);
  });

  it("does not keep warnings of the warehouse's opening from the batch's log", async () => {
    await using shop = await createShop();
    const open: typeof openWarehouse = (options) => {
      options.warn?.("the key can be read by everybody");
      return openWarehouse(options);
    };
    await shop.run({ openWarehouse: open });
    expect(shop.events.filter((event) => event.type === "log" && event.level === "warn")).toMatchObject([
      { batchId: 1, message: "the key can be read by everybody" },
    ]);
  });
});

describe("models", () => {
  it("are built again until they and their tests have succeeded, while nothing is loaded", async () => {
    await using shop = await createLoadedShop();
    const { database, meter, run } = shop;
    await database.query("UPDATE orders SET price = NULL, changed_at = now() WHERE id = 3");
    expect(await run()).toMatchObject({ status: "failed", tests: [{ status: "fail" }] });
    expect(published(meter)).toEqual([[2, "orders"]]);
    meter.takeCalls();
    expect(await run()).toMatchObject({ status: "failed", tests: [{ status: "fail" }] });
    expect(published(meter)).toEqual([]);
    expect(meter.takeCalls()).toContain("materialize");
    await database.query("UPDATE orders SET price = 3, changed_at = now() WHERE id = 3");
    expect(await run()).toMatchObject({ status: "success" });
    meter.takeCalls();
    await run();
    expect(meter.takeCalls()).toEqual([]);
  });

  it("are built when the project has changed, or what its templates read from outside, or when they were named", async () => {
    await using shop = await createLoadedShop();
    const { meter, run, projectDir } = shop;
    await appendFile(join(projectDir, "models/sales.sql"), "-- changed\n");
    expect(statuses(await run())).toEqual(["success", "pass"]);
    process.env["DBT_COLOUR"] = "red";
    try {
      expect(statuses(await run())).toEqual(["success", "pass"]);
    } finally {
      delete process.env["DBT_COLOUR"];
    }
    expect(statuses(await run())).toEqual(["success", "pass"]);
    meter.takeCalls();
    await run();
    expect(meter.takeCalls()).toEqual([]);
    expect(statuses(await run({ select: "sales" }))).toEqual(["success", "pass"]);
    expect(published(meter)).toEqual([]);
  });
});

describe("a manifest that has changed", () => {
  it("makes the table count as new that it changes, and only that one", async () => {
    await using shop = await createLoadedShop();
    const file = join(shop.projectDir, "models/manifest.yml");
    for (const [before, after, table] of [
      ['name: rate, data_type: "decimal(10,4)"', 'name: rate, data_type: "decimal(12,4)"', "rates"],
      ["cursor: changed_at, deletes: hard", "cursor: changed_at, deletes: ignore", "orders"],
      ["cursor: changed_at, deletes: ignore", "cursor: id, deletes: ignore", "orders"],
      ["          - {name: page, data_type: text}\n", "", "visits"],
    ] as const) {
      const text = readFileSync(file, "utf8");
      expect(text).toContain(before);
      writeFileSync(file, text.replace(before, after));
      const result = await shop.run();
      expect(result.status).toBe("success");
      expect(published(shop.meter)).toEqual([[result.batch_id, table]]);
      shop.meter.takeCalls();
      await shop.run();
      expect(shop.meter.takeCalls()).toEqual([]);
    }
  });
});

describe("a warehouse that costs nothing", () => {
  it("is loaded and built in each batch as ever, and nothing is noted beside it", async () => {
    await using shop = await createShop();
    await shop.run({ openWarehouse });
    const result = await shop.run({ openWarehouse });
    expect(statuses(result)).toEqual(["success", "pass"]);
    expect(result).not.toHaveProperty("usage");
    expect(existsSync(copyOf(shop))).toBe(false);
    expect(shop.events.filter((event) => event.type === "task_started" && event.task.kind === "digest")).toEqual([]);
    const [fence] = await shop.ask("SELECT fence FROM pipeline.watermarks WHERE table_name = 'orders'");
    const { version, digest } = JSON.parse(fence?.[0] ?? "") as Record<string, string>;
    expect(version).toMatch(/^\d+$/);
    expect(digest).toBeUndefined();
  });
});
