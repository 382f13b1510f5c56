/** SELECT, and the functions that act on the account. */
import { runInTransaction } from "../run.ts";
import type { StatementContext } from "../context.ts";
import { cancelled, SnowflakeError } from "../errors.ts";
import { requireReadable, zonedColumns } from "../access.ts";
import { ofReader, STATEMENT_TYPES, table, type Outcome } from "../result.ts";
import { translate } from "../translation.ts";

export async function select(context: StatementContext): Promise<Outcome> {
  const aborted = await abortTransaction(context);
  if (aborted) return aborted;
  requireReadable(context, context.tokens);
  const sql = await translate(context);
  return ofReader(await runInTransaction(context, sql), zonedColumns(context));
}

/** https://docs.snowflake.com/en/sql-reference/functions/system_abort_transaction */
async function abortTransaction({ tokens, account, session }: StatementContext): Promise<Outcome | undefined> {
  if (tokens[1]?.value !== "SYSTEM$ABORT_TRANSACTION") return undefined;
  const id = tokens.find(({ kind }) => kind === "number" || kind === "string")?.value;
  const owner = [...account.sessions.values()].find(({ transaction }) => transaction?.id === id);
  if (!owner) {
    // The number is a guess: none was found in public.
    throw new SnowflakeError("000619", "22023", `Transaction ${id ?? ""} is not active.`);
  }
  if (owner !== session) owner.running?.abort(cancelled());
  const end = (): Promise<void> => owner.end("ROLLBACK", account.locks);
  await (owner === session ? end() : owner.serially(end));
  return table([`SYSTEM$ABORT_TRANSACTION(${id})`], [["Transaction is aborted."]], STATEMENT_TYPES.select);
}
