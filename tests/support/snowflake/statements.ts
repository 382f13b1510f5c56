/** Takes statements from clients: each request once, whatever it takes and however often it is asked. */
import { randomUUID } from "node:crypto";
import type { Account } from "./account.ts";
import { StatementContext } from "./context.ts";
import { cancelled, internal, severalStatements, SnowflakeError, timedOut, unknownShape } from "./errors.ts";
import { kindOf } from "./execute/statement.ts";
import { literal } from "./names.ts";
import { tokenize } from "./lexer.ts";
import type { QueryTag, SeenStatement } from "./misbehaviour.ts";
import { SessionParameters } from "./parameters.ts";
import type { Outcome } from "./result.ts";
import type { Session } from "./session.ts";
import { useWarehouse } from "./warehouses.ts";

export interface LoggedStatement extends SeenStatement {
  readonly queryId: string;
  readonly requestId: string;
  /** The text that was sent as QUERY_TAG. */
  readonly queryTag: string;
  readonly session: number;
  readonly startedAt: Date;
  /** Whether it runs on a warehouse, by what the server knows of Snowflake. */
  needsWarehouse: boolean;
  /** Whether the warehouse was suspended before. */
  resumed: boolean;
  /** Requests for it; the driver repeats those that were lost. */
  requests: number;
  milliseconds: number;
  /** Rows of the answer. */
  rows: number;
  /** Whether it was executed to its end. */
  done: boolean;
  error?: { readonly code: string; readonly message: string } | undefined;
}

export interface QueryRequest {
  readonly sqlText?: string | undefined;
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  readonly bindings?: Readonly<Record<string, { readonly type: string; readonly value: string | null }>> | undefined;
}

export interface RunningStatement {
  readonly log: LoggedStatement;
  readonly session: Session;
  readonly answer: Promise<Answer>;
  readonly abort: AbortController;
}

export interface ReceivedStatement {
  readonly log: LoggedStatement;
  readonly parameters: SessionParameters;
}

/** What the client is told. */
export type Answer = { readonly outcome: Outcome } | { readonly error: SnowflakeError };

/** Answers that are kept for requests that come again. */
const KEPT = 50;
/** Steps whose SQL is written by users. */
const USER_STEPS = new Set(["model", "hook", "query"]);

