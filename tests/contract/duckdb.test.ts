/** The DuckDB adapter against the contract that every adapter has to keep. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDuckDb } from "../../runtime/warehouse/duckdb/open-duckdb.ts";
import type { Warehouse } from "../../runtime/warehouse/warehouse.ts";
import { describeWarehouse } from "./warehouse-contract.ts";

describeWarehouse("DuckDB", async () => {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-duckdb-"));
  const open = (): Promise<Warehouse> => openDuckDb({ file: join(folder, "warehouse.duckdb") });
  let warehouse = await open();
  return {
    get warehouse() {
      return warehouse;
    },
    async reopen() {
      await warehouse[Symbol.asyncDispose]();
      warehouse = await open();
      return warehouse;
    },
    makeStageTables: async () => undefined,
    async [Symbol.asyncDispose]() {
      await warehouse[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
