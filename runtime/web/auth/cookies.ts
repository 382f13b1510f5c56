/** The two cookies: who is logged in, and which browser a login form was given to. */
import { randomBytes } from "node:crypto";
import type { CookieSerializeOptions } from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";

/** What this server hands out; anything else is answered as if it were not there. */
const VALUE = /^[\w-]{43}$/;

export interface LoginCookies {
  readSession(request: FastifyRequest): string | undefined;
  writeSession(reply: FastifyReply, id: string): void;
  clearSession(reply: FastifyReply): void;
  /** What the browser has, or is given now. */
  form(request: FastifyRequest, reply: FastifyReply): string;
  readForm(request: FastifyRequest): string | undefined;
}

/**
 * @param secure whether the connection is encrypted: only then may cookies have the prefix by which browsers refuse them from other hosts,
 * other paths and plain http (https://www.rfc-editor.org/rfc/rfc6265bis#name-cookie-name-prefixes)
 */
export function loginCookies({ secure }: { readonly secure: boolean }): LoginCookies {
  const prefix = secure ? "__Host-" : "";
  const [session, form] = [`${prefix}novadrive`, `${prefix}novadrive-form`];
  // Without an end of their own they go when the browser is closed.
  const options: CookieSerializeOptions = { path: "/", httpOnly: true, sameSite: "strict", secure };
  const read = (request: FastifyRequest, name: string) => {
    const value = request.cookies[name];
    return value !== undefined && VALUE.test(value) ? value : undefined;
  };
  return {
    readSession: (request) => read(request, session),
    writeSession: (reply, id) => void reply.setCookie(session, id, options),
    clearSession: (reply) => void reply.clearCookie(session, options),
    form(request, reply) {
      const existing = read(request, form);
      if (existing !== undefined) return existing;
      const value = randomBytes(32).toString("base64url");
      void reply.setCookie(form, value, options);
      return value;
    },
    readForm: (request) => read(request, form),
  };
}
