/** The contract suite against a real account. */
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import { describeWarehouse } from "../contract/warehouse-contract.ts";
import { createSnowflakeDatabase } from "../support/snowflake-database.ts";
import { liveUrl } from "./live-url.ts";

describeWarehouse("Snowflake", async () => {
  const database = await createSnowflakeDatabase(liveUrl());
  let warehouse = await openWarehouse({ url: database.url });
  return {
    get warehouse() {
      return warehouse;
    },
    async reopen() {
      await warehouse[Symbol.asyncDispose]();
      warehouse = await openWarehouse({ url: database.url });
      return warehouse;
    },
    makeStageTables: (manifest) => database.makeStageTables(manifest),
    async [Symbol.asyncDispose]() {
      await warehouse[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
});
