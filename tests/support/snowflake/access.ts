/** Which relations a statement reads, and whether the role may. */
import type { StatementContext } from "./context.ts";
import { noCurrent, notFound } from "./errors.ts";
import type { Token } from "./lexer.ts";

/** @throws SnowflakeError for a relation that is there, but not for this role */
export function requireReadable(context: StatementContext, tokens: readonly Token[]): void {
  const { account } = context;
  for (const [at, token] of tokens.entries()) {
    const schema = tokens[at - 2]?.value;
    if (tokens[at - 1]?.text !== "." || schema === undefined) continue;
    const relation = account.catalogue.relation(schema, token.value);
    if (!relation || context.session.temporary.has(JSON.stringify([schema, token.value]))) continue;
    const { name, kind } = relation;
    if (context.session.database === null && tokens[at - 3]?.text !== ".") throw noCurrent("database", context.verb);
    if (!context.sees(relation)) throw notFound("Object", account.catalogue.path(schema, name));
    context.requirePrivilege("SELECT", kind === "VIEW" ? "VIEW" : "TABLE", `${schema}.${name}`);
  }
}
