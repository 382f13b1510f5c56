/** GRANT and REVOKE of roles and privileges: https://docs.snowflake.com/en/sql-reference/sql/grant-privilege. */
import type { StatementContext } from "../context.ts";
import { notFound } from "../errors.ts";
import { PRIVILEGES } from "../grants.ts";
import type { TokenReader } from "../lexer.ts";
import { status, type Outcome } from "../result.ts";

/** What privileges are granted on. */
interface Target {
  readonly scope: "ONE" | "ALL" | "FUTURE";
  /** ACCOUNT, DATABASE, SCHEMA, TABLE, … */
  readonly on: string;
  /** Without the database; of ALL and FUTURE the schema. */
  readonly name: string;
}

export async function grant(context: StatementContext): Promise<Outcome> {
  const { roles } = context.account;
  // What matters then is that it commits.
  if (roles.none) return status("Statement executed successfully.");
  const isGrant = context.tokens[0]?.value === "GRANT";
  const reader = context.reader(1);
  if (reader.words("ROLE")) return grantRole(context, reader, isGrant);
  const privileges = readPrivileges(context, reader);
  const target = readTarget(context, reader);
  context.expect(reader, isGrant ? "TO" : "FROM", "ROLE");
  const role = readRole(context, reader);
  requireLeaveToGrant(context, target);
  for (const privilege of privileges) {
    if (!(PRIVILEGES[target.on] ?? ACCOUNT_PRIVILEGES).includes(privilege)) throw context.unexpected(context.reader(1));
    if (target.scope === "FUTURE") {
      const future = { role, privilege, on: target.on, schema: target.name };
      if (isGrant) roles.grantFuture(future);
      else roles.revokeFuture(future);
      continue;
    }
    for (const name of objectsOf(context, target)) {
      const given = { role, privilege, on: target.on, name };
      if (isGrant) roles.grant(given);
      else roles.revoke(given);
    }
  }
  return status("Statement executed successfully.");
}

function grantRole(context: StatementContext, reader: TokenReader, isGrant: boolean): Outcome {
  const { roles, objects } = context.account;
  const role = readRole(context, reader);
  context.expect(reader, isGrant ? "TO" : "FROM");
  const to = reader.words("ROLE") ? "ROLE" : "USER";
  if (to === "USER") context.expect(reader, "USER");
  const name = to === "ROLE" ? readRole(context, reader) : (reader.next()?.value ?? "");
  if (to === "USER" && !objects.users.has(name)) throw notFound("User", name);
  context.requirePrivilege("OWNERSHIP", "ROLE", role);
  if (isGrant) roles.admit({ role, to, name });
  else roles.dismiss({ role, to, name });
  return status("Statement executed successfully.");
}

function readRole(context: StatementContext, reader: TokenReader): string {
  const name = reader.next()?.value ?? "";
  if (!context.account.roles.exists(name)) throw notFound("Role", name);
  return name;
}

/** `CREATE STAGE, USAGE ON` → both, ON passed over. */
function readPrivileges(context: StatementContext, reader: TokenReader): readonly string[] {
  const privileges: string[] = [];
  let words: string[] = [];
  for (;;) {
    const token = reader.next();
    if (!token) throw context.unexpected(reader);
    if (token.value !== "ON" && token.text !== ",") words.push(token.value);
    else {
      privileges.push(words.join(" "));
      words = [];
    }
    if (token.value === "ON") return privileges;
  }
}

const ACCOUNT_PRIVILEGES = [
  "CREATE DATABASE",
  "CREATE WAREHOUSE",
  "CREATE ROLE",
  "CREATE USER",
  "CREATE NETWORK POLICY",
];

function readTarget(context: StatementContext, reader: TokenReader): Target {
  if (reader.words("ACCOUNT")) return { scope: "ONE", on: "ACCOUNT", name: context.account.name };
  const scope = reader.words("ALL") ? "ALL" : reader.words("FUTURE") ? "FUTURE" : "ONE";
  const word = reader.next()?.value ?? "";
  const on = scope === "ONE" ? word : word.replace(/S$/, "");
  if (!(on in PRIVILEGES)) throw context.unexpected(context.reader(reader.at - 1));
  if (scope !== "ONE") context.expect(reader, "IN", "SCHEMA");
  const names: string[] = [];
  do names.push(reader.next()?.value ?? "");
  while (reader.punctuation("."));
  const { database } = context.account.catalogue;
  const isInDatabase = on !== "DATABASE" && on !== "WAREHOUSE";
  if (isInDatabase && names.shift() !== database) throw notFound("Database", database);
  return { scope, on, name: names.join(".") };
}

/** The owner may; in a schema with managed access, which are all that the program makes, its owner and not that of the object. */
function requireLeaveToGrant(context: StatementContext, { scope, on, name }: Target): void {
  if (on === "ACCOUNT") context.requirePrivilege("MANAGE GRANTS", on, name);
  else if (scope !== "ONE") context.requirePrivilege("OWNERSHIP", "SCHEMA", name);
  else if (name.includes(".")) context.requirePrivilege("OWNERSHIP", "SCHEMA", name.split(".")[0] ?? "");
  else context.requirePrivilege("OWNERSHIP", on, name);
}

function objectsOf({ account }: StatementContext, { scope, on, name }: Target): readonly string[] {
  if (scope === "ONE") return [name];
  return account.catalogue
    .relations(name)
    .filter(({ kind }) => (kind === "VIEW") === (on === "VIEW"))
    .map((relation) => `${relation.schema}.${relation.name}`);
}
