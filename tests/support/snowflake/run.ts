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
  if (session.transaction?.broken) throw internal("DuckDB has ended the transaction because a statement in it failed");
  await session.begun();
  for (let attempt = 1; ; attempt++) {
    try {
      return await session.connection.read(sql, { signal });
    } catch (thrown) {
      const again = thrown instanceof EngineError && isConflict(thrown) && !session.transaction && attempt < ATTEMPTS;
      if (again) continue;
      if (session.transaction && thrown instanceof EngineError && !isCompilation(thrown))
        session.transaction.broken = true;
      if (signal.aborted && session.transaction) session.transaction.broken = true;
      throw snowflakeError(context, thrown, sql);
    }
  }
}

/** Several statements, all or none. */
export async function runTogether(context: StatementContext, work: () => Promise<void>): Promise<void> {
  const { session } = context;
  if (session.transaction) {
    await session.begun();
    await work();
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

function isCompilation({ facts }: EngineError): boolean {
  return facts.kind === "Binder" || facts.kind === "Catalog" || facts.kind === "Parser";
}
