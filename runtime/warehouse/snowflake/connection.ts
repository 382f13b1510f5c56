/** One login to Snowflake by its driver: opened once, statements one after the other, closed once. */
import type { Column, Connection, FileAndStageBindStatement, RowStatement } from "snowflake-sdk";
import type { Clock } from "../../core/clock.ts";
import { driverFailure } from "./driver-failure.ts";
import { loadDriver } from "./driver.ts";
import { canonicalText } from "./snowflake-value.ts";
import type { StatementResult, TakeRows } from "./statement.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

export interface ConnectOptions {
  readonly target: SnowflakeTarget;
  /** PEM, for key pairs. */
  readonly privateKey?: string | undefined;
  readonly warn: (message: string) => void;
}

export interface ExecuteOptions {
  readonly sql: string;
  readonly queryTag: string;
  readonly signal?: AbortSignal | undefined;
  readonly take?: TakeRows | undefined;
  readonly clock: Clock;
}

/**
 * How long a statement may take to end after it was cancelled, before its session is given up. An upload by PUT cannot be cancelled; it
 * goes on behind, and its file may be deleted meanwhile.
 */
const CANCEL_PATIENCE = 5_000;
/** How long a logout may take. The server ends sessions that nobody uses by itself. */
const CLOSE_PATIENCE = 5_000;
/** Attempts at a login; the waits between them double, from a second on. The driver's default of 7 takes minutes. */
const LOGIN_RETRIES = 3;

export class SnowflakeConnection {
  readonly #connection: Connection;
  #closed: Promise<void> | undefined;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws DriverFailure */
  static async open({ target, privateKey, warn }: ConnectOptions): Promise<SnowflakeConnection> {
    const driver = await loadDriver(warn);
    const connection = driver.createConnection({
      ...driverOptions(target),
      ...(privateKey === undefined
        ? { authenticator: "WORKLOAD_IDENTITY", workloadIdentityProvider: "AWS" }
        : { authenticator: "SNOWFLAKE_JWT", privateKey }),
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    connection.connect((error) => (error ? reject(driverFailure(error)) : resolve()));
    await promise;
    return new SnowflakeConnection(connection);
  }

  /** Whether the driver holds a session that it believes in. */
  get usable(): boolean {
    return this.#closed === undefined && this.#connection.isUp();
  }

  /** @throws the reason of `signal` after the statement was cancelled; DriverFailure */
  async execute({ sql, queryTag, signal, take, clock }: ExecuteOptions): Promise<StatementResult> {
    signal?.throwIfAborted();
    const running = this.#send(sql, queryTag, take);
    if (signal === undefined) return running.result;
    const cancelled = Promise.withResolvers<never>();
    const cancel = (): void => {
      running.statement.cancel(() => undefined);
      void settledWithin(running.result, CANCEL_PATIENCE, clock).then(() => cancelled.reject(signal.reason));
    };
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return await Promise.race([running.result, cancelled.promise]);
    } catch (thrown) {
      signal.throwIfAborted();
      throw thrown;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  /** Ends the session on the server too, which rolls an open transaction back. Never throws. */
  close(clock: Clock): Promise<void> {
    this.#closed ??= this.#close(clock);
    return this.#closed;
  }

  #send(sql: string, queryTag: string, take: TakeRows | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<StatementResult>();
    const statement = this.#connection.execute({
      sqlText: sql,
      parameters: { QUERY_TAG: queryTag },
      rowMode: "array",
      // Else the driver, when a statement fails, may send it again to fetch rows from it.
      streamResult: true,
      complete: (error, completed) => {
        if (error) reject(driverFailure(error, completed.getQueryId()));
        else readRows(completed, take).then(resolve, (thrown) => reject(driverFailure(thrown, completed.getQueryId())));
      },
    });
    // A statement that is given up still ends some time.
    promise.catch(() => undefined);
    return { statement, result: promise };
  }

  async #close(clock: Clock): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#connection.destroy(() => resolve());
    await settledWithin(promise, CLOSE_PATIENCE, clock);
  }
}

/** Until `work` has ended, well or not, but no longer than so many milliseconds. */
export async function settledWithin(work: Promise<unknown>, milliseconds: number, clock: Clock): Promise<void> {
  const patience = new AbortController();
  const late = clock.sleep(milliseconds, patience.signal).catch(() => undefined);
  await Promise.race([work.catch(() => undefined), late]);
  patience.abort();
}

function driverOptions(target: SnowflakeTarget) {
  return {
    account: target.account,
    ...(target.user === undefined ? {} : { username: target.user }),
    ...(target.host === undefined ? {} : { host: target.host }),
    ...(target.port === undefined ? {} : { port: target.port }),
    protocol: target.protocol,
    database: name(target.database),
    warehouse: name(target.warehouse),
    role: name(target.role),
    application: "novadrive",
    sfRetryMaxLoginRetries: LOGIN_RETRIES,
    // No timer that keeps sessions alive, whatever the user's default is: sessions live as long as a batch.
    clientSessionKeepAlive: false,
    clientStoreTemporaryCredential: false,
    // Empty: no search for sf_client_config.json, which could turn the driver's own log on.
    clientConfigFile: "",
    includeRetryReason: true,
  };
}

/** A name for the login, which reads it as SQL does: bare where that means the same. */
function name(text: string): string {
  return /^[A-Z_][A-Z0-9_$]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}

/** Rows that are handed over at a time. */
const PIECE = 2_000;

async function readRows(
  statement: RowStatement | FileAndStageBindStatement,
  take: TakeRows | undefined,
): Promise<StatementResult> {
  const types = (statement.getColumns() ?? []).map((column) => {
    giveAsSent(column);
    return { label: column.getName(), name: column.getType().toUpperCase(), scale: column.getScale() ?? 0 };
  });
  const rows: (readonly (string | null)[])[] = [];
  for await (const row of statement.streamRows()) {
    const values: readonly unknown[] = row;
    rows.push(types.map((type, i) => canonicalText(values[i], type)));
    if (take && rows.length >= PIECE) await take(rows.splice(0));
  }
  if (take && rows.length > 0) await take(rows.splice(0));
  return { columns: types.map(({ label, name: type }) => ({ name: label, type })), rows };
}

/**
 * Lets the driver hand over a column's values as they were sent. Its own conversions lose digits of numbers inside of structured values and
 * all members of a MAP, run a VARIANT that is no JSON through eval, and take a moment.js object for each date.
 */
function giveAsSent(column: Column): void {
  if (typeof Reflect.get(column, "_getRowValue") !== "function") {
    throw new TypeError("This version of snowflake-sdk reads its columns in another way");
  }
  const index = column.getIndex();
  Reflect.set(column, "_getRowValue", ({ values }: { readonly values: readonly unknown[] }) => values[index]);
}
