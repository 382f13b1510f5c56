/** Where to go after a login: a place on this server, whatever the address asks for. */

const LONGEST = 2_000;
const NOWHERE = "http://novadrive.invalid";

/** Pages of the login itself, and what is no page. */
const NO_GOAL = /^\/(?:login|logout|api|events|assets)(?:[/?#]|$)/;

/** @returns path and query on this server; `/` for everything else, such as `//evil.example` and what browsers make the same of */
export function safePath(text: string): string {
  if (text.length > LONGEST || !text.startsWith("/") || !URL.canParse(text, NOWHERE)) return "/";
  const { origin, pathname, search } = new URL(text, NOWHERE);
  // `/.//evil.example` begins with two slashes only once it has been read.
  if (origin !== NOWHERE || pathname.startsWith("//") || NO_GOAL.test(pathname)) return "/";
  return pathname + search;
}
