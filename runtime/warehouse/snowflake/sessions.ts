/** Sessions that are opened when they are needed, and used again; what broke, or may have a transaction open, is closed instead. */
import pLimit from "p-limit";
import { systemClock, type Clock } from "../../core/clock.ts";
import { NovaError } from "../../core/errors.ts";
import { SnowflakeConnection } from "./connection.ts";
import { loadPrivateKey } from "./credentials.ts";
import { sessionParameters } from "./session-parameters.ts";
import { snowflakeError } from "./snowflake-error.ts";
import type { SnowflakeSession, SnowflakeSessions, Statement, StatementResult } from "./statement.ts";
import type { UsageMeter } from "./usage.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

export interface OpenSessionsOptions {
  readonly target: SnowflakeTarget;
  /** Takes what the user should know though nothing failed: a key file that others can read, warnings of the driver. */
  readonly warn: (message: string) => void;
  readonly usage: UsageMeter;
  /** Sessions at most, and so statements at the same time. */
  readonly parallel?: number | undefined;
  readonly clock?: Clock | undefined;
}

const PARALLEL = 4;
/** The server ends sessions after four idle hours; well before that a new login is cheaper than finding out. */
const IDLE_MINUTES = 60;
/** Longest QUERY_TAG that Snowflake takes. */
const LONGEST_TAG = 2000;

type RunOptions = Parameters<SnowflakeSession["run"]>[1];

/** Nothing is opened before the first statement. */
export function openSessions(options: OpenSessionsOptions): SnowflakeSessions {
  return new Sessions(options);
}

class Sessions implements SnowflakeSessions {
  readonly #options: OpenSessionsOptions;
  readonly #clock: Clock;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #idle: { readonly connection: SnowflakeConnection; readonly since: Date }[] = [];
  readonly #uses = new Set<Promise<unknown>>();
  #batchId: number | undefined;
  #privateKey: Promise<string> | undefined;
  #disposed = false;

  constructor(options: OpenSessionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#limit = pLimit(options.parallel ?? PARALLEL);
  }

  setBatch(batchId: number): void {
    this.#batchId = batchId;
  }

  async use<T>(work: (session: SnowflakeSession) => Promise<T>): Promise<T> {
    const use = this.#limit(async () => {
      if (this.#disposed)
        throw new NovaError("INTERNAL", "A Snowflake session was asked for after the warehouse was closed.");
      const session = new Session({
        acquire: (signal) => this.#acquire(signal),
        release: (connection, reusable) => this.#release(connection, reusable),
        tag: (statement) => this.#tag(statement),
        context: this.#options,
        clock: this.#clock,
      });
      try {
        return await work(session);
      } finally {
        await session.end();
      }
    });
    this.#uses.add(use);
    try {
      return await use;
    } finally {
      this.#uses.delete(use);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.allSettled(this.#uses);
    await Promise.all(this.#idle.splice(0).map(({ connection }) => connection.close(this.#clock)));
  }

  async #acquire(signal: AbortSignal | undefined): Promise<SnowflakeConnection> {
    const now = this.#clock.now().getTime();
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      const { connection, since } = idle;
      if (connection.usable && now - since.getTime() < IDLE_MINUTES * 60_000) return connection;
      await connection.close(this.#clock);
    }
    return this.#open(signal);
  }

  async #release(connection: SnowflakeConnection, reusable: boolean): Promise<void> {
    if (reusable && connection.usable && !this.#disposed) {
      this.#idle.push({ connection, since: this.#clock.now() });
    } else {
      await connection.close(this.#clock);
    }
  }

  async #open(signal: AbortSignal | undefined): Promise<SnowflakeConnection> {
    const opening = this.#login();
    try {
      return await abortable(opening, signal);
    } catch (thrown) {
      // A login that nobody waits for any more still ends some time.
      if (signal?.aborted)
        opening.then(
          (connection) => connection.close(this.#clock),
          () => undefined,
        );
      throw thrown;
    }
  }

  async #login(): Promise<SnowflakeConnection> {
    const { target, warn, usage } = this.#options;
    let connection: SnowflakeConnection | undefined;
    const statement = sessionParameters();
    try {
      connection = await SnowflakeConnection.open({ target, warn, privateKey: await this.#key() });
      const ended = usage.start(statement.metered);
      await connection
        .execute({ sql: statement.sql, queryTag: this.#tag(statement), clock: this.#clock })
        .finally(ended);
      return connection;
    } catch (thrown) {
      // A key that was refused may have been replaced since it was read.
      this.#privateKey = undefined;
      await connection?.close(this.#clock);
      throw snowflakeError(thrown, { target, statement: connection === undefined ? undefined : statement });
    }
  }

  async #key(): Promise<string | undefined> {
    const { target, warn } = this.#options;
    if (target.login.authenticator !== "SNOWFLAKE_JWT") return undefined;
    this.#privateKey ??= loadPrivateKey({ reference: target.login.privateKey, warn });
    return this.#privateKey;
  }

  #tag({ step, subject }: Statement): string {
    const tag = { product: "novadrive", batch: this.#batchId, step, subject };
    const text = JSON.stringify(tag);
    return text.length <= LONGEST_TAG ? text : JSON.stringify({ ...tag, subject: undefined });
  }
}

interface SessionOptions {
  readonly acquire: (signal: AbortSignal | undefined) => Promise<SnowflakeConnection>;
  readonly release: (connection: SnowflakeConnection, reusable: boolean) => Promise<void>;
  readonly tag: (statement: Statement) => string;
  readonly context: OpenSessionsOptions;
  readonly clock: Clock;
}

class Session implements SnowflakeSession {
  readonly #options: SessionOptions;
  #connection: SnowflakeConnection | undefined;
  #transaction: "none" | "open" | "unknown" = "none";
  #tainted = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  async run(statement: Statement, { signal }: NonNullable<RunOptions> = {}): Promise<StatementResult> {
    const { acquire, tag, context, clock } = this.#options;
    signal?.throwIfAborted();
    this.#connection ??= await acquire(signal);
    const verb = transactionVerb(statement.sql);
    if (verb !== undefined) this.#transaction = "unknown";
    // A hook may change the session itself (USE, ALTER SESSION), which the next one must not inherit.
    if (statement.step === "hook") this.#tainted = true;
    const ended = context.usage.start(statement.metered);
    try {
      const result = await this.#connection.execute({ sql: statement.sql, queryTag: tag(statement), signal, clock });
      if (verb !== undefined) this.#transaction = verb === "begin" ? "open" : "none";
      return result;
    } catch (thrown) {
      if (signal?.aborted) this.#tainted = true;
      if (signal?.aborted && thrown === signal.reason) throw thrown;
      throw snowflakeError(thrown, { target: context.target, statement });
    } finally {
      ended();
    }
  }

  async end(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined)
      await this.#options.release(connection, this.#transaction === "none" && !this.#tainted);
  }
}

function transactionVerb(sql: string): "begin" | "end" | undefined {
  const verb = /^\s*(begin|start\s+transaction|commit|rollback)\b/i.exec(sql)?.[1]?.toLowerCase();
  if (verb === undefined) return undefined;
  return verb === "commit" || verb === "rollback" ? "end" : "begin";
}

async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
