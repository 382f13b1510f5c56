import { describe, expect, it } from "vitest";
import { createDealership } from "../../support/dealership.ts";

/** Models and their columns, as the business knows them. */
const COLUMNS: Readonly<Record<string, string>> = {
  dim_veiculos: "veiculo_id, nome_veiculo, tipo, valor_sugerido, data_inclusao, data_atualizacao",
  dim_estados: "estado_id, nome_estado, sigla, data_inclusao, data_atualizacao",
  dim_cidades: "cidade_id, nome_cidade, estado_id, data_inclusao, data_atualizacao",
  dim_concessionarias: "concessionaria_id, nome_concessionaria, cidade_id, data_inclusao, data_atualizacao",
  dim_vendedores: "vendedor_id, nome_vendedor, concessionaria_id, data_inclusao, data_atualizacao",
  dim_clientes: "cliente_id, nome_cliente, endereco, concessionaria_id, data_inclusao, data_atualizacao",
  fct_vendas:
    "venda_id, veiculo_id, concessionaria_id, vendedor_id, cliente_id, valor_venda, data_venda, data_inclusao, data_atualizacao",
  analise_vendas_concessionaria: "id, concessionaria, cidade, estado, quantidade, total, valor_medio",
  analise_vendas_veiculo: "id, veiculo, tipo, valor_sugerido, quantidade, total, valor_medio",
  analise_vendas_vendedor: "id, vendedor, concessionaria, quantidade, total, valor_medio",
  analise_vendas_temporal: "mes_venda, numero_vendas, total_vendas, valor_medio_venda",
};
const STAGING = ["cidades", "clientes", "concessionarias", "estados", "veiculos", "vendas", "vendedores"].map(
  (table) => `stg_${table}`,
);

describe("the first batch", () => {
  it("makes every stage table equal to its source, every model, and passes every test", async () => {
    await using dealership = await createDealership({ sales: 3_000 });
    const result = await dealership.run();
    expect(result.error).toBeUndefined();
    expect(result.status).toBe("success");
    expect(result.models.map((model) => model.name).sort()).toEqual([...Object.keys(COLUMNS), ...STAGING].sort());
    expect(result.models.filter((model) => model.status !== "success")).toEqual([]);
    expect(result.tests.filter((test) => test.status !== "pass")).toEqual([]);
    expect(result.tests.map((test) => test.name)).toContain("source_unique_stage_vendas_id_vendas");
    expect(result.tables.find((table) => table.name === "vendas")).toMatchObject({
      rows_read: 3_000,
      inserted: 3_000,
      updated: 0,
      deleted: 0,
    });
    expect(await dealership.differences()).toEqual({});
    for (const [model, columns] of Object.entries(COLUMNS)) {
      const rows = await dealership.ask(
        `SELECT column_name FROM information_schema.columns WHERE lower(table_schema) = 'analytics' AND lower(table_name) = '${model}' ORDER BY ordinal_position`,
      );
      expect(rows.map(([name]) => name?.toLowerCase()).join(", "), model).toBe(columns);
    }
    expect(await dealership.ask("SELECT COUNT(*) FROM analytics.fct_vendas")).toEqual([["3000"]]);
  });
});

