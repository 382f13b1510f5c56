/** Errors as answers: a page for people, an ErrorReport for programs. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { NovaError, toNovaError } from "../core/errors.ts";
import type { ErrorCodeName } from "../core/error-codes.ts";
import type { WebContext } from "./context.ts";
import { errorPage } from "./views/error-page.ts";

const STATUS: Partial<Record<ErrorCodeName, number>> = {
  USAGE_INVALID: 400,
  LOGIN_REQUIRED: 401,
  REQUEST_REFUSED: 403,
  BATCH_UNKNOWN: 404,
  BATCH_RUNNING: 409,
  STORE_UNREADABLE: 503,
};

/** @param mayUsePage whether who asks may have the page's scripts and styles */
export function handleErrors(
  server: FastifyInstance,
  context: WebContext,
  mayUsePage: (request: FastifyRequest) => boolean,
): void {
  server.setErrorHandler((thrown, request, reply) => {
    const error = asNovaError(thrown);
    const status = thrown instanceof NovaError ? (STATUS[thrown.code] ?? 500) : statusOf(thrown);
    if (status >= 500) request.log.error({ err: thrown, url: request.url }, "A request to the status page failed");
    return answer({ request, reply, context, error, status, bare: !mayUsePage(request) });
  });
  server.setNotFoundHandler((request, reply) => {
    const error = new NovaError("USAGE_INVALID", `There is nothing at ${request.method} ${pathOf(request)}`, {
      remedy: "Open / for the status page.",
    });
    return answer({ request, reply, context, error, status: 404, bare: !mayUsePage(request) });
  });
}

/**
 * Validates what a request brought.
 *
 * @throws NovaError USAGE_INVALID naming the parameter
 */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = issue?.path.join(".") ?? "";
  throw new NovaError("USAGE_INVALID", name === "" ? `${issue?.message}` : `Parameter ${name}: ${issue?.message}`, {
    remedy: "Correct the address, or open / for the status page.",
  });
}

interface Answer {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly context: WebContext;
  readonly error: NovaError;
  readonly status: number;
  readonly bare: boolean;
}

function answer({ request, reply, context, error, status, bare }: Answer): FastifyReply {
  void reply.code(status).header("cache-control", "no-store");
  if (request.headers.accept?.includes("text/html")) {
    return reply
      .type("text/html; charset=utf-8")
      .send(errorPage({ error, status, info: context.info, bare }).toString());
  }
  return reply.send({ error: error.report() });
}

/** Messages of errors that nobody foresaw may hold anything: they go to the log, not to the page. */
function asNovaError(thrown: unknown): NovaError {
  if (thrown instanceof NovaError && thrown.code !== "INTERNAL") return thrown;
  if (statusOf(thrown) < 500) return new NovaError("USAGE_INVALID", toNovaError(thrown).message);
  return new NovaError("INTERNAL", "The status page could not answer", {
    remedy: "The log of the process has the reason; reload the page to try again.",
    cause: thrown,
  });
}

function statusOf(thrown: unknown): number {
  if (thrown instanceof Error && "statusCode" in thrown && typeof thrown.statusCode === "number")
    return thrown.statusCode;
  return 500;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "/";
}
