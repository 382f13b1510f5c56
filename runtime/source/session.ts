/** One connection of the pool inside one read-only transaction, that can be cancelled and never takes the process down with it. */
import type { PoolClient, QueryResultRow, Pool } from "pg";
import { NovaError } from "../core/errors.ts";
import type { SourceAddress } from "./connection.ts";
import { CopyOut } from "./copy-out.ts";
import { sourceError, type ErrorPlace } from "./postgres-error.ts";

export interface SessionOptions {
  readonly pool: Pool;
  readonly address: SourceAddress;
  /** Statements that begin the transaction and pin its settings; empty for a connection in autocommit. */
  readonly begin: string;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that may wait between the socket and the file. */
const BUFFER = 1 << 20;

export interface Copied {
  /** As PostgreSQL counted them. */
  readonly rows: number;
  /** Bytes. */
  readonly longestRow: number;
}

export class Session implements AsyncDisposable {
  readonly #client: PoolClient;
  readonly #pool: Pool;
  readonly #address: SourceAddress;
  #pid = 0;
  /** From the moment that BEGIN is sent: what follows it in the same message may fail, and leave the transaction open. */
  #inTransaction = false;
  #broken: unknown;
  /** A statement failed inside the transaction, which can now only be rolled back. */
  #aborted = false;
  #released = false;

  private constructor(client: PoolClient, { pool, address }: SessionOptions) {
    this.#client = client;
    this.#pool = pool;
    this.#address = address;
    client.on("error", this.#onError);
  }

  // A connection that dies while no statement runs says so here, and nobody else listens.
  readonly #onError = (error: Error): void => {
    this.#broken ??= error;
  };

  /** @throws NovaError SOURCE_* */
  static async open(options: SessionOptions): Promise<Session> {
    const { pool, address, begin, signal } = options;
    const client = await connect(pool, address, signal);
    const session = new Session(client, options);
    try {
      if (begin !== "") await session.begin(begin, signal);
      return session;
    } catch (thrown) {
      await session[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Whether the connection and its transaction are still there, as far as is known. */
  get usable(): boolean {
    return this.#broken === undefined && !this.#aborted && !this.#released;
  }

  /** Begins the transaction; `sql` are several statements in one message. Takes the transaction's snapshot, if `sql` does not import one. */
  async begin(sql: string, signal?: AbortSignal): Promise<void> {
    await this.beginWithoutSnapshot(sql, signal);
    // Behind a pooler the backend is known only now.
    const [row] = await this.query<{ pid: number }>("SELECT pg_backend_pid() AS pid", [], { signal });
    this.#pid = row?.pid ?? 0;
  }

  /** The same, but no query runs yet: the first one takes the snapshot. Its backend is to be told by `identify`. */
  async beginWithoutSnapshot(sql: string, signal?: AbortSignal): Promise<void> {
    this.#inTransaction = true;
    await this.#run({ signal }, () => this.#client.query(sql));
  }

  /** @param pid of the backend, by which a running statement can be cancelled */
  identify(pid: number): void {
    this.#pid = pid;
  }

  /** Ends the transaction; the connection goes on in autocommit. */
  async rollback(): Promise<void> {
    await this.#run({}, () => this.#client.query("ROLLBACK"));
    this.#inTransaction = false;
    this.#pid = 0;
  }

  /** Rows of one statement. @throws NovaError SOURCE_*, or the signal's reason */
  query<Row extends QueryResultRow>(
    sql: string,
    params: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<Row[]> {
    return this.#run(options, async () => (await this.#client.query<Row>(sql, [...params])).rows);
  }

  /**
   * Runs COPY … TO STDOUT; `write` is awaited for each piece, and PostgreSQL waits meanwhile.
   *
   * @param write is told how many rows have come so far, some of which may be on their way to it still
   * @throws NovaError SOURCE_*, what `write` throws, or the signal's reason
   */
  async copy(
    sql: string,
    write: (piece: Buffer, rowsSoFar: number) => Promise<void> | void,
    options: QueryOptions = {},
  ): Promise<Copied> {
    let failedWriting: { readonly thrown: unknown } | undefined;
    try {
      return await this.#run(options, async () => {
        const stream = new CopyOut(sql, BUFFER);
        this.#client.query(stream);
        for await (const piece of stream) {
          try {
            await write(piece as Buffer, stream.received);
          } catch (thrown) {
            failedWriting = { thrown };
            throw thrown;
          }
        }
        await stream.complete;
        return { rows: stream.rowCount, longestRow: stream.longest };
      });
    } catch (thrown) {
      if (!failedWriting) throw thrown;
      await this.cancel();
      throw failedWriting.thrown;
    }
  }

  async #run<T>({ signal, table, doing }: QueryOptions, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    let cancelled: Promise<void> | undefined;
    const onAbort = (): void => {
      cancelled = this.cancel();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      if (this.#broken !== undefined) throw this.#broken;
      return await work();
    } catch (thrown) {
      if (this.#inTransaction) this.#aborted = true;
      await cancelled;
      signal?.throwIfAborted();
      throw sourceError(thrown, { address: this.#address, table, doing });
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Stops the running statement in the server and drops the connection; the transaction ends with it. */
  async cancel(): Promise<void> {
    this.#broken ??= new NovaError("SOURCE_SNAPSHOT_LOST", "The connection was closed because its work was cancelled.");
    // A backend that writes into a full socket hears only that the socket is gone, one that computes only the signal: send both.
    this.#release();
    if (this.#pid !== 0) await this.#pool.query("SELECT pg_cancel_backend($1)", [this.#pid]).catch(() => {});
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    // The pool listens to clients that it keeps; what a closing one still says interests nobody.
    if (this.#broken === undefined) this.#client.off("error", this.#onError);
    this.#client.release(this.#broken !== undefined);
  }

  /** Ends the transaction and gives the connection back; a broken one is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return;
    if (this.#broken === undefined && this.#inTransaction) {
      await this.#client.query("ROLLBACK").catch((error: unknown) => {
        this.#broken = error;
      });
    }
    this.#release();
  }
}

export interface QueryOptions extends Omit<ErrorPlace, "address"> {
  readonly signal?: AbortSignal | undefined;
}

async function connect(pool: Pool, address: SourceAddress, signal: AbortSignal | undefined): Promise<PoolClient> {
  signal?.throwIfAborted();
  const connecting = pool.connect();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([connecting, aborted.promise]);
  } catch (thrown) {
    // The pool cannot be told to stop connecting: what comes too late goes back at once.
    connecting.then(
      (client) => client.release(true),
      () => {},
    );
    signal?.throwIfAborted();
    throw sourceError(thrown, { address, doing: "connecting" });
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
