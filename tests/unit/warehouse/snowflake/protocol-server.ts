/** A server that speaks just enough of Snowflake's protocol to answer a driver what a test tells it to, and notes what it was asked. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

export interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of the Authorization header. */
  readonly token: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- the driver's documents have no types
  readonly body: any;
  /** Text of the statement, where there is one. */
  readonly sql: string;
}

/** `drop`: the connection breaks without an answer. A number: HTTP status. An object: the JSON answer. */
export type Answer = "drop" | "silence" | number | object;
/** Undefined: as usual. */
type Behaviour = (asked: Asked, times: number) => Answer | undefined | Promise<Answer | undefined>;

export interface ProtocolServer extends AsyncDisposable {
  readonly port: number;
  readonly asked: readonly Asked[];
  /** Texts of the statements, without the first one of each session. */
  readonly statements: readonly string[];
  readonly logins: number;
  readonly logouts: number;
  behave(behaviour: Behaviour): void;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly scale?: number;
}

export function resultOf(columns: readonly Column[], rows: readonly (readonly (string | null)[])[]): object {
  const rowtype = columns.map(({ name, type, scale = 0 }) => ({ name, type, scale, nullable: true, precision: 38 }));
  return {
    success: true,
    code: null,
    message: null,
    data: {
      rowtype,
      rowset: rows,
      total: rows.length,
      returned: rows.length,
      queryResultFormat: "json",
      version: 1,
      statementTypeId: 4096,
      queryId: "01b2c3d4-0000-0000-0000-000000000001",
      parameters: Object.entries({
        TIMEZONE: "UTC",
        DATE_OUTPUT_FORMAT: "YYYY-MM-DD",
        TIME_OUTPUT_FORMAT: "HH24:MI:SS.FF6",
        TIMESTAMP_OUTPUT_FORMAT: "YYYY-MM-DD HH24:MI:SS.FF6",
        BINARY_OUTPUT_FORMAT: "HEX",
      }).map(([name, value]) => ({ name, value })),
    },
  };
}

export function refusal(code: string, message: string, sqlState?: string): object {
  return {
    success: false,
    code,
    message,
    data: { sqlState, queryId: "01b2c3d4-0000-0000-0000-0000000000ff", internalError: false },
  };
}

export const TOKENS = {
  session: "ver:1-hint:77-SESSIONTOKENsecretsecret",
  master: "ver:1-hint:77-MASTERTOKENsecretsecret",
};

function usual(asked: Asked): object {
  if (asked.path === "/session/v1/login-request") {
    const lifetime = { validityInSeconds: 3600, masterValidityInSeconds: 14_400 };
    return {
      success: true,
      data: { token: TOKENS.session, masterToken: TOKENS.master, ...lifetime, sessionId: 7, parameters: [] },
    };
  }
  if (asked.path === "/session/token-request") {
    const data = { sessionToken: `${TOKENS.session}2`, masterToken: TOKENS.master };
    return { success: true, data: { ...data, validityInSecondsST: 3600, validityInSecondsMT: 14_400 } };
  }
  if (asked.path === "/queries/v1/query-request") return resultOf([{ name: "status", type: "text" }], [["ok"]]);
  return { success: true, data: null };
}

export async function protocolServer(): Promise<ProtocolServer> {
  const asked: Asked[] = [];
  let behaviour: Behaviour = () => undefined;
  const times = new Map<string, number>();
  const server = createServer((request, response) => {
    void read(request).then(async (one) => {
      asked.push(one);
      const key = one.sql === "" ? one.path : one.sql;
      times.set(key, (times.get(key) ?? 0) + 1);
      const answer = (await behaviour(one, times.get(key) ?? 1)) ?? usual(one);
      if (answer === "silence") return;
      if (answer === "drop") request.socket.destroy();
      else if (typeof answer === "number") response.writeHead(answer).end();
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    // The server listens on a port, not on a pipe.
    port: (server.address() as AddressInfo).port,
    asked,
    get statements() {
      return asked.map(({ sql }) => sql).filter((sql) => sql !== "" && !sql.startsWith("ALTER SESSION"));
    },
    get logins() {
      return asked.filter(({ path }) => path === "/session/v1/login-request").length;
    },
    get logouts() {
      return asked.filter(({ path, query }) => path === "/session" && query.get("delete") === "true").length;
    },
    behave(next) {
      behaviour = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const raw = Buffer.concat(chunks);
  const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw).toString() : raw.toString();
  const url = new URL(request.url ?? "/", "http://localhost");
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  const sql: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "sqlText") : undefined;
  const token = /Token="([^"]*)"/.exec(request.headers.authorization ?? "")?.[1] ?? "";
  return { path: url.pathname, query: url.searchParams, token, body, sql: typeof sql === "string" ? sql : "" };
}
