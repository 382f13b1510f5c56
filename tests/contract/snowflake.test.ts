/** The Snowflake adapter against the contract that every adapter has to keep. */
import { startTestSnowflake } from "../support/test-snowflake.ts";
import { describeWarehouse } from "./warehouse-contract.ts";

describeWarehouse("Snowflake", async () => {
  const snowflake = await startTestSnowflake();
  let warehouse = await snowflake.open();
  return {
    get warehouse() {
      return warehouse;
    },
    async reopen() {
      await warehouse[Symbol.asyncDispose]();
      warehouse = await snowflake.open();
      return warehouse;
    },
    makeStageTables: (manifest) => snowflake.server.createStageTables(manifest),
    async [Symbol.asyncDispose]() {
      await warehouse[Symbol.asyncDispose]();
      await snowflake[Symbol.asyncDispose]();
    },
  };
});
