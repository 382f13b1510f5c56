/** One open DuckDB database: its connections, its statements and its transactions. */
import type { DuckDBConnection, DuckDBInstance, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { literal } from "../../core/sql.ts";
import { readEngineError } from "./engine-error.ts";

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Rows of a statement, and what it changed. */
export interface StatementResult {
  readonly rows: readonly (readonly DuckDBValue[])[];
  /** Rows inserted, updated or deleted. */
  readonly changed: number;
}

/** How long the running statement gets before it is told again to stop: an interrupt that comes before its start is lost. */
const INTERRUPT_AGAIN_AFTER = 50;

/** One connection: one statement at a time. */
export class Session {
  readonly connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.connection = connection;
  }

  /** Runs a statement, or several that are separated by semicolons. @throws EngineError, or the signal's reason */
  async run(sql: string, { signal }: RunOptions = {}): Promise<StatementResult> {
    return this.#interruptible(signal, async () => {
      const reader = await this.connection.runAndReadAll(sql);
      return { rows: reader.getRows(), changed: Number(reader.rowsChanged) };
    });
  }

  /** As `run`, for callers that need the columns' names and types. */
  async read(sql: string, { signal }: RunOptions = {}) {
    return this.#interruptible(signal, async () => this.connection.runAndReadAll(sql));
  }

  /** Runs one query and hands its rows over in pieces of some 2,000, as they are made; `take` is awaited. */
  async stream(
    sql: string,
    take: (rows: readonly (readonly DuckDBValue[])[], types: readonly DuckDBType[]) => Promise<void> | void,
    { signal }: RunOptions = {},
  ): Promise<void> {
    await this.#interruptible(signal, async () => {
      const result = await this.connection.stream(sql);
      const types = result.columnTypes();
      for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
        signal?.throwIfAborted();
        await take(chunk.getRows(), types);
      }
    });
  }

  /** All of `work` or nothing of it. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.run("BEGIN TRANSACTION");
    try {
      const result = await work();
      await this.run("COMMIT");
      return result;
    } catch (thrown) {
      // A COMMIT that failed has rolled back already; the first error is the one that says why.
      await this.run("ROLLBACK").catch(() => undefined);
      throw thrown;
    }
  }

  async #interruptible<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    let again: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
      this.connection.interrupt();
      again ??= setInterval(() => this.connection.interrupt(), INTERRUPT_AGAIN_AFTER);
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    try {
      return await work();
    } catch (thrown) {
      signal?.throwIfAborted();
      throw readEngineError(thrown);
    } finally {
      clearInterval(again);
      signal?.removeEventListener("abort", interrupt);
    }
  }
}

/** Hands out sessions, and keeps the few that are in use at a time for the next ones. */
export class Engine implements AsyncDisposable {
  readonly #instance: DuckDBInstance;
  readonly #idle: Session[] = [];
  readonly #used = new Map<Session, Promise<unknown>>();
  #closed = false;

  constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#idle.pop() ?? (await this.#connect());
    const running = work(session);
    this.#used.set(session, running);
    try {
      return await running;
    } finally {
      this.#used.delete(session);
      if (this.#closed) session.connection.closeSync();
      else this.#idle.push(session);
    }
  }

  async #connect(): Promise<Session> {
    const session = new Session(await this.#instance.connect());
    await session.run(`SET TimeZone = ${literal("UTC")}`);
    await session.run("SET errors_as_json = true");
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const session of this.#used.keys()) session.connection.interrupt();
    await Promise.allSettled(this.#used.values());
    for (const session of this.#idle.splice(0)) session.connection.closeSync();
    this.#instance.closeSync();
  }
}
