/** Sessions that are opened when they are needed, and used again; what broke, or may have a transaction open, is closed instead. */
import pLimit from "p-limit";
import { systemClock, type Clock } from "../../core/clock.ts";
import { NovaError } from "../../core/errors.ts";
import { settledWithin, SnowflakeConnection } from "./connection.ts";
import { loadPrivateKey } from "./credentials.ts";
import { Session } from "./session.ts";
import { sessionParameters } from "./session-parameters.ts";
import { snowflakeError } from "./snowflake-error.ts";
import type { SnowflakeSession, SnowflakeSessions, Statement } from "./statement.ts";
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
/** How long the end waits for an abandoned login, in milliseconds; the server ends a session that nobody uses by itself. */
const LOGIN_PATIENCE = 5_000;
/** Longest QUERY_TAG that Snowflake takes. */
const LONGEST_TAG = 2000;

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
  /** Logins that nobody waits for any more, and the logouts that follow them. */
  readonly #abandoned = new Set<Promise<unknown>>();
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
        target: this.#options.target,
        usage: this.#options.usage,
        clock: this.#clock,
      });
      try {
        return await work(session);
      } finally {
        await session.end();
      }
    });
    return remembered(use, this.#uses);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.allSettled(this.#uses);
    await Promise.all(this.#idle.splice(0).map(({ connection }) => connection.close(this.#clock)));
    await settledWithin(Promise.allSettled(this.#abandoned), LOGIN_PATIENCE, this.#clock);
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
      if (signal?.aborted) {
        const closed = opening.then(
          (connection) => connection.close(this.#clock),
          () => undefined,
        );
        void remembered(closed, this.#abandoned);
      }
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

/** In the set for as long as it lasts. */
async function remembered<T>(work: Promise<T>, set: Set<Promise<unknown>>): Promise<T> {
  set.add(work);
  try {
    return await work;
  } finally {
    set.delete(work);
  }
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
