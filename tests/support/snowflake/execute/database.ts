/** CREATE and DROP DATABASE: the account has one at a time, whose place a new one takes. */
import type { StatementContext } from "../context.ts";
import { alreadyExists, notFound, SnowflakeError } from "../errors.ts";
import { physicalPath } from "../names.ts";
import { status, type Outcome } from "../result.ts";

/** https://docs.snowflake.com/en/sql-reference/sql/create-database: it begins with the schema PUBLIC, and is the session's from now on. */
export async function createDatabase(context: StatementContext): Promise<Outcome> {
  const { account, session } = context;
  const reader = context.reader(1);
  reader.words("TRANSIENT");
  context.expect(reader, "DATABASE");
  const name = reader.next()?.value ?? "";
  if (name === account.catalogue.database) throw alreadyExists(name);
  context.requirePrivilege("CREATE DATABASE", "ACCOUNT", account.name);
  if (account.catalogue.relations().length > 0) {
    // Not Snowflake's: it has as many as one likes.
    throw new SnowflakeError(
      "000000",
      "0A000",
      `The test server has one database at a time, and ${account.catalogue.database} has tables.`,
    );
  }
  await empty(context);
  account.catalogue.database = name;
  await account.createSchema("PUBLIC");
  account.roles.made(session.role, "DATABASE", name);
  account.roles.made(session.role, "SCHEMA", "PUBLIC");
  session.database = name;
  await session.useSchema("PUBLIC");
  return status(`Database ${name} successfully created.`);
}

/** The account's first database is there again, empty. */
export async function dropDatabase(context: StatementContext): Promise<Outcome> {
  const { catalogue } = context.account;
  const reader = context.reader(2);
  const ifExists = reader.words("IF", "EXISTS");
  const name = reader.next()?.value ?? "";
  if (name !== catalogue.database) {
    if (!ifExists) throw notFound("Database", name);
    return status(`Drop statement executed successfully (${name} already dropped).`);
  }
  context.requirePrivilege("OWNERSHIP", "DATABASE", name);
  await empty(context);
  context.account.roles.gone("DATABASE", name);
  catalogue.database = catalogue.firstDatabase;
  return status(`${name} successfully dropped.`);
}

async function empty({ account }: StatementContext): Promise<void> {
  for (const schema of account.catalogue.schemas.keys()) {
    await account.directly((connection) => connection.run(`DROP SCHEMA ${physicalPath(schema)} CASCADE`));
    account.catalogue.dropSchema(schema);
  }
}
