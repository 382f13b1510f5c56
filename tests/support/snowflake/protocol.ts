/** The endpoints of Snowflake's protocol, as the driver uses them. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { rm } from "node:fs/promises";
import type { Account } from "./account.ts";
import { SnowflakeError } from "./errors.ts";
import { authenticate, type LoginRequest, type LoginRules } from "./login.ts";
import type { Fault, Misbehaviour } from "./misbehaviour.ts";
import type { Session } from "./session.ts";
import type { Answer, QueryRequest, RunningStatement, Statements } from "./statements.ts";

export interface ProtocolOptions {
  readonly account: Account;
  readonly login: LoginRules;
  readonly statements: Statements;
  readonly misbehaviour: Misbehaviour;
  /** After so long, a statement is answered with the place where its result will be. */
  readonly inProgressAfterMs: number;
  /** Every address that may connect; all, if absent. */
  readonly isBlocked: () => boolean;
}

interface Request {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string;
  readonly body: unknown;
}

/** Nothing is answered any more: the connection is cut. */
class Dropped extends Error {}
class HttpStatus extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

export class Protocol {
  readonly #options: ProtocolOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(options: ProtocolOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    server.keepAliveTimeout = 60_000;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    const address: AddressInfo | string | null = server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  /** As when the service is started anew: sessions and transactions are gone, what was committed is not. */
  async restart(): Promise<void> {
    await this.close();
    const { account, statements } = this.#options;
    statements.abortAll();
    await Promise.all([...account.sessions.values()].map((session) => account.closeSession(session)));
    await this.listen();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const request = await readRequest(incoming);
      const body = await this.#route(request);
      send(response, 200, body);
    } catch (thrown) {
      if (thrown instanceof Dropped) incoming.socket.destroy();
      else if (thrown instanceof HttpStatus) send(response, thrown.status, { success: false, message: thrown.message });
      else if (thrown instanceof SnowflakeError) send(response, 200, failure(thrown));
      else send(response, 500, { success: false, message: String(thrown) });
    }
  }

  async #route(request: Request): Promise<object> {
    const { path } = request;
    await this.#misbehave(this.#options.misbehaviour.forEndpoint(path), undefined);
    if (path === "/session/v1/login-request") return this.#login(request);
    if (path === "/queries/v1/query-request") return this.#query(request);
    if (path === "/telemetry/send" || path === "/telemetry/send/sessionless") return success({});
    if (path === "/session/token-request") return this.#renew(request);
    if (path === "/session/heartbeat") {
      this.#session(request);
      return success(null);
    }
    if (path === "/session" && request.query.get("delete") === "true") {
      await this.#options.account.closeSession(this.#session(request));
      return success(null);
    }
    const query = /^\/queries\/([^/]+)\/(result|abort-request)$/.exec(path);
    if (query?.[2] === "abort-request") return this.#abort(request, query[1] ?? "");
    if (query?.[2] === "result") return this.#result(request, query[1] ?? "");
    throw new HttpStatus(404);
  }

  async #login({ body, query }: Request): Promise<object> {
    const { account, login, isBlocked } = this.#options;
    if (isBlocked()) {
      throw new SnowflakeError(
        "390422",
        "08001",
        "Incoming request with IP/Token 127.0.0.1 is not allowed to access Snowflake. Contact your account administrator. For more information about this error, go to https://community.snowflake.com/s/ip-xxxxxxxxxxxx-is-not-allowed-to-access.",
      );
    }
    const request: LoginRequest = field(body, "data") ?? {};
    if (request.ACCOUNT_NAME?.toUpperCase() !== account.name) throw new HttpStatus(404);
    const user = authenticate(request, login);
    const role = query.get("roleName")?.toUpperCase() ?? user.role;
    if (role !== user.role) {
      throw new SnowflakeError(
        "390189",
        "08001",
        `Role '${role}' specified in the connect string is not granted to this user. Contact your local system administrator, or attempt to login with another role, e.g. PUBLIC.`,
      );
    }
    const known = (name: string, has: (value: string) => boolean): string | null => {
      const value = query.get(name);
      const upper = value === null ? null : unquote(value);
      return upper !== null && has(upper) ? upper : null;
    };
    const session = await account.openSession({
      user: user.name,
      role,
      database: known(
        "databaseName",
        (name) => name === account.catalogue.database && account.grants.sees("DATABASE", name),
      ),
      schema: known("schemaName", (name) => account.catalogue.schemas.has(name)),
      warehouse: known("warehouse", (name) => account.warehouses.has(name) && account.grants.sees("WAREHOUSE", name)),
      parameters: request.SESSION_PARAMETERS ?? {},
      client: {
        ...request.CLIENT_ENVIRONMENT,
        CLIENT_APP_ID: request.CLIENT_APP_ID,
        CLIENT_APP_VERSION: request.CLIENT_APP_VERSION,
      },
    });
    return success({
      ...tokens(session),
      displayUserName: session.user,
      serverVersion: "9.33.1",
      firstLogin: false,
      healthCheckInterval: 45,
      sessionId: session.id,
      parameters: session.parameters.list(),
      sessionInfo: {
        databaseName: session.database,
        schemaName: session.schema,
        warehouseName: session.warehouse,
        roleName: session.role,
      },
      responseData: null,
    });
  }

  #renew({ token, body }: Request): object {
    const old = field<string>(body, "oldSessionToken");
    const session = [...this.#options.account.sessions.values()].find((one) => one.token === old);
    if (!session || session.masterToken !== token || session.masterExpired) {
      throw new SnowflakeError(
        "390114",
        "08001",
        "Authentication token has expired.  The user must authenticate again.",
      );
    }
    session.renew();
    const { token: sessionToken, masterToken } = session;
    return success({
      sessionToken,
      masterToken,
      validityInSecondsST: 3600,
      validityInSecondsMT: 14_400,
      sessionId: session.id,
    });
  }

  #session({ token }: Request): Session {
    const session = [...this.#options.account.sessions.values()].find((one) => one.token === token);
    if (!session) {
      throw new SnowflakeError(
        "390111",
        "08001",
        "Session no longer exists.  New login required to access the service.",
      );
    }
    if (session.tokenExpired || session.masterExpired) {
      throw new SnowflakeError("390112", "08001", "Your session has expired. Please login again.");
    }
    return session;
  }

  async #query(request: Request): Promise<object> {
    const { statements, misbehaviour } = this.#options;
    const session = this.#session(request);
    const requestId = request.query.get("requestId") ?? "";
    const received = statements.see(session, requestId, readQuery(request.body));
    received.log.requests++;
    const fault = misbehaviour.forStatement(received.log);
    await this.#misbehave(fault, session);
    const error = fault?.fault === "error" ? new SnowflakeError(fault.code, fault.sqlState, fault.message) : undefined;
    const running = statements.start(session, received, error);
    if (fault?.fault === "drop-after") {
      await running.answer;
      throw new Dropped();
    }
    return this.#reply(running);
  }

  /** Faults that strike before anything is executed. */
  async #misbehave(fault: Fault | undefined, session: Session | undefined): Promise<void> {
    const { account } = this.#options;
    switch (fault?.fault) {
      case undefined:
      case "error":
      case "drop-after":
        if (session === undefined && fault?.fault === "error") {
          throw new SnowflakeError(fault.code, fault.sqlState, fault.message);
        }
        return;
      case "drop-before":
        throw new Dropped();
      case "status":
        throw new HttpStatus(fault.status);
      case "delay":
        await sleep(fault.milliseconds);
        return;
      case "session-expired":
        if (session) session.tokenExpired = true;
        throw new SnowflakeError("390112", "08001", "Your session has expired. Please login again.");
      case "master-expired":
        if (session) session.masterExpired = true;
        throw new SnowflakeError("390112", "08001", "Your session has expired. Please login again.");
      case "transaction-killed":
        if (session) await session.serially(() => session.end("ROLLBACK", account.locks));
        return;
      case "stage-files-lost":
        await rm(account.stageFolder, { recursive: true, force: true });
        return;
      case "restart":
        void this.restart();
        throw new Dropped();
    }
  }

  async #reply({ log, answer, session }: RunningStatement): Promise<object> {
    const timer = new AbortController();
    const late = sleep(this.#options.inProgressAfterMs, undefined, { signal: timer.signal }).catch(() => undefined);
    const done = await Promise.race([answer, late]);
    timer.abort();
    if (done) return answered(done, log.queryId, session);
    const data = { getResultUrl: `/queries/${log.queryId}/result`, queryId: log.queryId, progressDesc: null };
    return { data, message: "Query execution in progress.", code: "333333", success: true };
  }

  async #result(request: Request, queryId: string): Promise<object> {
    this.#session(request);
    const running = this.#options.statements.byQueryId(queryId);
    if (!running) throw new SnowflakeError("000707", "02000", `Statement ${queryId} not found`);
    return this.#reply(running);
  }

  #abort(request: Request, queryId: string): object {
    this.#session(request);
    const { statements } = this.#options;
    const running =
      queryId === "v1"
        ? statements.find(field<string>(request.body, "requestId") ?? "")
        : statements.byQueryId(queryId);
    running?.abort.abort(new SnowflakeError("000604", "57014", "SQL execution canceled"));
    return success(null);
  }
}

