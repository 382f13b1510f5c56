/** Requests as they come in, and the ways to answer them that are not an answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gunzipSync } from "node:zlib";

export interface Request {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string;
  readonly body: unknown;
}

/** Nothing is answered any more: the connection is cut. */
export class Dropped extends Error {}

export class HttpStatus extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

export function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

export async function readRequest(incoming: IncomingMessage): Promise<Request> {
  const url = new URL(incoming.url ?? "/", "http://localhost");
  const pieces: Buffer[] = [];
  for await (const piece of incoming) if (piece instanceof Buffer) pieces.push(piece);
  const raw = Buffer.concat(pieces);
  const text = (raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw).toString();
  const token = /Token="([^"]*)"/.exec(incoming.headers.authorization ?? "")?.[1] ?? "";
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  return { path: url.pathname, query: url.searchParams, token, body };
}

export function field<T>(body: unknown, name: string): T | undefined {
  // The driver's requests are the contract; a field that is none of them is refused by whoever reads it.
  return typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
}
