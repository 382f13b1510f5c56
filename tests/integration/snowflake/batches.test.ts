/** Whole batches of the dealership into Snowflake: equal to the source, and to what DuckDB makes of the same. */
import { expect, it } from "vitest";
import { readManifest } from "../../../runtime/manifest/read.ts";
import { allTables } from "../../support/all-tables.ts";
import { createDealership, SQL_FOLDER } from "../../support/dealership.ts";
import { startTestSnowflake } from "../../support/test-snowflake.ts";

const MANIFEST = readManifest(`${SQL_FOLDER}/models/manifest.yml`);

it("gives the same tables as DuckDB, value by value: all stage tables, all 18 models, batch after batch", async () => {
  await using snowflake = await startTestSnowflake();
  await snowflake.server.createStageTables(MANIFEST);
  await using dealership = await createDealership({ sales: 400, settings: { warehouseUrl: snowflake.url } });
  const duckdbUrl = `duckdb:${dealership.folder}/compared.duckdb`;
  const config = { ...dealership.config, warehouseUrl: duckdbUrl, stateDir: `${dealership.folder}/compared` };
  const changes = [
    "",
    `DELETE FROM vendas WHERE id_vendas % 97 = 0;
     UPDATE clientes SET cliente = cliente || E' "Júnior"\\n', data_atualizacao = now() WHERE id_clientes % 50 = 0;
     UPDATE vendas SET valor_pago = (SELECT valor FROM veiculos v WHERE v.id_veiculos = vendas.id_veiculos), data_atualizacao = now() WHERE id_vendas % 31 = 0;
     INSERT INTO vendedores SELECT 100000 + i, E'd''ávila \\\\ ' || i, 1, now(), NULL FROM generate_series(1, 5) i`,
    "DELETE FROM vendas WHERE id_veiculos = 2; DELETE FROM veiculos WHERE id_veiculos = 2",
  ];
  for (const change of changes) {
    if (change !== "") await dealership.database.query(change);
    const result = await dealership.run();
    expect(result.error).toBeUndefined();
    expect(result.models.filter(({ status }) => status !== "success")).toEqual([]);
    expect(result.tests.filter(({ status }) => status !== "pass")).toEqual([]);
    expect([result.models.length, result.tests.length]).toEqual([18, 82]);
    expect((await dealership.run({ config })).status).toBe("success");
    expect(await dealership.differences()).toEqual({});
    const [ours, theirs] = [await allTables(snowflake.url), await allTables(duckdbUrl)];
    expect(Object.keys(ours)).toHaveLength(7 + 18);
    expect(ours).toEqual(theirs);
  }
}, 180_000);
