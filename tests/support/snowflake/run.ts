/** Runs translated SQL on the session's connection, within its transaction, and says what went wrong in Snowflake's words. */
import type { DuckDBResultReader } from "@duckdb/node-api";
import { EngineError, isConflict } from "../../../runtime/warehouse/duckdb/engine-error.ts";
import type { StatementContext } from "./context.ts";
import { snowflakeError } from "./engine-errors.ts";
import { internal } from "./errors.ts";

/** DuckDB lets the second of two that change the same thing fail, where Snowflake lets it wait. */
const ATTEMPTS = 20;

export async function runInTransaction(context: StatementContext, sql: string): Promise<DuckDBResultReader> {
  const { session, signal } = context;
  const { transaction } = session;
  if (transaction?.broken === true) throw internal("the transaction could not be restored after an error in it");
  await session.begun();
  for (let attempt = 1; ; attempt++) {
    try {
      const reader = await session.connection.read(sql, { signal });
      if (!/^\s*(select|with)\b/i.test(sql)) transaction?.executed.push(sql);
      return reader;
    } catch (thrown) {
      const again = thrown instanceof EngineError && isConflict(thrown) && !transaction && attempt < ATTEMPTS;
      if (again) continue;
      await session.restore();
      throw snowflakeError(context, thrown, sql);
    }
  }
}

/** Several statements, all or none. */
export async function runTogether(context: StatementContext, work: () => Promise<void>): Promise<void> {
  const { session } = context;
  const { transaction } = session;
  if (transaction) {
    await session.begun();
    const before = transaction.executed.length;
    try {
      await work();
    } catch (thrown) {
      transaction.executed.length = before;
      await session.restore();
      throw thrown;
    }
    return;
  }
  await session.connection.run("BEGIN TRANSACTION");
  try {
    await work();
    await session.connection.run("COMMIT");
  } catch (thrown) {
    await session.connection.run("ROLLBACK").catch(() => undefined);
    throw thrown;
  }
}
