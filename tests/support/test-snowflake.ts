/** The server that stands in for Snowflake, as the adapter meets it: only the statements that are written down, a key to log in with. */
import { join } from "node:path";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import type { Warehouse } from "../../runtime/warehouse/warehouse.ts";
import { startSnowflakeServer, type SnowflakeServer, type SnowflakeServerOptions } from "./snowflake/server.ts";
import { TEST_USER, testKeyFile } from "./snowflake/test-client.ts";

export const STATEMENTS = join(import.meta.dirname, "../unit/warehouse/snowflake/statements");

export interface TestSnowflake extends AsyncDisposable {
  readonly server: SnowflakeServer;
  /** For NOVADRIVE_WAREHOUSE_URL. */
  readonly url: string;
  readonly keyFile: string;
  open(): Promise<Warehouse>;
}

export async function startTestSnowflake(options: Partial<SnowflakeServerOptions> = {}): Promise<TestSnowflake> {
  const server = await startSnowflakeServer({ users: [TEST_USER], shapes: STATEMENTS, ...options });
  const keyFile = testKeyFile();
  const url = server.url({ private_key: keyFile });
  return {
    server,
    url,
    keyFile,
    open: () => openWarehouse({ url }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
