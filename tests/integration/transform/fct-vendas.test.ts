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

const id = fc.integer({ min: 1, max: 4 });
const change = fc.oneof(
  fc.record({
    kind: fc.constant("sell" as const),
    sale: fc.integer({ min: 1, max: 12 }),
    vehicle: id,
    dealership: id,
    seller: id,
    client: id,
    price: fc.constantFrom("240000.00", "245000.50"),
  }),
  fc.record({ kind: fc.constant("cancel" as const), sale: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constantFrom("appear" as const, "vanish" as const), table: fc.constantFrom(...DIMENSIONS), id }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
const batch = fc.record({
  changes: fc.array(change, { maxLength: 6 }),
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
      if (next.table === "veiculos") dealership.put("veiculos", next.id, "New", "SUV", "250000.00");
      else if (next.table === "clientes") dealership.put("clientes", next.id, "New", "There", 1);
      else dealership.put(next.table, next.id, "New", 1);
  }
}

test("incremental = full refresh, after any sequence of batches", { timeout: 180_000 }, async () => {
  const project = await loadProject({ folder, target: TARGET });
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 2, maxLength: 7 }), async (batches) => {
      await using at = await testWarehouse(manifest);
      const full = compileProject({
        project,
        select: "fct_vendas,config.materialized:incremental",
        relationName: (relation) => at.warehouse.relationName(relation),
      }).find(({ kind }) => kind === "model");
      if (!full) throw new Error("No SQL of a full refresh");
      const dealership = new Dealership(manifest);
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
    { numRuns: 12 },
  );
});

test("an incremental build writes only what changed", async () => {
  const project = await loadProject({ folder, target: TARGET });
  await using at = await testWarehouse(manifest);
  const dealership = new Dealership(manifest);
  for (let sale = 1; sale <= 50; sale++) dealership.sell(sale);
  const build = async () => {
    await at.publish(dealership.tables());
    const { models } = await buildProject({
      project,
      warehouse: at.warehouse,
      tasks: recordingTasks(),
      select: "+fct_vendas",
      what: "models",
    });
    return models.find(({ name }) => name === "fct_vendas")?.rows;
  };
  const count = async () => (await at.rows("select count(*) from analytics.fct_vendas"))[0]?.[0];
  expect(await build()).toBe(50);
  dealership
    .sell(7, { price: "239000.00" })
    .sell(51)
    .delete("vendas", 9)
    .put("veiculos", 1, "Renamed", "SUV", "260000.00");
  expect(await build()).toBe(2);
  expect(await count()).toBe("50");
  expect(await build()).toBe(0);
});
