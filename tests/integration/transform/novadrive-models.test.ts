/** The models of NovaDrive Motors on a small dealership: columns, values, tests, explorations. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readManifest } from "../../../runtime/manifest/read.ts";
import { buildProject } from "../../../runtime/transform/build-project.ts";
import { compileProject } from "../../../runtime/transform/compile-project.ts";
import { loadProject } from "../../../runtime/transform/load-project.ts";
import { Dealership } from "./dealership.ts";
import { recordingTasks, TARGET, testWarehouse } from "./warehouse-project.ts";

const folder = join(import.meta.dirname, "../../../sql");
const manifest = readManifest(join(folder, "models/manifest.yml"));

/** A warehouse with the dealership loaded and everything built. */
async function built(dealership: Dealership, vars: Readonly<Record<string, unknown>> = {}) {
  const at = await testWarehouse(manifest);
  const project = await loadProject({ folder, target: TARGET, vars });
  await at.publish(dealership.tables());
  const outcome = await buildProject({ project, warehouse: at.warehouse, tasks: recordingTasks() });
  const table = async (name: string, columns = "*") =>
    (await at.rows(`select ${columns} from analytics.${name} order by 1`)).map((row) => row.join(" | "));
  return { ...at, project, ...outcome, table, [Symbol.asyncDispose]: () => at[Symbol.asyncDispose]() };
}

const COLUMNS: Readonly<Record<string, string>> = {
  stg_veiculos: "id_veiculos nome tipo valor data_inclusao data_atualizacao",
  stg_estados: "id_estados estado sigla data_inclusao data_atualizacao",
  stg_cidades: "id_cidades nome_cidade id_estados data_inclusao data_atualizacao",
  stg_concessionarias: "id_concessionarias nome_concessionaria id_cidades data_inclusao data_atualizacao",
  stg_vendedores: "id_vendedores nome_vendedor id_concessionarias data_inclusao data_atualizacao",
  stg_clientes: "id_clientes cliente endereco id_concessionarias data_inclusao data_atualizacao",
  stg_vendas:
    "id_vendas id_veiculos id_concessionarias id_vendedores id_clientes valor_venda data_venda data_inclusao data_atualizacao",
  dim_veiculos: "veiculo_id nome_veiculo tipo valor_sugerido data_inclusao data_atualizacao",
  dim_estados: "estado_id nome_estado sigla data_inclusao data_atualizacao",
  dim_cidades: "cidade_id nome_cidade estado_id data_inclusao data_atualizacao",
  dim_concessionarias: "concessionaria_id nome_concessionaria cidade_id data_inclusao data_atualizacao",
  dim_vendedores: "vendedor_id nome_vendedor concessionaria_id data_inclusao data_atualizacao",
  dim_clientes: "cliente_id nome_cliente endereco concessionaria_id data_inclusao data_atualizacao",
  fct_vendas:
    "venda_id veiculo_id concessionaria_id vendedor_id cliente_id valor_venda data_venda data_inclusao data_atualizacao",
  analise_vendas_concessionaria: "id concessionaria cidade estado quantidade total valor_medio",
  analise_vendas_veiculo: "id veiculo tipo valor_sugerido quantidade total valor_medio",
  analise_vendas_vendedor: "id vendedor concessionaria quantidade total valor_medio",
  analise_vendas_temporal: "mes_venda numero_vendas total_vendas valor_medio_venda",
};

test("all 18 models are built with the columns that they are described with; all tests pass", async () => {
  await using at = await built(new Dealership(manifest).sell(1).sell(2, { vehicle: 2, price: "500000.00" }));
  expect(at.models.filter(({ status }) => status !== "success")).toEqual([]);
  expect(at.tests.filter(({ status }) => status !== "pass")).toEqual([]);
  const relations = await at.warehouse.relations("analytics");
  expect(
    Object.fromEntries(relations.map(({ name, columns }) => [name, columns.map((column) => column.name).join(" ")])),
  ).toEqual(COLUMNS);
  for (const node of at.project.nodes.values()) {
    if (node.kind === "model") expect(node.columns.map(({ name }) => name).join(" ")).toBe(COLUMNS[node.name]);
  }
  const kinds = new Map(relations.map(({ name, kind }) => [name, kind]));
  expect([kinds.get("stg_vendas"), kinds.get("dim_veiculos"), kinds.get("fct_vendas")]).toEqual([
    "view",
    "table",
    "table",
  ]);
});

