/** A warehouse that is billed by use is asked only for what has changed, and for nothing when nothing has. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { appendFile, cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BatchResult } from "../../../runtime/core/result.ts";
import type { RunBatchOptions } from "../../../runtime/schedule/run-batch.ts";
import { Store } from "../../../runtime/store/store.ts";
import { createDealership, SQL_FOLDER, type Dealership } from "../../support/dealership.ts";
import { createMeter, type Meter } from "../../support/metered-warehouse.ts";

interface Metered extends Dealership {
  readonly meter: Meter;
  /** Where the last publication is noted. */
  readonly copy: string;
}

/** A dealership whose DuckDB costs money; the first batch has run. */
async function createMetered(): Promise<Metered> {
  const dealership = await createDealership({ sales: 200 });
  const meter = createMeter();
  const run = (options: Partial<RunBatchOptions> = {}) =>
    dealership.run({ openWarehouse: meter.openWarehouse, ...options });
  const first = await run();
  expect(first).toMatchObject({ batch_id: 1, status: "success" });
  meter.takeCalls();
  meter.takePublications();
  return { ...dealership, run, meter, copy: join(dealership.config.stateDir, "published.json") };
}

const published = (meter: Meter) =>
  meter.takePublications().map(({ batch, tables }) => [batch.id, ...tables.map(({ table }) => table.name)]);

const statuses = ({ models, tests }: BatchResult) => [...new Set([...models, ...tests].map(({ status }) => status))];

const CHANGE_A_CLIENT =
  "UPDATE clientes SET endereco = endereco || '!', data_atualizacao = now() WHERE id_clientes = (SELECT min(id_clientes) FROM clientes)";

describe("a batch that finds nothing new", () => {
  it("sends no statement, and reports tables as loaded and models and tests as skipped", async () => {
    await using dealership = await createMetered();
    const { meter, run } = dealership;
    const result = await run();
    expect(meter.takeCalls()).toEqual([]);
    expect(result).toMatchObject({ batch_id: 2, status: "success", usage: { statements: 0, credits: 0 } });
    expect(result.error).toBeUndefined();
    expect(result.snapshot).toMatch(/Z$/);
    expect(result.tables).toHaveLength(7);
    for (const table of result.tables) expect(table).toMatchObject({ status: "success", rows_read: 0, inserted: 0 });
    expect(result.tables.find(({ name }) => name === "vendas")?.rows_total).toBe(200);
    expect(result.models).toHaveLength(18);
    expect(result.tests.length).toBeGreaterThan(20);
    expect(statuses(result)).toEqual(["skipped"]);
    const lines = dealership.events.flatMap((event) =>
      event.type === "log" && event.batchId === 2 && !event.task ? [event.message] : [],
    );
    expect(lines).toEqual(["nothing new since batch 1: no model needs to be built"]);
    using store = Store.open({ folder: dealership.config.stateDir });
    expect(store.batch(2)).toMatchObject({ status: "success", usage: { statements: 0 } });
    expect(await run()).toMatchObject({ batch_id: 3, status: "success", usage: { statements: 0 } });
  });

  it("takes a later number than every batch that was published, and publishes the next change under its own", async () => {
    await using dealership = await createMetered();
    const { database, meter, run } = dealership;
    await run();
    await run();
    await database.query(CHANGE_A_CLIENT);
    expect(await run()).toMatchObject({ batch_id: 4, status: "success" });
    expect(published(meter)).toEqual([[4, "clientes"]]);
    expect(await dealership.ask("SELECT batch_id FROM pipeline.batches ORDER BY 1")).toEqual([["1"], ["4"]]);
  });

  it("does not take the rows at the watermark, which are read again each time, for new ones", async () => {
    await using dealership = await createMetered();
    const { database, meter, run } = dealership;
    // At the watermark, behind it (its transaction is younger than the fence), and without a cursor.
    await database.query("UPDATE vendas SET data_atualizacao = now() WHERE id_vendas % 2 = 0");
    await database.query("UPDATE vendas SET data_atualizacao = NULL WHERE id_vendas % 7 = 0");
    expect((await run()).tables.find(({ name }) => name === "vendas")?.updated).toBeGreaterThan(50);
    meter.takeCalls();
    expect(await run()).toMatchObject({ status: "success" });
    expect(meter.takeCalls()).toEqual([]);
  });
});

