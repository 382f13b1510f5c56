/** The Snowflake account behind the stand-in, where a test has started one: the driver, logged in as who deploys. */
import process from "node:process";
import type { Connection } from "snowflake-sdk";

export interface SnowflakeAccount {
  /** One after the other. @throws Error with Snowflake's message and the statement */
  run(statements: readonly string[]): Promise<void>;
}

/** By STAND_IN_SNOWFLAKE, its address, and the variables by which the real provider knows account and user; undefined without the first. */
export function snowflakeAccount(environment: NodeJS.ProcessEnv): SnowflakeAccount | undefined {
  const address = environment["STAND_IN_SNOWFLAKE"];
  if (address === undefined) return undefined;
  let connection: Promise<Connection> | undefined;
  return {
    async run(statements) {
      // A preview has nothing to say to it.
      if (statements.length === 0) return;
      connection ??= connect(address, environment);
      const open = await connection;
      for (const sql of statements) await execute(open, sql);
    },
  };
}

async function connect(address: string, environment: NodeJS.ProcessEnv): Promise<Connection> {
  // Else it asks the machine's network where it runs.
  process.env["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true";
  process.env["SNOWFLAKE_DISABLE_MINICORE"] = "true";
  const { default: driver } = await import("snowflake-sdk");
  driver.configure({ logLevel: "OFF", additionalLogToConsole: false });
  const { SNOWFLAKE_ORGANIZATION_NAME: organization, SNOWFLAKE_ACCOUNT_NAME: account } = environment;
  const connection = driver.createConnection({
    account: `${organization}-${account}`,
    username: environment["SNOWFLAKE_USER"] ?? "",
    role: environment["SNOWFLAKE_ROLE"] ?? "",
    authenticator: "SNOWFLAKE_JWT",
    privateKey: environment["SNOWFLAKE_PRIVATE_KEY"] ?? "",
    accessUrl: address,
    host: new URL(address).hostname,
    application: "terraform-provider-snowflake",
    sfRetryMaxLoginRetries: 1,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  connection.connect((error) => (error ? reject(error) : resolve()));
  await promise;
  return connection;
}

function execute(connection: Connection, sqlText: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.execute({
      sqlText,
      complete: (error) => (error ? reject(new Error(`${error.message}\n${sqlText}`)) : resolve()),
    });
  });
}