test("values are cleaned, and an update that never was falls back to the insert or the sale", async () => {
  await using at = await built(new Dealership(manifest).sell(1));
  expect(await at.table("dim_cidades", "cidade_id, nome_cidade")).toEqual(["1 | São Paulo", "2 | Rio Branco"]);
  expect(await at.table("dim_estados", "estado_id, nome_estado, sigla")).toEqual([
    "1 | SÃO PAULO | SP",
    "2 | ACRE | AC",
  ]);
  expect(await at.table("dim_vendedores", "vendedor_id, nome_vendedor")).toEqual([
    "1 | Ângela De Souza",
    "2 | João Lima",
  ]);
  expect(await at.table("dim_clientes", "cliente_id, nome_cliente, endereco")).toEqual([
    "1 | Maria Da Conceição | Rua das Flores, 10",
    "2 | Zé | Av. Brasil, 1",
  ]);
  expect(await at.table("dim_concessionarias", "concessionaria_id, '[' || nome_concessionaria || ']'")).toContain(
    "1 | [Concessionária NovaDrive Motors São Paulo]",
  );
  expect(await at.table("dim_veiculos", "veiculo_id, valor_sugerido, data_atualizacao = data_inclusao")).toEqual([
    "1 | 250000.00 | true",
    "2 | 500000.00 | true",
  ]);
  expect(await at.table("fct_vendas", "venda_id, data_atualizacao = data_venda, data_inclusao < data_venda")).toEqual([
    "1 | true | true",
  ]);
});

describe("analyses", () => {
  const dealership = new Dealership(manifest)
    // 23:30 on 28 February in São Paulo is March in UTC.
    .sell(1, { price: "240000.00", at: "2025-03-01 02:30:00+00" })
    .sell(2, { price: "245000.01", at: "2025-03-01 03:30:00+00" })
    .sell(3, { vehicle: 2, dealership: 2, seller: 2, client: 2, price: "480000.00", at: "2025-03-31 12:00:00+00" })
    .sell(4, { price: "250000.00", at: null });

  test("count by calendar month in the company's time zone", async () => {
    await using at = await built(dealership);
    expect(await at.table("analise_vendas_temporal")).toEqual([
      "2025-02-01 | 1 | 240000.00 | 240000.00",
      "2025-03-01 | 2 | 725000.01 | 362500.01",
    ]);
    await using utc = await built(dealership, { timezone: "UTC" });
    expect(await utc.table("analise_vendas_temporal", "mes_venda, numero_vendas")).toEqual(["2025-03-01 | 3"]);
  });

  test("add up by dealership, vehicle and seller", async () => {
    await using at = await built(dealership);
    expect(await at.table("analise_vendas_concessionaria")).toEqual([
      "1 | Concessionária NovaDrive Motors São Paulo | São Paulo | SÃO PAULO | 3 | 735000.01 | 245000.00",
      "2 | Concessionária NovaDrive Motors Rio Branco | Rio Branco | ACRE | 1 | 480000.00 | 480000.00",
    ]);
    expect(await at.table("analise_vendas_veiculo")).toEqual([
      "1 | AgileXplorer | SUV Compacta | 250000.00 | 3 | 735000.01 | 245000.00",
      "2 | EcoPrestige | SUV Premium Híbrida | 500000.00 | 1 | 480000.00 | 480000.00",
    ]);
    expect(await at.table("analise_vendas_vendedor", "id, vendedor, quantidade")).toEqual([
      "1 | Ângela De Souza | 3",
      "2 | João Lima | 1",
    ]);
  });
});

test.each([
  ["above the list price", "250000.01"],
  ["below 95 % of it", "237499.99"],
])("a sale %s makes exactly the price test fail", async (_, price) => {
  await using at = await built(
    new Dealership(manifest).sell(1, { price: "250000.00" }).sell(2, { price: "237500.00" }).sell(3, { price }),
  );
  const failed = at.tests.filter(({ status }) => status !== "pass" && status !== "skipped");
  expect(failed).toMatchObject([
    { name: "sale_price_within_list_price", status: "fail", failures: 1, error: { code: "TEST_FAILED" } },
  ]);
});

test("the explorations run and answer", async () => {
  const dealership = new Dealership(manifest).sell(1).sell(2, { vehicle: 2, client: 2, price: "490000.00" });
  dealership.put("veiculos", 3, "Roomy", "SUV Compacta", "310000.00");
  await using at = await built(dealership);
  const answers = new Map<string, readonly string[]>();
  for (const { name, kind, sql } of compileProject({ project: at.project })) {
    if (kind === "analysis")
      answers.set(
        name,
        (await at.rows(sql)).map((row) => row.join(" | ")),
      );
  }
  expect(Object.fromEntries(answers)).toEqual({
    clientes_de_veiculos_premium: ["2 | Zé | 490000.00"],
    clientes_e_concessionarias: [
      "1 | Maria Da Conceição | 1 | Concessionária NovaDrive Motors São Paulo",
      "2 | Zé | 1 | Concessionária NovaDrive Motors São Paulo",
    ],
    concessionarias_com_mais_de_500_vendas: [],
    suv_compacta_ate_300_mil: ["1 | AgileXplorer | SUV Compacta | 250000.00"],
    veiculo_mais_caro_por_tipo: [
      "SUV Premium Híbrida | 2 | EcoPrestige | 500000.00",
      "SUV Compacta | 3 | Roomy | 310000.00",
    ],
    veiculos_dos_ultimos_dois_meses: [],
    vendedores_por_concessionaria: [
      "1 | Concessionária NovaDrive Motors São Paulo | 1",
      "2 | Concessionária NovaDrive Motors Rio Branco | 1",
    ],
  });
});