describe("a batch that finds something new in one table", () => {
  it("stages and publishes that table only, and builds the models", async () => {
    await using dealership = await createMetered();
    const { database, meter, run } = dealership;
    await database.query(CHANGE_A_CLIENT);
    const result = await run();
    const calls = meter.takeCalls();
    expect(calls.filter((name) => name === "openIncoming")).toHaveLength(2);
    expect(calls.filter((name) => name === "readState")).toHaveLength(1);
    expect(published(meter)).toEqual([[2, "clientes"]]);
    expect(result.tables.map(({ name }) => name)).toHaveLength(7);
    expect(result.tables.find(({ name }) => name === "clientes")).toMatchObject({ updated: 1 });
    expect(result.usage).toMatchObject({ credits: 1 / 60 });
    expect(statuses(result)).toEqual(["success", "pass"]);
    expect(await dealership.differences()).toEqual({});
    await run();
    expect(meter.takeCalls()).toEqual([]);
  });

  it("sees a row that is gone although its cursor tells of nothing", async () => {
    await using dealership = await createMetered();
    const { database, meter, run } = dealership;
    await database.query("DELETE FROM vendas WHERE id_vendas = (SELECT min(id_vendas) FROM vendas)");
    expect(await run()).toMatchObject({ status: "success" });
    expect(published(meter)).toEqual([[2, "vendas"]]);
    expect(await dealership.differences()).toEqual({});
  });

  it("sees a row that was committed late, with a cursor from before", async () => {
    await using dealership = await createMetered();
    const { database, meter, run } = dealership;
    const late = await database.pool.connect();
    await late.query("BEGIN");
    await late.query(CHANGE_A_CLIENT);
    await database.query(
      "UPDATE clientes SET endereco = 'x', data_atualizacao = clock_timestamp() WHERE id_clientes = (SELECT max(id_clientes) FROM clientes)",
    );
    await run();
    await run();
    expect(published(meter)).toEqual([[2, "clientes"]]);
    await late.query("COMMIT");
    late.release();
    await run();
    expect(published(meter)).toEqual([[4, "clientes"]]);
    expect(await dealership.differences()).toEqual({});
  });
});

