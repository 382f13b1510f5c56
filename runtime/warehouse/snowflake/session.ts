/** One session for the length of one use: knows whether its connection can serve another use afterwards. */
import type { Clock } from "../../core/clock.ts";
import type { SnowflakeConnection } from "./connection.ts";
import { DriverFailure } from "./driver-failure.ts";
import { snowflakeError } from "./snowflake-error.ts";
import type { SnowflakeSession, Statement, StatementResult } from "./statement.ts";
import { isSessionEnded } from "./unreachable.ts";
import type { UsageMeter } from "./usage.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

type RunOptions = Parameters<SnowflakeSession["run"]>[1];

export interface SessionOptions {
  readonly acquire: (signal: AbortSignal | undefined) => Promise<SnowflakeConnection>;
  readonly release: (connection: SnowflakeConnection, reusable: boolean) => Promise<void>;
  readonly tag: (statement: Statement) => string;
  readonly target: SnowflakeTarget;
  readonly usage: UsageMeter;
  readonly clock: Clock;
}

/** Holds a connection from its first statement on. */
export class Session implements SnowflakeSession {
  readonly #options: SessionOptions;
  #connection: SnowflakeConnection | undefined;
  #transaction: "none" | "open" | "unknown" = "none";
  #tainted = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  async run(statement: Statement, options: NonNullable<RunOptions> = {}): Promise<StatementResult> {
    const { signal } = options;
    signal?.throwIfAborted();
    const first = this.#connection === undefined;
    this.#connection ??= await this.#options.acquire(signal);
    try {
      return await this.#send(this.#connection, statement, options);
    } catch (thrown) {
      const again = first && !signal?.aborted && mayBeSentAgain(thrown, statement);
      if (!again) throw this.#explain(thrown, statement, signal);
      // Nothing of the ended session is missed yet: no transaction, no temporary table. The statement was refused before it began.
      await this.#options.release(this.#connection, false);
      this.#connection = undefined;
    }
    this.#tainted = false;
    this.#connection = await this.#options.acquire(signal);
    try {
      return await this.#send(this.#connection, statement, options);
    } catch (thrown) {
      throw this.#explain(thrown, statement, signal);
    }
  }

  async #send(
    connection: SnowflakeConnection,
    statement: Statement,
    { signal, take }: NonNullable<RunOptions>,
  ): Promise<StatementResult> {
    const { tag, usage, clock } = this.#options;
    const verb = transactionVerb(statement.sql);
    if (verb !== undefined) this.#transaction = "unknown";
    // The user's SQL may change the session itself (USE, ALTER SESSION), which the next one must not inherit.
    if (isUsers(statement) && !READS.test(statement.sql)) this.#tainted = true;
    const ended = usage.start(statement.metered);
    try {
      const result = await connection.execute({ sql: statement.sql, queryTag: tag(statement), signal, take, clock });
      if (verb !== undefined) this.#transaction = verb === "begin" ? "open" : "none";
      return result;
    } catch (thrown) {
      // Only Snowflake's own refusal leaves a session that can be trusted.
      if (!(thrown instanceof DriverFailure) || thrown.facts.kind !== "OperationFailedError") this.#tainted = true;
      throw thrown;
    } finally {
      ended();
    }
  }

  #explain(thrown: unknown, statement: Statement, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted && thrown === signal.reason) return thrown;
    return snowflakeError(thrown, { target: this.#options.target, statement });
  }

  /** Gives its connection back. */
  async end(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    await this.#options.release(connection, this.#transaction === "none" && !this.#tainted);
  }
}

/** Hooks are the user's, and may not bear being run twice, however unlikely it is that the refused one was run. */
function mayBeSentAgain(thrown: unknown, statement: Statement): boolean {
  const isRead = !isUsers(statement) || READS.test(statement.sql);
  return thrown instanceof DriverFailure && isSessionEnded(thrown) && isRead;
}

const READS = /^\s*(select|with|show|desc|describe|values|\()/i;

function isUsers({ step }: Statement): boolean {
  return step === "hook" || step === "query";
}

function transactionVerb(sql: string): "begin" | "end" | undefined {
  const verb = /^\s*(begin|start\s+transaction|commit|rollback)\b/i.exec(sql)?.[1]?.toLowerCase();
  if (verb === undefined) return undefined;
  return verb === "commit" || verb === "rollback" ? "end" : "begin";
}
