/** The status page's server: a page that is rendered here, kept fresh by server-sent events, and the same facts as JSON. */
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import serveFiles from "@fastify/static";
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from "fastify";
import type { PasswordHash } from "../config/password-hash.ts";
import { NovaError } from "../core/errors.ts";
import { routeApi } from "./api.ts";
import { guard, type Guard } from "./auth/guard.ts";
import { routeLogin } from "./auth/login.ts";
import type { WebContext } from "./context.ts";
import { handleErrors } from "./failures.ts";
import { Live } from "./live.ts";
import { routePages } from "./pages.ts";
import { secure } from "./security.ts";
import type { TlsFiles } from "./tls.ts";

/** Nothing that is sent here is larger. */
const BODY_LIMIT_BYTES = 1_024;

/** For a request to arrive in full; Fastify sets no limit of its own. */
const REQUEST_TIMEOUT_MS = 15_000;

export interface ServerOptions extends WebContext {
  readonly log: FastifyBaseLogger;
  /** The operator's password; undefined for a page without a login, which answers on loopback only. */
  readonly passwordHash?: PasswordHash | undefined;
  /** Undefined for plain http. */
  readonly tls?: TlsFiles | undefined;
}

/** @returns a server that is ready, and does not listen yet: see `listen` */
export async function createServer({ log, passwordHash, tls, ...context }: ServerOptions): Promise<FastifyInstance> {
  const server: FastifyInstance = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    // Open event streams and kept-alive connections must not hold up the end of the process.
    forceCloseConnections: true,
    // Nothing stands in front: what a request says of where it came from is not believed.
    trustProxy: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    ...(tls && { https: tls }),
  });
  server.removeContentTypeParser("text/plain");
  const live = new Live(context);
  server.addHook("preClose", async () => live[Symbol.dispose]());

  const login = passwordHash !== undefined;
  await secure(server, { login, tls: tls !== undefined });
  const entrance = login
    ? await guard(server, { passwordHash, secure: tls !== undefined, clock: context.clock })
    : undefined;
  handleErrors(server, context, (request) => !entrance || entrance.sessionOf(request) !== undefined);
  await server.register(serveFiles, {
    root: [join(import.meta.dirname, "assets"), dirname(fileURLToPath(import.meta.resolve("idiomorph")))],
    prefix: "/assets/",
    index: false,
    allowedPath: (path) => path.endsWith(".js") || path.endsWith(".css") || path.endsWith(".svg"),
  });
  routeApi(server, context);
  routePages(server, context, entrance);
  routeEvents(server, live, entrance);
  if (entrance) routeLogin(server, context, entrance);
  await server.ready();
  return server;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * @returns the URL to open
 * @throws NovaError PORT_IN_USE, CONFIG_INVALID (an address that this machine does not have, or may not use)
 */
export async function listen(server: FastifyInstance, { host, port }: ListenOptions): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (thrown) {
    throw listenFailure(thrown, { host, port });
  }
}

function listenFailure(thrown: unknown, { host, port }: ListenOptions): unknown {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const place = `${host}:${port}`;
  if (code === "EADDRINUSE") {
    return new NovaError("PORT_IN_USE", `The status page cannot listen on ${place}: another process does`, {
      remedy: `Stop that process (\`lsof -i :${port}\` names it), or choose another port with --port or NOVADRIVE_PORT.`,
      details: { host, port },
      cause: thrown,
    });
  }
  if (code === "EACCES") {
    return new NovaError("CONFIG_INVALID", `This user may not listen on ${place}`, {
      remedy: "Choose a port above 1023 with --port or NOVADRIVE_PORT.",
      cause: thrown,
    });
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new NovaError(
      "CONFIG_INVALID",
      `The status page cannot listen on ${place}: this machine has no such address`,
      {
        remedy: "Set --host or NOVADRIVE_HOST to 127.0.0.1 (this machine only) or 0.0.0.0 (every network).",
        cause: thrown,
      },
    );
  }
  return thrown;
}

function routeEvents(server: FastifyInstance, live: Live, entrance: Guard | undefined): void {
  server.get("/events", (request, reply) => {
    reply.hijack();
    const { raw } = reply;
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
    if (!live.add(raw)) return void raw.end("retry: 30000\n\n");
    const session = entrance?.sessionOf(request);
    if (session) entrance?.sessions.attach(session, raw);
  });
}