describe("a later batch", () => {
  it("reads only what changed, and makes stage equal to the source again", async () => {
    await using dealership = await createDealership();
    const { database } = dealership;
    await dealership.run();
    await database.query(`INSERT INTO clientes (id_clientes, cliente, endereco, id_concessionarias, data_inclusao, data_atualizacao)
      SELECT 1000000 + i, 'Cliente ' || i, E'Rua "A", 1\\nFundos', 1, now(), now() FROM generate_series(1, 3) i`);
    await database.query(
      "UPDATE vendas SET valor_pago = valor_pago + 0.01, data_atualizacao = now() WHERE id_vendas IN (SELECT id_vendas FROM vendas JOIN veiculos USING (id_veiculos) WHERE valor_pago < valor ORDER BY id_vendas LIMIT 7)",
    );
    const [{ deleted } = { deleted: 0 }] = await database.query<{ deleted: number }>(
      "WITH gone AS (DELETE FROM vendas WHERE id_vendas IN (SELECT max(id_vendas) FROM vendas) RETURNING 1) SELECT count(*)::int AS deleted FROM gone",
    );
    expect(deleted).toBe(1);
    const result = await dealership.run();
    const table = (name: string) => result.tables.find((candidate) => candidate.name === name);
    expect(result.status).toBe("success");
    expect(table("clientes")).toMatchObject({ inserted: 3, updated: 0, deleted: 0 });
    expect(table("vendas")).toMatchObject({ inserted: 0, updated: 7, deleted: 1 });
    expect(table("estados")).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    expect(result.tables.reduce((sum, { rows_read }) => sum + rows_read, 0)).toBeLessThan(200);
    expect(await dealership.differences()).toEqual({});
    expect(await dealership.ask("SELECT COUNT(*) FROM analytics.fct_vendas")).toEqual([["1999"]]);
    expect(await dealership.ask("SELECT SUM(valor_venda) FROM analytics.fct_vendas")).toEqual(
      (await database.query<{ sum: string }>("SELECT sum(valor_pago)::text FROM vendas")).map((row) => [row.sum]),
    );
  });

  it("leaves everything as it is when nothing changed, and gives each batch a number of its own", async () => {
    await using dealership = await createDealership();
    const first = await dealership.run();
    const second = await dealership.run();
    expect(second.batch_id).toBe(first.batch_id + 1);
    for (const table of second.tables) expect(table).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    expect(await dealership.ask("SELECT COUNT(DISTINCT _batch_id) FROM stage.vendas")).toEqual([["1"]]);
  });

  it("does not miss a row whose transaction was open when the batch before it read", async () => {
    await using dealership = await createDealership();
    const { database } = dealership;
    await dealership.run();
    const late = await database.pool.connect();
    await late.query("BEGIN");
    await late.query(
      "UPDATE clientes SET endereco = 'late', data_atualizacao = now() WHERE id_clientes = (SELECT min(id_clientes) FROM clientes)",
    );
    await database.query(
      "UPDATE clientes SET endereco = 'early', data_atualizacao = clock_timestamp() WHERE id_clientes = (SELECT max(id_clientes) FROM clientes)",
    );
    await dealership.run();
    await late.query("COMMIT");
    late.release();
    await dealership.run();
    expect(await dealership.differences()).toEqual({});
  });

  it("loads everything anew with fullRefresh, and only the tables that were named", async () => {
    await using dealership = await createDealership();
    await dealership.run();
    const result = await dealership.run({ fullRefresh: true, tables: ["clientes"] });
    expect(result.tables.map((table) => table.name)).toEqual(["clientes"]);
    expect(await dealership.differences()).toEqual({});
    const batches = "SELECT (SELECT MIN(_batch_id) FROM stage.clientes), (SELECT MAX(_batch_id) FROM stage.vendas)";
    expect(await dealership.ask(batches)).toEqual([["2", "1"]]);
  });

  it("finds a change that no cursor tells of", async () => {
    await using dealership = await createDealership();
    await dealership.run();
    await dealership.database.query(
      "UPDATE clientes SET endereco = 'silent' WHERE id_clientes = (SELECT min(id_clientes) FROM clientes WHERE data_atualizacao IS NOT NULL)",
    );
    const result = await dealership.run();
    expect(result.tables.find(({ name }) => name === "clientes")).toMatchObject({ updated: 1 });
    expect(await dealership.differences()).toEqual({});
  });
});

describe("the price rule", () => {
  it("fails exactly its own test, and the batch, for a sale outside 95 to 100 % of the list price", async () => {
    await using dealership = await createDealership();
    await dealership.run();
    await dealership.database.query(
      "UPDATE vendas SET valor_pago = valor_pago * 0.5, data_atualizacao = now() WHERE id_vendas = (SELECT min(id_vendas) FROM vendas)",
    );
    const result = await dealership.run();
    expect(result.status).toBe("failed");
    expect(result.error).toBeUndefined();
    const wrong = result.tests.filter((test) => test.status !== "pass" && test.status !== "skipped");
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toMatchObject({ status: "fail", failures: 1, error: { code: "TEST_FAILED" } });
    expect(wrong[0]?.name).toMatch(/preco|price/);
  });
});
