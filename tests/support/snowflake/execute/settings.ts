/** USE and ALTER SESSION. */
import type { StatementContext } from "../context.ts";
import { insufficientPrivileges, notFound } from "../errors.ts";
import { STATEMENT_TYPES, status, type Outcome } from "../result.ts";

const done = (): Outcome => status("Statement executed successfully.", STATEMENT_TYPES.control);

export async function use(context: StatementContext): Promise<Outcome> {
  const { session, account } = context;
  const reader = context.reader(1);
  const kind = ["ROLE", "WAREHOUSE", "DATABASE", "SCHEMA"].find((word) => reader.words(word)) ?? "DATABASE";
  const token = reader.next();
  const name = reader.punctuation(".") ? reader.next()?.value : token?.value;
  if (name === undefined) throw context.unexpected(reader);
  if (kind === "WAREHOUSE") {
    if (!account.warehouses.has(name) || !context.grants.sees("WAREHOUSE", name)) throw notFound("Object", name);
    session.warehouse = name;
  } else if (kind === "SCHEMA") {
    context.requireSchema(name);
    await session.useSchema(name);
  } else if (kind === "DATABASE") {
    if (name !== account.catalogue.database) throw notFound("Object", name);
    session.database = name;
  } else if (name !== session.role && !account.roles.hasRole("USER", session.user, name)) {
    throw insufficientPrivileges("role", name);
  } else session.role = name;
  return done();
}

export async function alterSession(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(2);
  context.expect(reader, "SET");
  while (!reader.done()) {
    const name = reader.next();
    if (!name || !reader.punctuation("=")) throw context.unexpected(reader);
    await context.session.set(name.value, reader.next()?.value ?? "");
    reader.punctuation(",");
  }
  return done();
}
