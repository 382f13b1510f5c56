/** The demo's dealership through whole batches in a real account, compared with DuckDB value by value. */
import { expect, it } from "vitest";
import { readManifest } from "../../runtime/manifest/read.ts";
import { createDealership, SQL_FOLDER } from "../support/dealership.ts";
import { createSnowflakeDatabase } from "../support/snowflake-database.ts";
import { allTables } from "../support/all-tables.ts";
import { liveUrl } from "./live-url.ts";

it("loads, changes and rebuilds the dealership, equal to the source and to DuckDB", async () => {
  await using account = await createSnowflakeDatabase(liveUrl());
  await account.makeStageTables(readManifest(`${SQL_FOLDER}/models/manifest.yml`));
  await using dealership = await createDealership({ sales: 5_000, settings: { warehouseUrl: account.url } });
  const duckdbUrl = `duckdb:${dealership.folder}/compared.duckdb`;
  const both = async (change: string): Promise<void> => {
    if (change !== "") await dealership.database.query(change);
    const snowflake = await dealership.run();
    expect(snowflake).toMatchObject({ status: "success" });
    const config = { ...dealership.config, warehouseUrl: duckdbUrl, stateDir: `${dealership.folder}/compared` };
    expect(await dealership.run({ config })).toMatchObject({ status: "success" });
    expect(await dealership.differences()).toEqual({});
    expect(await allTables(account.url)).toEqual(await allTables(duckdbUrl));
  };
  await both("");
  await both(
    "DELETE FROM vendas WHERE id_vendas % 97 = 0; UPDATE clientes SET cliente = cliente || ' Júnior', data_atualizacao = now() WHERE id_clientes % 50 = 0",
  );
});
