/** Which requests are answered, and what a browser may do with the answers. */
import { BlockList, type AddressInfo } from "node:net";
import helmet from "@fastify/helmet";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { NovaError } from "../core/errors.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

export async function secure(server: FastifyInstance): Promise<void> {
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
    // The server speaks plain http; TLS, and with it this header, belongs to whatever stands in front of it.
    strictTransportSecurity: false,
  });

  let loopbackOnly = true;
  server.addHook("onListen", async () => {
    loopbackOnly = server.addresses().every(isLoopback);
  });

  // DNS rebinding: a foreign page whose name was pointed at 127.0.0.1 would be "same origin", but carries its own name here.
  server.addHook("onRequest", async (request) => {
    if (loopbackOnly && !LOOPBACK_NAMES.has(hostnameOf(request))) {
      throw new NovaError(
        "REQUEST_REFUSED",
        `The status page listens on this machine only, and does not answer to the name ${JSON.stringify(request.host)}`,
        { remedy: "Open it as http://127.0.0.1 (or localhost) with its port." },
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
  return LOOPBACK.check(bound.address, bound.family === "IPv6" ? "ipv6" : "ipv4");
}

function hostnameOf(request: FastifyRequest): string {
  return request.host.replace(/:\d+$/, "").toLowerCase();
}

function sameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
