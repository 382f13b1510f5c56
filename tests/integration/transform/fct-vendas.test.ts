/** Whatever happens between two builds, building fct_vendas incrementally gives what a full refresh would. */
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readManifest } from "../../../runtime/manifest/read.ts";
import { buildProject } from "../../../runtime/transform/build-project.ts";
import { compileProject } from "../../../runtime/transform/compile-project.ts";
import { loadProject } from "../../../runtime/transform/load-project.ts";
import { Dealership } from "./dealership.ts";
import { recordingTasks, TARGET, testWarehouse } from "./warehouse-project.ts";

const folder = join(import.meta.dirname, "../../../sql");
const manifest = readManifest(join(folder, "models/manifest.yml"));
const DIMENSIONS = ["veiculos", "concessionarias", "vendedores", "clientes"] as const;

/** Few of each, so that changes meet. */
const IDS = 3;
const SALES = 8;
const id = fc.integer({ min: 1, max: IDS });
const sale = fc.integer({ min: 1, max: SALES });
const change = fc.oneof(
  fc.record({
    kind: fc.constant("sell" as const),
    sale,
    vehicle: id,
    dealership: id,
    seller: id,
    client: id,
    price: fc.constantFrom("240000.00", "245000.50", "249999.99"),
  }),
  fc.record({ kind: fc.constant("cancel" as const), sale }),
  fc.record({ kind: fc.constantFrom("appear" as const, "vanish" as const), table: fc.constantFrom(...DIMENSIONS), id }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
const batch = fc.record({
  changes: fc.array(change, { minLength: 1, maxLength: 6 }),
  /** What is built after the batch: everything, the fact alone (over old dimensions), or nothing. */
  build: fc.constantFrom("+fct_vendas", "+fct_vendas", "fct_vendas", undefined),
});

function apply(dealership: Dealership, next: Change): void {
  switch (next.kind) {
    case "sell":
      dealership.sell(next.sale, next);
      return;
    case "cancel":
      dealership.delete("vendas", next.sale);
      return;
    case "vanish":
      dealership.delete(next.table, next.id);
      return;
    case "appear":
      add(dealership, next.table, next.id);
  }
}

function add(dealership: Dealership, table: (typeof DIMENSIONS)[number], key: number): void {
  if (table === "veiculos") dealership.put("veiculos", key, "New", "SUV", "250000.00");
  else if (table === "clientes") dealership.put("clientes", key, "New", "There", 1);
  else dealership.put(table, key, "New", 1);
}

test("incremental = full refresh, after any sequence of batches", { timeout: 180_000 }, async () => {
  const project = await loadProject({ folder, target: TARGET });
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 2, maxLength: 6 }), async (batches) => {
      await using at = await testWarehouse(manifest);
      const full = compileProject({
        project,
        select: "fct_vendas,config.materialized:incremental",
        relationName: (relation) => at.warehouse.relationName(relation),
      }).find(({ kind }) => kind === "model");
      if (!full) throw new Error("No SQL of a full refresh");
      const dealership = new Dealership(manifest);
      for (let key = 1; key <= IDS; key++) {
        for (const table of DIMENSIONS) apply(dealership, { kind: "appear", table, id: key });
      }
      for (let key = 1; key <= SALES; key++) {
        dealership.sell(key, { vehicle: 1 + (key % 3), dealership: 1 + (key % 2), seller: 3, client: 1 + (key % 3) });
      }
      for (const [index, { changes, build }] of batches.entries()) {
        for (const next of changes) apply(dealership, next);
        await at.publish(dealership.tables());
        const select = index === 0 ? "+fct_vendas" : build;
        if (select === undefined) continue;
        const { models } = await buildProject({
          project,
          warehouse: at.warehouse,
          tasks: recordingTasks(),
          select,
          what: "models",
        });
        for (const { name, status, error } of models)
          expect({ name, status, error }).toMatchObject({ status: "success" });
        const built = `select * from ${at.warehouse.relationName({ schema: "analytics", name: "fct_vendas" })}`;
        expect(await at.rows(`(${built}) except all (${full.sql})`)).toEqual([]);
        expect(await at.rows(`(${full.sql}) except all (${built})`)).toEqual([]);
      }
    }),
    { numRuns: 6, endOnFailure: true },
  );
});

async function opened() {
  const project = await loadProject({ folder, target: TARGET });
  const at = await testWarehouse(manifest);
  const dealership = new Dealership(manifest);
  return {
    dealership,
    /** Publishes and builds; rows that the fact's build wrote. */
    build: async () => {
      await at.publish(dealership.tables());
      const { models } = await buildProject({
        project,
        warehouse: at.warehouse,
        tasks: recordingTasks(),
        select: "+fct_vendas",
        what: "models",
      });
      return models.find(({ name }) => name === "fct_vendas")?.rows;
    },
    sales: async () =>
      (await at.rows("select venda_id, valor_venda from analytics.fct_vendas order by venda_id")).map((row) =>
        row.join(" "),
      ),
    [Symbol.asyncDispose]: () => at[Symbol.asyncDispose](),
  };
}

test("an incremental build writes only what changed", async () => {
  await using at = await opened();
  for (let sale = 1; sale <= 50; sale++) at.dealership.sell(sale);
  expect(await at.build()).toBe(50);
  at.dealership.sell(7, { price: "239000.00" }).sell(51).delete("vendas", 9);
  at.dealership.put("veiculos", 1, "Renamed", "SUV", "260000.00");
  expect(await at.build()).toBe(2);
  const sales = await at.sales();
  expect(sales).toHaveLength(50);
  expect(sales).toContain("7 239000.00");
  expect(await at.build()).toBe(0);
});

test.each(DIMENSIONS)("a sale waits for its row in %s, goes with it and comes back with it", async (table) => {
  await using at = await opened();
  at.dealership.sell(1).sell(2, { vehicle: 9, dealership: 9, seller: 9, client: 9 });
  for (const other of DIMENSIONS) if (other !== table) add(at.dealership, other, 9);
  await at.build();
  expect(await at.sales()).toEqual(["1 240000.00"]);
  add(at.dealership, table, 9);
  await at.build();
  expect(await at.sales()).toEqual(["1 240000.00", "2 240000.00"]);
  at.dealership.delete(table, 9);
  await at.build();
  expect(await at.sales()).toEqual(["1 240000.00"]);
  add(at.dealership, table, 9);
  await at.build();
  expect(await at.sales()).toEqual(["1 240000.00", "2 240000.00"]);
});

test("a sale that is changed to a seller who does not exist goes, and comes back when corrected", async () => {
  await using at = await opened();
  at.dealership.sell(1).sell(2);
  await at.build();
  at.dealership.sell(2, { seller: 99 });
  await at.build();
  expect(await at.sales()).toEqual(["1 240000.00"]);
  at.dealership.sell(2, { seller: 2 });
  await at.build();
  expect(await at.sales()).toEqual(["1 240000.00", "2 240000.00"]);
});
