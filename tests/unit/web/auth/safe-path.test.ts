import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safePath } from "../../../../runtime/web/auth/safe-path.ts";

const SERVER = "https://etl.example:8443";

describe("where a login leads to", () => {
  it.each([
    ["/", "/"],
    ["/batches/7?open=log&task=vendas", "/batches/7?open=log&task=vendas"],
    ["/batches/../batches/7", "/batches/7"],
    ["/loginish", "/loginish"],
    ["/batches/7#log", "/batches/7"],
  ])("%s is %s", (asked, path) => {
    expect(safePath(asked)).toBe(path);
  });

  it("is a page of this server, whatever is asked for and whatever browsers make of it", () => {
    const pieces = fc.constantFrom(
      "/",
      "//",
      "\\",
      ".",
      "..",
      "\t",
      "\n",
      "@",
      ":",
      "?",
      "#",
      "%2f",
      "%5c",
      "evil.example",
      "https:",
      "javascript:",
      "login",
      " ",
      "\0",
    );
    const texts = fc.oneof(
      fc.webUrl(),
      fc.string(),
      fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join("")),
      fc.array(pieces).map((parts) => `/${parts.join("")}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const path = safePath(text);
        const target = new URL(path, SERVER);
        expect(target.origin).toBe(SERVER);
        expect(path).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
        expect(safePath(path)).toBe(path);
        expect(target.pathname).not.toMatch(/^\/(login|logout|events)$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