describe("what is remembered of the last batch", () => {
  it("may be lost, torn or another warehouse's: the warehouse is asked once, publishes nothing, and builds the models", async () => {
    await using dealership = await createMetered();
    const { copy, meter, run } = dealership;
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

  it("is worthless from before the publication on, so that a batch that is killed behind it is made good by the next", async () => {
    await using dealership = await createMetered();
    const { copy, database, meter, run } = dealership;
    const [before] = await database.query<{ endereco: string; data_atualizacao: string }>(
      "SELECT endereco, data_atualizacao::text FROM clientes ORDER BY id_clientes LIMIT 1",
    );
    await database.query(CHANGE_A_CLIENT);
    meter.onCall = (name) => {
      if (name === "publish") expect(readFileSync(copy, "utf8")).toBe("");
      if (name === "relations") throw new Error("killed");
    };
    expect(await run()).toMatchObject({ status: "failed" });
    meter.onCall = () => {};
    expect(published(meter)).toEqual([[2, "clientes"]]);
    // As it was at batch 1, of which the warehouse knows better.
    await database.query(
      "UPDATE clientes SET endereco = $1, data_atualizacao = $2 WHERE id_clientes = (SELECT min(id_clientes) FROM clientes)",
      [before?.endereco, before?.data_atualizacao],
    );
    expect(await run()).toMatchObject({ batch_id: 3, status: "success" });
    expect(published(meter)).toEqual([[3, "clientes"]]);
  });

  it("counts no more once another machine has published: the batch goes on under a number that is free", async () => {
    await using dealership = await createMetered();
    const { config, database, events, meter, run } = dealership;
    const elsewhere = { ...config, stateDir: join(dealership.folder, "elsewhere") };
    await database.query(CHANGE_A_CLIENT);
    expect(await run({ config: elsewhere })).toMatchObject({ batch_id: 2, status: "success" });
    await database.query(CHANGE_A_CLIENT);
    published(meter);
    expect(await run()).toMatchObject({ batch_id: 3, status: "success" });
    expect(published(meter)).toEqual([[3, "clientes"]]);
    using store = Store.open({ folder: config.stateDir });
    expect(store.batch(2)).toMatchObject({ status: "cancelled", error: { code: "BATCH_NUMBER_TAKEN" } });
    expect(events.filter(({ type }) => type === "batch_started").map(({ batchId }) => batchId)).toEqual([1, 2, 2, 3]);
    expect(await dealership.differences()).toEqual({});
  });

  it("is asked of the warehouse where the state folder is new", async () => {
    await using dealership = await createMetered();
    const { config, meter, run } = dealership;
    const elsewhere = { ...config, stateDir: join(dealership.folder, "elsewhere") };
    expect(await run({ config: elsewhere })).toMatchObject({ batch_id: 2, status: "success" });
    expect(published(meter)).toEqual([]);
  });

  it("does not wake the warehouse while the source cannot be reached, even if it is lost", async () => {
    await using dealership = await createMetered();
    const { config, copy, meter, run } = dealership;
    await rm(copy);
    const result = await run({ config: { ...config, sourceUrl: "postgres://nobody@127.0.0.1:1/none" } });
    expect(result).toMatchObject({ batch_id: 2, status: "failed", error: { code: "SOURCE_UNREACHABLE" } });
    expect(meter.takeCalls()).toEqual([]);
    expect(result.usage).toMatchObject({ statements: 0 });
  });
});

describe("models", () => {
  it("are built again until they have all succeeded, while nothing is loaded", async () => {
    await using dealership = await createMetered();
    const { database, meter, run } = dealership;
    await database.query(
      "UPDATE vendas SET valor_pago = valor_pago * 0.5, data_atualizacao = now() WHERE id_vendas = (SELECT min(id_vendas) FROM vendas)",
    );
    expect(await run()).toMatchObject({ status: "failed" });
    expect(published(meter)).toEqual([[2, "vendas"]]);
    meter.takeCalls();
    const again = await run();
    expect(again.status).toBe("failed");
    expect(published(meter)).toEqual([]);
    expect(meter.takeCalls()).toContain("materialize");
    expect(again.tests.some(({ status }) => status === "fail")).toBe(true);
  });

  it("are built when the project has changed, or when they were named, or asked for anew", async () => {
    await using dealership = await createMetered();
    const { folder, meter, run } = dealership;
    const projectDir = join(folder, "project");
    await cp(SQL_FOLDER, projectDir, { recursive: true });
    const config = { ...dealership.config, projectDir };
    await run({ config });
    expect(meter.takeCalls()).toEqual([]);
    await appendFile(join(projectDir, "models/dimensions/dim_estados.sql"), "\n-- changed\n");
    expect(statuses(await run({ config }))).toEqual(["success", "pass"]);
    expect(published(meter)).toEqual([]);
    meter.takeCalls();
    await run({ config });
    expect(meter.takeCalls()).toEqual([]);
    const named = await run({ config, select: "dim_estados" });
    expect(named.models.map(({ name }) => name)).toEqual(["dim_estados"]);
    expect(published(meter)).toEqual([]);
    await run({ config });
    meter.takeCalls();
    await run({ config, fullRefresh: true });
    expect(meter.takeCalls()).toContain("materialize");
    expect(published(meter)[0]).toHaveLength(8);
    await run({ config });
    expect(meter.takeCalls()).toEqual([]);
  });
});

describe("a manifest that has changed", () => {
  it("makes its table count as new, and only that one", async () => {
    await using dealership = await createMetered();
    const { folder, meter, run } = dealership;
    const projectDir = join(folder, "project");
    await cp(SQL_FOLDER, projectDir, { recursive: true });
    const file = join(projectDir, "models/manifest.yml");
    const text = readFileSync(file, "utf8");
    const wider = text.replace("data_type: varchar(100)", "data_type: varchar(120)");
    expect(wider).not.toBe(text);
    writeFileSync(file, wider);
    expect(await run({ config: { ...dealership.config, projectDir } })).toMatchObject({ status: "success" });
    expect(published(meter)).toEqual([[2, "veiculos"]]);
  });
});

describe("a warehouse that costs nothing", () => {
  it("is loaded and built in each batch as ever, and nothing is noted beside it", async () => {
    await using dealership = await createDealership({ sales: 200 });
    await dealership.run();
    const result = await dealership.run();
    expect(statuses(result)).toEqual(["success", "pass"]);
    expect(result.usage).toBeUndefined();
    expect(existsSync(join(dealership.config.stateDir, "published.json"))).toBe(false);
    expect(dealership.events.filter((event) => event.type === "task_started" && event.task.kind === "digest")).toEqual(
      [],
    );
    expect(await dealership.ask("SELECT DISTINCT fence FROM pipeline.watermarks")).toEqual([["{}"]]);
  });
});
