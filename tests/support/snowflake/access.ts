/** Which relations a statement reads, and whether the role may. */
import type { Relation } from "./catalogue.ts";
import { temporaryKey, type StatementContext } from "./context.ts";
import { noCurrent, notFound } from "./errors.ts";
import type { Token } from "./lexer.ts";

/** @throws SnowflakeError for a relation that is there, but not for this role */
export function requireReadable(context: StatementContext, tokens: readonly Token[]): void {
  for (const { relation, at } of relationsIn(context, tokens)) {
    const { schema, name, kind } = relation;
    if (kind === "TEMPORARY") continue;
    if (context.session.database === null && tokens[at - 3]?.text !== ".") throw noCurrent("database", context.verb);
    if (!context.sees(relation)) throw notFound("Object", context.account.catalogue.path(schema, name));
    context.requirePrivilege("SELECT", kind === "VIEW" ? "VIEW" : "TABLE", `${schema}.${name}`);
  }
}

/** Names of columns that are TIMESTAMP_TZ in a relation of the statement: DuckDB has one type for them and TIMESTAMP_LTZ. */
export function zonedColumns(context: StatementContext): ReadonlySet<string> {
  return new Set(
    relationsIn(context, context.tokens).flatMap(({ relation }) =>
      relation.columns.filter(({ type }) => type.kind === "timestamp_tz").map(({ name }) => name),
    ),
  );
}

interface Mention {
  readonly relation: Relation;
  /** Place of its name. */
  readonly at: number;
}

function relationsIn({ account, session }: StatementContext, tokens: readonly Token[]): readonly Mention[] {
  return tokens.flatMap((token, at): Mention[] => {
    const schema = tokens[at - 2]?.value;
    if (tokens[at - 1]?.text !== "." || schema === undefined) return [];
    const path = { schema, name: token.value };
    const relation = session.temporary.get(temporaryKey(path)) ?? account.catalogue.relation(schema, token.value);
    return relation ? [{ relation, at }] : [];
  });
}
