/** INSERT, UPDATE and DELETE. */
import { requireReadable } from "../access.ts";
import type { StatementContext } from "../context.ts";
import { counts, STATEMENT_TYPES, type Outcome } from "../result.ts";
import { runInTransaction } from "../run.ts";
import { translate } from "../translation.ts";

/** Inserts of several sessions go on side by side: https://docs.snowflake.com/en/sql-reference/transactions#resource-locking. */
export async function insert(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  const overwrite = reader.words("OVERWRITE");
  context.expect(reader, "INTO");
  const target = context.relation(context.path(reader), "Table");
  requireReadable(context, context.tokens.slice(reader.at));
  if (target.kind !== "TEMPORARY") context.requirePrivilege("INSERT", "TABLE", `${target.schema}.${target.name}`);
  if (overwrite) throw context.unexpected(context.reader(1));
  const changed = (await runInTransaction(context, await translate(context))).rowsChanged;
  return counts({ "number of rows inserted": Number(changed) }, STATEMENT_TYPES.insert);
}

export async function update(context: StatementContext): Promise<Outcome> {
  const changed = await change(context, 1, "UPDATE");
  const both = { "number of rows updated": changed, "number of multi-joined rows updated": 0 };
  return counts(both, STATEMENT_TYPES.update);
}

export async function deleteRows(context: StatementContext): Promise<Outcome> {
  return counts({ "number of rows deleted": await change(context, 2, "DELETE") }, STATEMENT_TYPES.delete);
}

async function change(context: StatementContext, at: number, privilege: string): Promise<number> {
  const reader = context.reader(at);
  const target = context.relation(context.path(reader), "Table");
  requireReadable(context, context.tokens.slice(reader.at));
  if (target.kind !== "TEMPORARY") context.requirePrivilege(privilege, "TABLE", `${target.schema}.${target.name}`);
  const sql = await translate(context);
  await context.lock(target);
  return Number((await runInTransaction(context, sql)).rowsChanged);
}
