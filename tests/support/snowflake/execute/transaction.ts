/** BEGIN, COMMIT and ROLLBACK: https://docs.snowflake.com/en/sql-reference/sql/begin. */
import { randomUUID } from "node:crypto";
import type { StatementContext } from "../context.ts";
import { internal } from "../errors.ts";
import { STATEMENT_TYPES, status, type Outcome } from "../result.ts";

const done = (): Outcome => status("Statement executed successfully.", STATEMENT_TYPES.control);

/** A BEGIN inside of a transaction does nothing. */
export async function begin(context: StatementContext): Promise<Outcome> {
  const { session } = context;
  const reader = context.reader(1);
  for (const word of ["WORK", "TRANSACTION"]) reader.words(word);
  const name = reader.words("NAME") ? reader.next()?.value : undefined;
  if (!reader.done()) throw context.unexpected(reader);
  if (!session.transaction) session.begin(name ?? randomUUID());
  return done();
}

export async function commit({ session, account }: StatementContext): Promise<Outcome> {
  if (session.transaction?.broken === true) {
    await session.end("ROLLBACK", account.locks);
    throw internal("the transaction could not be restored after an error in it");
  }
  await session.end("COMMIT", account.locks);
  return done();
}

export async function rollback({ session, account }: StatementContext): Promise<Outcome> {
  await session.end("ROLLBACK", account.locks);
  return done();
}