/** What the infrastructure program's provider calls itself. It makes objects, sets no QUERY_TAG, and has nothing to do with rows. */
const DEPLOYER = "terraform-provider-snowflake";
const DEPLOYER_VERBS = new Set(["CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "SHOW", "DESCRIBE", "USE"]);

export class Statements {
  readonly log: LoggedStatement[] = [];
  readonly #account: Account;
  readonly #received = new Map<string, ReceivedStatement>();
  readonly #byRequest = new Map<string, RunningStatement>();
  readonly #byQuery = new Map<string, RunningStatement>();

  constructor(account: Account) {
    this.#account = account;
  }

  /** What the log will say of a statement, before anything is done. A request that comes again has been seen. */
  see(session: Session, requestId: string, request: QueryRequest): ReceivedStatement {
    const parameters = new SessionParameters(request.parameters, session.parameters);
    const queryTag = parameters.text("QUERY_TAG");
    const known = this.#received.get(requestId);
    if (known) return known;
    const log: LoggedStatement = {
      sql: withBinds(request.sqlText ?? "", request.bindings ?? {}),
      queryTag,
      tag: readTag(queryTag),
      number: this.log.length + 1,
      queryId: randomUUID(),
      requestId,
      session: session.id,
      startedAt: new Date(),
      needsWarehouse: false,
      resumed: false,
      requests: 0,
      milliseconds: 0,
      rows: 0,
      done: false,
    };
    this.log.push(log);
    const received = { log, parameters };
    this.#received.set(requestId, received);
    return received;
  }

  /** Executes a statement, once; a request that comes again gets the same answer. */
  start(session: Session, { log, parameters }: ReceivedStatement, error?: SnowflakeError): RunningStatement {
    const known = this.#byRequest.get(log.requestId);
    if (known) return known;
    const abort = new AbortController();
    const create = (): StatementContext =>
      new StatementContext({
        account: this.#account,
        session,
        sql: log.sql,
        parameters,
        queryId: log.queryId,
        signal: abort.signal,
      });
    const answer = session.serially(() => this.#execute(create, log, abort, error));
    const running = { log, session, answer, abort };
    this.#byRequest.set(log.requestId, running);
    this.#byQuery.set(log.queryId, running);
    void answer.then(() => this.#forget());
    return running;
  }

  find(requestId: string): RunningStatement | undefined {
    return this.#byRequest.get(requestId);
  }

  byQueryId(queryId: string): RunningStatement | undefined {
    return this.#byQuery.get(queryId);
  }

  abortAll(): void {
    for (const { abort } of this.#byRequest.values()) abort.abort(cancelled());
  }

  async #execute(
    create: () => StatementContext,
    log: LoggedStatement,
    abort: AbortController,
    error?: SnowflakeError,
  ): Promise<Answer> {
    const started = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const context = create();
    const { session } = context;
    session.running = abort;
    try {
      abort.signal.throwIfAborted();
      if (error) throw error;
      if (session.client["APPLICATION"] === DEPLOYER) requireDdl(log);
      else this.#requireKnown(log);
      requireSingle(context);
      const kind = kindOf(context);
      log.needsWarehouse = kind.needsWarehouse;
      if (kind.isDdl) await session.end("COMMIT", this.#account.locks);
      if (kind.needsWarehouse) {
        log.resumed = useWarehouse(this.#account.warehouses.get(session.warehouse ?? ""), context.grants);
      }
      const limit = context.parameters.number("STATEMENT_TIMEOUT_IN_SECONDS");
      if (limit > 0 && limit * 1000 < 2 ** 31) timer = setTimeout(() => abort.abort(timedOut(limit)), limit * 1000);
      const outcome = await kind.execute(context);
      log.rows = outcome.rows.length;
      log.done = true;
      return { outcome };
    } catch (thrown) {
      const failed = asSnowflakeError(thrown);
      log.error = { code: failed.code, message: failed.message };
      return { error: failed };
    } finally {
      clearTimeout(timer);
      session.running = undefined;
      if (!session.transaction) this.#account.locks.release(session);
      session.lastQueryId = log.queryId;
      log.milliseconds = performance.now() - started;
    }
  }

  /** The closed set: what the adapter may send is written down in its snapshots. */
  #requireKnown({ sql, tag, queryTag }: LoggedStatement): void {
    const { shapes } = this.#account;
    if (tag?.product !== "novadrive") {
      throw new SnowflakeError(
        "002043",
        "02000",
        `The test server takes no statement without a QUERY_TAG of the product: '${queryTag}'`,
      );
    }
    if (!shapes || tag.step === "query" || tag.step === "hook") return;
    const known = USER_STEPS.has(tag.step ?? "") ? shapes.hasPrefix(sql) : shapes.has(sql);
    if (!known) throw unknownShape(sql);
  }

  #forget(): void {
    for (const [requestId, running] of this.#byRequest) {
      if (this.#byRequest.size <= KEPT) return;
      if (!running.log.done && running.log.error === undefined) continue;
      this.#byRequest.delete(requestId);
      this.#received.delete(requestId);
      this.#byQuery.delete(running.log.queryId);
    }
  }
}

function requireDdl({ sql }: LoggedStatement): void {
  if (!DEPLOYER_VERBS.has(tokenize(sql)[0]?.value ?? "")) throw unknownShape(sql);
}

function requireSingle({ tokens }: StatementContext): void {
  const count = tokens.filter(({ text }, at) => text === ";" && at < tokens.length - 1).length + 1;
  if (count > 1) throw severalStatements(count);
}

function asSnowflakeError(thrown: unknown): SnowflakeError {
  if (thrown instanceof SnowflakeError) return thrown;
  return internal(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
}

function readTag(text: string): QueryTag | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-execute#binding-statement-parameters */
function withBinds(sql: string, bindings: NonNullable<QueryRequest["bindings"]>): string {
  if (Object.keys(bindings).length === 0) return sql;
  let result = "";
  let done = 0;
  let count = 0;
  for (const token of tokenize(sql)) {
    if (token.kind !== "bind") continue;
    const bound = bindings[token.text === "?" ? String(++count) : token.text.slice(1)];
    if (!bound) continue;
    const isNumber = bound.type === "FIXED" || bound.type === "REAL";
    const text = bound.value === null ? "NULL" : isNumber ? bound.value : literal(bound.value.replaceAll("\\", "\\\\"));
    result += sql.slice(done, token.start) + text;
    done = token.start + token.text.length;
  }
  return result + sql.slice(done);
}
