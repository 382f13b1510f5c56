/** The unmodified driver, logged in to the test server, for the server's own tests. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import snowflake from "snowflake-sdk";
import type { SnowflakeServer } from "./server.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** A pair of keys that is made anew in every process. */
export const TEST_KEYS = { publicKey, privateKey } as const;

/** The private key as a file, until the process ends. */
export function testKeyFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "novadrive-key-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "rsa_key.p8");
  writeFileSync(file, privateKey, { mode: 0o600 });
  return file;
}

export const TEST_USER = { name: "NOVADRIVE", publicKeys: [publicKey], role: "LOADER" } as const;

export type Rows = readonly Readonly<Record<string, unknown>>[];

export class TestClient implements AsyncDisposable {
  readonly connection: snowflake.Connection;

  private constructor(connection: snowflake.Connection) {
    this.connection = connection;
  }

  static async connect(
    server: SnowflakeServer,
    options: Partial<snowflake.ConnectionOptions> = {},
  ): Promise<TestClient> {
    snowflake.configure({ logLevel: "OFF", additionalLogToConsole: false });
    const connection = snowflake.createConnection({
      account: server.account,
      username: "NOVADRIVE",
      authenticator: "SNOWFLAKE_JWT",
      privateKey: TEST_KEYS.privateKey,
      database: server.database,
      warehouse: server.warehouse.name,
      accessUrl: `http://127.0.0.1:${server.port}`,
      host: "127.0.0.1",
      application: "novadrive",
      sfRetryMaxLoginRetries: 1,
      ...options,
    });
    // Its promise is fulfilled even if the login was refused.
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    connection.connect((error) => (error ? reject(error) : resolve()));
    await promise;
    return new TestClient(connection);
  }

  run(
    sqlText: string,
    options: { readonly tag?: object; readonly binds?: snowflake.Binds; readonly requestId?: string } = {},
  ): Promise<Rows> {
    const tag = { product: "novadrive", step: "publish", ...options.tag };
    return new Promise((resolve, reject) => {
      this.connection.execute({
        sqlText,
        fetchAsString: ["Number", "Date", "Boolean", "JSON", "Buffer"],
        parameters: { QUERY_TAG: JSON.stringify(tag) },
        ...(options.binds ? { binds: options.binds } : {}),
        ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
        complete: (error, statement, rows) => (error ? reject(error) : resolve(withNulls(statement, rows ?? []))),
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.connection.destroy(resolve));
  }
}

/** What is fetched as text has the text NULL for NULL. */
function withNulls(statement: snowflake.RowStatement | snowflake.FileAndStageBindStatement, rows: Rows): Rows {
  const columns = statement.getColumns() ?? [];
  const others = new Set(columns.filter((column) => !column.isString()).map((column) => column.getName()));
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === "NULL" && others.has(name) ? null : value]),
    ),
  );
}