function answered(answer: Answer, queryId: string, session: Session): object {
  if ("error" in answer) return failure(answer.error, queryId);
  const { columns, rows, statementType, transfer } = answer.outcome;
  if (transfer) return success({ ...transfer, queryId });
  return success({
    parameters: session.parameters.list(),
    rowtype: columns,
    rowset: rows,
    total: rows.length,
    returned: rows.length,
    queryId,
    databaseProvider: null,
    finalDatabaseName: session.database,
    finalSchemaName: session.schema,
    finalWarehouseName: session.warehouse,
    finalRoleName: session.role,
    numberOfBinds: 0,
    arrayBindSupported: false,
    statementTypeId: statementType,
    version: 1,
    queryResultFormat: "json",
  });
}

function tokens(session: Session): object {
  return {
    token: session.token,
    masterToken: session.masterToken,
    validityInSeconds: 3600,
    masterValidityInSeconds: 14_400,
  };
}

function success(data: unknown): object {
  return { data, message: null, code: null, success: true };
}

function failure({ code, sqlState, message }: SnowflakeError, queryId?: string): object {
  const data = {
    internalError: false,
    errorCode: code,
    age: 0,
    sqlState,
    queryId,
    line: -1,
    pos: -1,
    type: "COMPILATION",
  };
  return { data, code, message, success: false };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function readRequest(incoming: IncomingMessage): Promise<Request> {
  const url = new URL(incoming.url ?? "/", "http://localhost");
  const pieces: Buffer[] = [];
  for await (const piece of incoming) if (piece instanceof Buffer) pieces.push(piece);
  const raw = Buffer.concat(pieces);
  const text = (raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw).toString();
  const token = /Token="([^"]*)"/.exec(incoming.headers.authorization ?? "")?.[1] ?? "";
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  return { path: url.pathname, query: url.searchParams, token, body };
}

function field<T>(body: unknown, name: string): T | undefined {
  // The driver's requests are the contract; a field that is none of them is refused by whoever reads it.
  return typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
}

function readQuery(body: unknown): QueryRequest {
  return {
    sqlText: field<string>(body, "sqlText"),
    parameters: field<QueryRequest["parameters"]>(body, "parameters"),
    bindings: field<QueryRequest["bindings"]>(body, "bindings"),
  };
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toUpperCase();
}
