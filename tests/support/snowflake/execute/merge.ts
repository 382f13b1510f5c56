/** MERGE: https://docs.snowflake.com/en/sql-reference/sql/merge. */
import { requireReadable } from "../access.ts";
import type { Relation } from "../catalogue.ts";
import type { StatementContext } from "../context.ts";
import { duplicateRow, notFound } from "../errors.ts";
import type { Token } from "../lexer.ts";
import { counts, ofReader, STATEMENT_TYPES, type Outcome } from "../result.ts";
import { runInTransaction } from "../run.ts";
import { translate } from "../translation.ts";

type Action = "INSERT" | "UPDATE" | "DELETE";

interface Clause {
  readonly matched: boolean;
  readonly condition: string | undefined;
  readonly action: Action;
}

interface Parts {
  readonly target: Relation;
  /** As they stand in the statement, with their aliases. */
  readonly targetText: string;
  /** What the columns of the target are called by. */
  readonly alias: string;
  readonly sourceText: string;
  readonly condition: string;
  readonly clauses: readonly Clause[];
}

export async function merge(context: StatementContext): Promise<Outcome> {
  const parts = readParts(context);
  requirePrivileges(context, parts);
  const sql = await translate(context);
  await context.lock(parts.target);
  const matched = await countMatched(context, parts);
  const changed = Number((await runInTransaction(context, sql)).rowsChanged);
  const found: Readonly<Record<Action, number>> = {
    INSERT: changed - matched.UPDATE - matched.DELETE,
    UPDATE: matched.UPDATE,
    DELETE: matched.DELETE,
  };
  const names = { INSERT: "inserted", UPDATE: "updated", DELETE: "deleted" } as const;
  const present = (["INSERT", "UPDATE", "DELETE"] as const).filter((action) =>
    parts.clauses.some((clause) => clause.action === action),
  );
  return counts(
    Object.fromEntries(present.map((action) => [`number of rows ${names[action]}`, found[action]])),
    STATEMENT_TYPES.merge,
  );
}

function requirePrivileges(context: StatementContext, { target, clauses }: Parts): void {
  const name = `${target.schema}.${target.name}`;
  if (target.kind === "VIEW") throw notFound("Table", context.account.catalogue.path(target.schema, target.name));
  requireReadable(context, context.tokens);
  if (target.kind === "TEMPORARY") return;
  for (const { action } of clauses) context.requirePrivilege(action, "TABLE", name);
}

/**
 * How many rows of the target each action of WHEN MATCHED hits.
 *
 * A row that several source rows would update, or update and delete, is an error; several that would delete it are not:
 * https://docs.snowflake.com/en/sql-reference/sql/merge#nondeterministic-results-for-update-and-delete.
 */
async function countMatched(context: StatementContext, parts: Parts): Promise<{ UPDATE: number; DELETE: number }> {
  const clauses = parts.clauses.filter(({ matched }) => matched);
  if (clauses.length === 0) return { UPDATE: 0, DELETE: 0 };
  const actions = clauses.map(({ condition, action }) => `WHEN ${condition ?? "TRUE"} THEN '${action}'`).join(" ");
  const query = await translate(
    context,
    `SELECT ${parts.alias}.rowid AS nd_row, CASE ${actions} END AS nd_action FROM ${parts.targetText} INNER JOIN ${parts.sourceText} ON ${parts.condition}`,
  );
  const summary = `SELECT nd_updates > 1 OR (nd_updates = 1 AND nd_deletes > 0), nd_updates > 0, count(*), min(nd_row) FROM (SELECT nd_row, count(*) FILTER (nd_action = 'UPDATE') AS nd_updates, count(*) FILTER (nd_action = 'DELETE') AS nd_deletes FROM (${query}) WHERE nd_action IS NOT NULL GROUP BY nd_row) GROUP BY ALL`;
  const result = { UPDATE: 0, DELETE: 0 };
  for (const [ambiguous, isUpdate, rows, first] of (await runInTransaction(context, summary)).getRows()) {
    if (ambiguous === true && context.parameters.isOn("ERROR_ON_NONDETERMINISTIC_MERGE")) {
      throw duplicateRow(await valuesOf(context, parts.target, String(first)));
    }
    result[isUpdate === true ? "UPDATE" : "DELETE"] += Number(rows);
  }
  return result;
}

/** As Snowflake's message has them: `"a", 1`. */
async function valuesOf(context: StatementContext, target: Relation, row: string): Promise<string> {
  const found = await runInTransaction(context, `SELECT * FROM ${context.place(target)} WHERE rowid = ${row}`);
  const { rows, columns } = ofReader(found);
  return (rows[0] ?? [])
    .map((value, at) => (columns[at]?.type === "text" && value !== null ? JSON.stringify(value) : (value ?? "NULL")))
    .join(", ");
}

function readParts(context: StatementContext): Parts {
  const { tokens, sql } = context;
  const places = keywords(tokens);
  const using = places.find(({ word }) => word === "USING");
  const on = places.find(({ word, at }) => word === "ON" && at > (using?.at ?? Infinity));
  const whens = places.filter(({ word, at }) => word === "WHEN" && at > (on?.at ?? Infinity)).map(({ at }) => at);
  const [firstWhen] = whens;
  if (!using || !on || firstWhen === undefined) throw context.unexpected(context.reader(tokens.length));
  const text = (from: number, to: number): string => sql.slice(tokens[from]?.start, tokens[to]?.start ?? sql.length);
  const reader = context.reader(2);
  const target = context.relation(context.path(reader), "Table");
  const clauses = whens.map((at, index): Clause => {
    const end = whens[index + 1] ?? tokens.length;
    const then = places.find(({ word, at: place }) => word === "THEN" && place > at && place < end);
    const matchedAt = tokens[at + 1]?.value === "NOT" ? at + 2 : at + 1;
    const action = tokens[(then?.at ?? end) + 1]?.value;
    if (!then || (action !== "INSERT" && action !== "UPDATE" && action !== "DELETE")) {
      throw context.unexpected(context.reader((then?.at ?? end) + 1));
    }
    const hasCondition = tokens[matchedAt + 1]?.value === "AND";
    return {
      matched: matchedAt === at + 1,
      condition: hasCondition ? text(matchedAt + 2, then.at) : undefined,
      action,
    };
  });
  return {
    target,
    targetText: text(2, using.at),
    alias: tokens[using.at - 1]?.text ?? "",
    sourceText: text(using.at + 1, on.at),
    condition: text(on.at + 1, firstWhen),
    clauses,
  };
}

/** Words outside of brackets and of CASE … END. */
function keywords(tokens: readonly Token[]): readonly { readonly word: string; readonly at: number }[] {
  const result: { word: string; at: number }[] = [];
  let depth = 0;
  for (const [at, { kind, value, text }] of tokens.entries()) {
    if (text === "(" || (kind === "word" && value === "CASE")) depth++;
    else if (text === ")" || (kind === "word" && value === "END")) depth--;
    else if (depth === 0 && kind === "word") result.push({ word: value, at });
  }
  return result;
}
