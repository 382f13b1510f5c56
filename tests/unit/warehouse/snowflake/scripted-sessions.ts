/** Sessions that answer each statement by a rule of the test, for the logic behind the answers; what a statement does, other tests see to. */
import type {
  SnowflakeSession,
  SnowflakeSessions,
  Statement,
  StatementResult,
} from "../../../../runtime/warehouse/snowflake/statement.ts";

export interface ScriptedSessions extends SnowflakeSessions, SnowflakeSession {
  readonly sent: Statement[];
}

/** @param answer throws what the statement is to fail with */
export function scriptedSessions(answer: (sql: string) => StatementResult): ScriptedSessions {
  const sent: Statement[] = [];
  const session: SnowflakeSession = {
    run: async (statement) => {
      sent.push(statement);
      return answer(statement.sql);
    },
  };
  return {
    ...session,
    sent,
    use: (work) => work(session),
    setBatch: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** A result of texts: `table("name state", ["WH", "STARTED"])`. */
export function table(columns: string, ...rows: readonly (readonly (string | null)[])[]): StatementResult {
  return { columns: columns.split(" ").map((name) => ({ name, type: "TEXT" })), rows };
}
