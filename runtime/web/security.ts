/** Which requests are answered, and what a browser may do with the answers. */
import type { AddressInfo } from "node:net";
import helmet from "@fastify/helmet";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { NovaError } from "../core/errors.ts";
import { isLoopbackAddress } from "./auth/exposure.ts";

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Half a year, as browsers' own lists ask for at least: https://hstspreload.org */
const STRICT_TRANSPORT = "max-age=15552000";

export interface SecureOptions {
  /** Whether a login is asked for. */
  readonly login: boolean;
  /** Whether the server itself speaks https. */
  readonly tls: boolean;
}

export async function secure(server: FastifyInstance, { login, tls }: SecureOptions): Promise<void> {
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // Helmet's own `no-referrer` would take the origin out of forms too, and by it they are told from those of other sites.
    referrerPolicy: { policy: "same-origin" },
    // Set below: it concerns every port of a name, so it must not be said of localhost.
    strictTransportSecurity: false,
  });

  let loopbackOnly = true;
  server.addHook("onListen", async () => {
    loopbackOnly = server.addresses().every(isLoopback);
  });

  // DNS rebinding: a foreign page whose name was pointed at 127.0.0.1 would be "same origin", but carries its own name here.
  server.addHook("onRequest", async (request, reply) => {
    if (tls && !loopbackOnly) void reply.header("strict-transport-security", STRICT_TRANSPORT);
    // Whoever starts the server has been refused that already; this holds for a name that turned out to be another machine's too.
    if (!loopbackOnly && !login) {
      throw new NovaError("REQUEST_REFUSED", "The status page has no login, so it answers on this machine only", {
        remedy: "Set NOVADRIVE_UI_PASSWORD_HASH; `novadrive password` makes its value.",
      });
    }
    if (loopbackOnly && !LOOPBACK_NAMES.has(hostnameOf(request))) {
      throw new NovaError(
        "REQUEST_REFUSED",
        `The status page listens on this machine only, and does not answer to the name ${JSON.stringify(request.host)}`,
        { remedy: `Open it as ${tls ? "https" : "http"}://127.0.0.1 (or localhost) with its port.` },
      );
    }
  });
}

/**
 * For requests that set something going. Browsers say where a request comes from; a program that says nothing is no browser, and cannot be
 * lured by a foreign page.
 *
 * @throws NovaError REQUEST_REFUSED
 */
export async function requireSameOrigin(request: FastifyRequest): Promise<void> {
  const { origin, "sec-fetch-site": site } = request.headers;
  const foreignSite = site !== undefined && site !== "same-origin";
  const foreignOrigin = origin !== undefined && !sameHost(origin, request.host);
  if (foreignSite || foreignOrigin) {
    throw new NovaError("REQUEST_REFUSED", "The request was sent by a page of another site", {
      remedy: "Use the button on the status page itself.",
    });
  }
}

function isLoopback(bound: AddressInfo | string): boolean {
  if (typeof bound === "string") return true; // a Unix socket
  return isLoopbackAddress(bound.address);
}

function hostnameOf(request: FastifyRequest): string {
  return request.host.replace(/:\d+$/, "").toLowerCase();
}

function sameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
