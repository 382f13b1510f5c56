/** Logging in and out. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { NovaError } from "../../core/errors.ts";
import type { WebContext } from "../context.ts";
import { parse } from "../failures.ts";
import { requireSameOrigin } from "../security.ts";
import { loginPage } from "../views/login-page.ts";
import type { Guard } from "./guard.ts";
import { safePath } from "./safe-path.ts";

/** Room for the longest password, every byte of it escaped. */
const BODY_LIMIT_BYTES = 8_192;

/** Tries a minute. IPv6 addresses count by their network of 64 bits, of which one machine has all. */
const MOST_FROM_ONE = 5;
const MOST_FROM_ALL = 20;
const MINUTE_MS = 60_000;

/** What to wait where the queue is full, in seconds. */
const BUSY_SECONDS = 5;

const loginQuery = z.object({ next: z.string().optional() });
const loginForm = z.object({
  token: z.string().max(100).default(""),
  password: z.string().default(""),
  next: z.string().default("/"),
});
const logoutForm = z.object({ token: z.string().max(100).default("") });

interface Refusal {
  readonly status: number;
  readonly problem: string;
  /** Seconds to wait. */
  readonly retryAfter?: number | undefined;
}

export function routeLogin(server: FastifyInstance, context: WebContext, guard: Guard): void {
  const { sessions, cookies, tokens, passwords } = guard;
  const fromOne = server.createRateLimit({ max: MOST_FROM_ONE, timeWindow: MINUTE_MS });
  const fromAll = server.createRateLimit({ max: MOST_FROM_ALL, timeWindow: MINUTE_MS, keyGenerator: () => "all" });

  const show = (request: FastifyRequest, reply: FastifyReply, next: string, refusal?: Refusal) => {
    void reply.code(refusal?.status ?? 200).type("text/html; charset=utf-8");
    if (refusal?.retryAfter !== undefined) void reply.header("retry-after", refusal.retryAfter);
    const token = tokens.tokenFor("login", cookies.form(request, reply));
    // A strict cookie is not sent when a link on another site is followed; asked again by this page itself, it is.
    const again = request.method === "GET" && request.headers["sec-fetch-site"] === "cross-site";
    const { version } = context.info;
    return reply.send(loginPage({ token, next, version, again, problem: refusal?.problem }).toString());
  };

  server.get("/login", (request, reply) => {
    const next = safePath(parse(loginQuery, request.query).next ?? "/");
    if (guard.sessionOf(request)) return reply.redirect(next, 303);
    return show(request, reply, next);
  });

  /** Counts the try. */
  const tooMany = async (request: FastifyRequest): Promise<Refusal | undefined> => {
    for (const limit of [fromOne, fromAll]) {
      const state = await limit(request);
      if (!state.isAllowed && state.isExceeded) return limited(Math.max(1, state.ttlInSeconds));
    }
    return undefined;
  };

  const refusalOf = async (request: FastifyRequest, form: z.output<typeof loginForm>): Promise<Refusal | undefined> => {
    const cookie = cookies.readForm(request);
    if (cookie === undefined || !tokens.matches("login", cookie, form.token)) {
      return { status: 403, problem: "This form was out of date, or the browser keeps no cookies. Please try again." };
    }
    const limit = await tooMany(request);
    if (limit) return limit;
    const outcome = await passwords.check(form.password);
    if (outcome === "busy") return limited(BUSY_SECONDS);
    return outcome === "right" ? undefined : { status: 401, problem: "That is not the password." };
  };

  void server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    const options = { parseAs: "string", bodyLimit: BODY_LIMIT_BYTES } as const;
    scope.addContentTypeParser(
      "application/x-www-form-urlencoded",
      options,
      async (_request: FastifyRequest, body: string) => Object.fromEntries(new URLSearchParams(body)),
    );

    scope.post("/login", { onRequest: requireSameOrigin, bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
      const form = parse(loginForm, request.body);
      const next = safePath(form.next);
      const refusal = await refusalOf(request, form);
      const address = request.ip;
      if (refusal) {
        request.log.warn({ address, status: refusal.status }, `login from ${address} refused: ${refusal.problem}`);
        return show(request, reply, next, refusal);
      }
      // Whatever session the browser brought ends here: nobody can prepare one for another.
      const before = guard.sessionOf(request);
      if (before) sessions.end(before);
      cookies.writeSession(reply, sessions.begin());
      request.log.info({ address }, `login from ${address}`);
      return reply.redirect(next, 303);
    });

    scope.post("/logout", { onRequest: requireSameOrigin }, async (request, reply) => {
      const session = guard.sessionOf(request);
      const { token } = parse(logoutForm, request.body);
      if (!session || !tokens.matches("logout", session.key, token)) {
        throw new NovaError("REQUEST_REFUSED", "The request was not sent by the button of the page", {
          remedy: "Reload the page, then log out again.",
        });
      }
      sessions.end(session);
      cookies.clearSession(reply);
      request.log.info({ address: request.ip }, `logout from ${request.ip}`);
      return reply.redirect("/login", 303);
    });
  });
}

const limited = (retryAfter: number): Refusal => ({
  status: 429,
  problem: `Too many logins were tried. Wait ${retryAfter === 1 ? "a second" : `${retryAfter} seconds`}, then try again.`,
  retryAfter,
});
