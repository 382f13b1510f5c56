/** Sessions: their tokens, their parameters, their DuckDB connection, and the one transaction that each can have. */
import { randomBytes } from "node:crypto";
import type { DuckDBInstance } from "@duckdb/node-api";
import { Session as Connection } from "../../../runtime/warehouse/duckdb/engine.ts";
import type { Relation } from "./catalogue.ts";
import type { Locks } from "./locks.ts";
import { literal, physicalPath } from "./names.ts";
import { SessionParameters } from "./parameters.ts";

export interface Transaction {
  readonly id: string;
  readonly name: string;
  readonly startedOn: Date;
  /** Whether DuckDB has begun: it takes its snapshot then, which must not be older than the locks. */
  begun: boolean;
  /** What has changed rows in it so far. */
  readonly executed: string[];
  /** It could not be restored after an error. */
  broken: boolean;
  /** Load metadata that counts once the transaction is committed. */
  readonly loaded: (() => void)[];
}

export interface SessionOptions {
  readonly id: number;
  readonly user: string;
  readonly role: string;
  readonly database: string | null;
  readonly schema: string | null;
  readonly warehouse: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly client: Readonly<Record<string, unknown>>;
}

export class Session {
  readonly id: number;
  readonly user: string;
  readonly client: Readonly<Record<string, unknown>>;
  role: string;
  database: string | null;
  schema: string | null;
  warehouse: string | null;
  readonly parameters: SessionParameters;
  /** Tables of this session alone. */
  readonly temporary = new Map<string, Relation>();
  readonly connection: Connection;
  token = newToken();
  masterToken = newToken();
  tokenExpired = false;
  masterExpired = false;
  lastQueryId = "";
  /** Of the statement that runs now. */
  running: AbortController | undefined;
  transaction: Transaction | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  static #transactions = 1_700_000_000_000_000_000n;

  private constructor(options: SessionOptions, connection: Connection) {
    this.id = options.id;
    this.user = options.user;
    this.role = options.role;
    this.database = options.database;
    this.schema = options.schema;
    this.warehouse = options.warehouse;
    this.client = options.client;
    this.parameters = new SessionParameters(options.parameters);
    this.connection = connection;
  }

  static async open(instance: DuckDBInstance, options: SessionOptions): Promise<Session> {
    const connection = new Connection(await instance.connect());
    await connection.run("SET errors_as_json = true");
    const session = new Session(options, connection);
    await session.set("TIMEZONE", session.parameters.text("TIMEZONE"));
    if (options.schema !== null) await session.useSchema(options.schema);
    return session;
  }

  async set(name: string, value: string): Promise<void> {
    this.parameters.set(name, value);
    if (name === "TIMEZONE") await this.connection.run(`SET TimeZone = ${literal(value)}`);
  }

  async useSchema(schema: string): Promise<void> {
    this.schema = schema;
    // The macros that translated SQL needs are in `main`.
    await this.connection.run(`SET search_path = ${literal(`${physicalPath(schema)},main`)}`);
  }

  /** Statements of a session run one after the other. */
  serially<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  renew(): void {
    this.token = newToken();
    this.tokenExpired = false;
  }

  begin(name: string): Transaction {
    const id = String(Session.#transactions++);
    return (this.transaction = {
      id,
      name,
      startedOn: new Date(),
      begun: false,
      executed: [],
      broken: false,
      loaded: [],
    });
  }

  /** Before the first statement of a transaction that touches rows. */
  async begun(): Promise<void> {
    const { transaction } = this;
    if (!transaction || transaction.begun) return;
    await this.connection.run("BEGIN TRANSACTION");
    transaction.begun = true;
  }

  /** After an error: it ends DuckDB's transaction, but only the statement in Snowflake's, so what was done before is done again. */
  async restore(): Promise<void> {
    const { transaction } = this;
    if (!transaction?.begun) return;
    try {
      await this.connection.run("ROLLBACK");
      await this.connection.run("BEGIN TRANSACTION");
      for (const sql of transaction.executed) await this.connection.run(sql);
    } catch {
      transaction.broken = true;
    }
  }

  async end(action: "COMMIT" | "ROLLBACK", locks: Locks): Promise<void> {
    const { transaction } = this;
    this.transaction = undefined;
    try {
      if (transaction?.begun) await this.connection.run(transaction.broken ? "ROLLBACK" : action);
      if (action === "COMMIT") for (const remember of transaction?.loaded ?? []) remember();
    } finally {
      if (transaction) locks.release(this);
    }
  }
}

function newToken(): string {
  return `ver:1-hint:0-ETMs${randomBytes(48).toString("base64")}`;
}
