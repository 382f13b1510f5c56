/** The server that stands in for Snowflake, as the adapter meets it: only the statements that are written down, a key to log in with. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import type { Warehouse } from "../../runtime/warehouse/warehouse.ts";
import { startSnowflakeServer, type SnowflakeServer, type SnowflakeServerOptions } from "./snowflake/server.ts";
import { TEST_KEYS, TEST_USER } from "./snowflake/test-client.ts";

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
  const folder = await mkdtemp(join(tmpdir(), "novadrive-test-snowflake-"));
  const keyFile = join(folder, "rsa_key.p8");
  await writeFile(keyFile, TEST_KEYS.privateKey, { mode: 0o600 });
  const url = server.url({ private_key: keyFile });
  return {
    server,
    url,
    keyFile,
    open: () => openWarehouse({ url }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
