/** The endpoints of Snowflake's protocol, as the driver uses them. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.ts";
import { SnowflakeError } from "./errors.ts";
import { Dropped, field, HttpStatus, readRequest, send, type Request } from "./http.ts";
import type { LoginRules } from "./login.ts";
import { logIn } from "./login-endpoint.ts";
import type { Fault, Misbehaviour } from "./misbehaviour.ts";
import type { Session } from "./session.ts";
import { answered, failure, success } from "./replies.ts";
import type { QueryRequest, RunningStatement, Statements } from "./statements.ts";

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
    const fault = this.#options.misbehaviour.forEndpoint(path);
    await this.#misbehave(fault, undefined);
    const body = await this.#serve(request);
    if (fault?.fault === "drop-after") throw new Dropped();
    return body;
  }

  async #serve(request: Request): Promise<object> {
    const { path } = request;
    if (path === "/session/v1/login-request") return logIn(request, this.#options);
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
    this.#options.account.secrets.add(session.token);
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
        await account.loseStagedFiles();
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

function readQuery(body: unknown): QueryRequest {
  return {
    sqlText: field<string>(body, "sqlText"),
    parameters: field<QueryRequest["parameters"]>(body, "parameters"),
    bindings: field<QueryRequest["bindings"]>(body, "bindings"),
  };
}
