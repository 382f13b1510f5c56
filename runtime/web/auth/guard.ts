/** Lets nobody in who is not logged in: whatever is not named here is closed, also what is yet to be written. */
import cookie from "@fastify/cookie";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { PasswordHash } from "../../config/password-hash.ts";
import type { Clock } from "../../core/clock.ts";
import { NovaError } from "../../core/errors.ts";
import { loginCookies, type LoginCookies } from "./cookies.ts";
import { PasswordCheck } from "./password-check.ts";
import { Sessions, type Session } from "./sessions.ts";
import { FormTokens } from "./tokens.ts";

/** Paths that are answered without a login, to the letter. */
const OPEN: ReadonlySet<string> = new Set([
  "/login",
  "/healthz",
  "/assets/base.css",
  "/assets/login.css",
  "/assets/icon.svg",
]);

/** What programs and scripts ask for, and are told in JSON. */
const FOR_PROGRAMS = /^\/(?:api|events|assets)(?:\/|$)/;

export interface GuardOptions {
  readonly passwordHash: PasswordHash;
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
  readonly clock: Clock;
}

export interface Guard {
  readonly sessions: Sessions;
  readonly cookies: LoginCookies;
  readonly tokens: FormTokens;
  readonly passwords: PasswordCheck;
  /** Of a request that was let in, or could have been. */
  sessionOf(request: FastifyRequest): Session | undefined;
}

/** To be called after the other checks of a request, and before the first route. */
export async function guard(server: FastifyInstance, options: GuardOptions): Promise<Guard> {
  const sessions = new Sessions(options.clock);
  const cookies = loginCookies(options);
  const found = new WeakMap<FastifyRequest, Session>();
  server.addHook("preClose", async () => sessions[Symbol.dispose]());
  await server.register(cookie);
  await server.register(rateLimit, { global: false });

  server.addHook("onRequest", async (request, reply) => {
    const id = cookies.readSession(request);
    const session = id === undefined ? undefined : sessions.use(id);
    if (session) found.set(request, session);
    else if (!OPEN.has(pathOf(request))) return sendAway(request, reply);
  });

  return {
    sessions,
    cookies,
    tokens: new FormTokens(),
    passwords: new PasswordCheck(options.passwordHash),
    sessionOf: (request) => found.get(request),
  };
}

/** @throws NovaError LOGIN_REQUIRED where a page would be of no use */
function sendAway(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const looking = request.method === "GET" || request.method === "HEAD";
  if (looking && !FOR_PROGRAMS.test(pathOf(request))) {
    const next = request.url === "/" ? "" : `?next=${encodeURIComponent(request.url)}`;
    return reply.header("cache-control", "no-store").redirect(`/login${next}`, 302);
  }
  throw new NovaError("LOGIN_REQUIRED", "Nobody is logged in, or no longer", {
    remedy: "Open /login in a browser.",
  });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "/";
}
