/** A statement on its way to Snowflake, and what comes back. */

/** What a statement is for. `model`, `hook`, `test` and `query` carry SQL of the user; every other one is the adapter's own. */
export type Step =
  | "prepare"
  | "state"
  | "stage"
  | "load"
  | "check"
  | "publish"
  | "clean"
  | "diagnose"
  | "build"
  | "model"
  | "hook"
  | "query"
  | "verify";

export interface Statement {
  readonly sql: string;
  readonly step: Step;
  /** Stage table or model that it is for. */
  readonly subject?: string | undefined;
  /**
   * Whether it runs on the warehouse, resumes it if it is suspended, and so costs credits. Metadata statements (SHOW, DESCRIBE), DDL without
   * rows, PUT, LIST, REMOVE, BEGIN, COMMIT and ROLLBACK do not:
   * https://docs.snowflake.com/en/user-guide/cost-understanding-compute#cloud-services-credit-usage
   */
  readonly metered: boolean;
  /** Where the user's SQL is a part of it: what stands before that, so that places in errors can be told in the user's own text. */
  readonly prefix?: string | undefined;
}

export interface StatementResult {
  readonly columns: readonly ResultColumn[];
  /** Values as the canonical text of QueryResult. */
  readonly rows: readonly (readonly (string | null)[])[];
}

interface ResultColumn {
  readonly name: string;
  /** As the driver names it: FIXED, TEXT, REAL, BOOLEAN, DATE, TIME, TIMESTAMP_LTZ, VARIANT, … */
  readonly type: string;
}

interface SessionRunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Takes the rows in pieces, as they arrive, and is awaited; the result then has none. */
  readonly take?: TakeRows | undefined;
}

export type TakeRows = (rows: StatementResult["rows"]) => Promise<void> | void;

/** One Snowflake session; statements of it run one after the other, and share its transaction. */
export interface SnowflakeSession {
  /**
   * @throws the reason of `signal`, after the statement was cancelled on the server; NovaError with the code that the server's error stands
   * for, and its number, SQLSTATE and query id in `details`
   */
  run(statement: Statement, options?: SessionRunOptions): Promise<StatementResult>;
}

/** Sessions that are opened when they are needed, and used again. */
export interface SnowflakeSessions extends AsyncDisposable {
  /** One session for the length of `work`; it is closed afterwards if it broke, or may have a transaction open. */
  use<T>(work: (session: SnowflakeSession) => Promise<T>): Promise<T>;
  /** Added to the QUERY_TAG of every later statement. */
  setBatch(batchId: number): void;
}
