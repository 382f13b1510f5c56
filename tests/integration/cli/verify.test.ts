/** `novadrive verify` as a person and as a program use it. */
import { join } from "node:path";
import { expect, it } from "vitest";
import type { VerificationResult } from "../../../runtime/core/verification.ts";
import { Store } from "../../../runtime/store/store.ts";
import { openWarehouse } from "../../../runtime/warehouse/open.ts";
import { startCommand } from "../../support/command.ts";
import { createShop, type Shop } from "../../support/shop.ts";

const environmentOf = ({ config }: Shop) => ({
  NOVADRIVE_SOURCE_URL: config.sourceUrl ?? "",
  NOVADRIVE_WAREHOUSE_URL: config.warehouseUrl,
  NOVADRIVE_STATE_DIR: config.stateDir,
  NOVADRIVE_PROJECT_DIR: config.projectDir,
});

async function novadrive(shop: Shop, ...args: readonly string[]) {
  await using command = startCommand(args, { environment: environmentOf(shop) });
  return await command.ended;
}

async function change(shop: Shop, ...statements: readonly string[]): Promise<void> {
  await using warehouse = await openWarehouse({ url: `duckdb:${join(shop.folder, "warehouse.duckdb")}` });
  for (const sql of statements) await warehouse.query(sql);
}

it("proves, finds, repairs and proves again", async () => {
  await using shop = await createShop();
  const early = await novadrive(shop, "verify", "--json");
  expect(early.status).toBe(1);
  expect(JSON.parse(early.stdout)).toMatchObject({ error: { code: "VERIFY_NOT_LOADED" } });

  expect((await novadrive(shop, "run")).status).toBe(0);
  const good = await novadrive(shop, "verify", "--json");
  expect(good.status).toBe(0);
  const proven = JSON.parse(good.stdout) as VerificationResult;
  expect(proven).toMatchObject({
    equal: true,
    tables: [
      { name: "orders", rows_source: 21, rows_stage: 21, equal: true, differences: [] },
      { name: "visits", rows_source: 9, rows_stage: 9, equal: true, differences: [] },
      { name: "rates", rows_source: 2, rows_stage: 2, equal: true, differences: [] },
    ],
  });

  await change(
    shop,
    "update stage.orders set price = price + 1 where id = 5",
    "insert into stage.orders select * from stage.orders where id = 7",
    "delete from stage.visits where id = 9",
    "update stage.rates set rate = 2 where currency = 'EUR'",
  );
  await shop.database.query("INSERT INTO visits VALUES (10, '/10'); DELETE FROM orders WHERE id = 1");
  const bad = await novadrive(shop, "verify", "--json");
  expect(bad.status).toBe(1);
  expect(JSON.parse(bad.stdout)).toMatchObject({
    equal: false,
    tables: [
      {
        name: "orders",
        equal: false,
        keys: [
          { key: 5, is: "changed", columns: ["price"] },
          { key: 7, is: "twice" },
        ],
      },
      { name: "visits", equal: false, differences: [{ key_from: 9, key_to: 9, columns: ["id", "page"] }] },
      { name: "rates", equal: false, differences: [{ key_from: "EUR", key_to: "EUR", columns: ["rate"] }] },
    ],
  });
  {
    using store = Store.open({ folder: shop.config.stateDir });
    expect(store.verifications()).toMatchObject([
      { name: "orders", equal: false, proven_at: proven.snapshot },
      { name: "rates", equal: false, proven_at: proven.snapshot },
      { name: "visits", equal: false, proven_at: proven.snapshot },
    ]);
  }

  const plain = await novadrive(shop, "verify", "--table", "rates");
  expect(plain.status).toBe(1);
  expect(plain.stdout).toContain("✗ rates  2 of 2 rows, differs\n    key EUR: rate\n");
  expect(plain.stdout).toContain("novadrive verify --repair");

  const repaired = await novadrive(shop, "verify", "--repair", "--json");
  expect(JSON.parse(repaired.stdout)).toMatchObject({
    equal: true,
    repair: { batch_id: 2, found: [{ name: "orders" }, { name: "visits" }, { name: "rates" }] },
  });
  expect(repaired.status).toBe(0);
  expect(await shop.contents()).toEqual({
    stage: (await shop.contents()).source,
    source: (await shop.contents()).source,
  });
  expect((await novadrive(shop, "verify")).stdout).toContain("All 3 tables equal the source");
});
