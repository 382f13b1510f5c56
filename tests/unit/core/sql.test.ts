import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { identifier, literal } from "../../../runtime/core/sql.ts";

describe("identifier", () => {
  it("quotes each part of a path", () => {
    expect(identifier("public", "vendas")).toBe('"public"."vendas"');
  });

  it("keeps case, blanks and dots inside one name", () => {
    expect(identifier("Order Lines.2024")).toBe('"Order Lines.2024"');
  });

  it("never lets a name end its own quotes", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((name) => !name.includes("\0")),
        (name) => {
          const inner = identifier(name).slice(1, -1);
          expect(inner.replaceAll('""', "")).not.toContain('"');
          expect(inner.replaceAll('""', '"')).toBe(name);
        },
      ),
    );
  });

  it.each(["", "a\0b"])("refuses %j, which no engine can hold", (name) => {
    expect(() => identifier(name)).toThrow(RangeError);
  });
});

describe("literal", () => {
  it.each([
    ["it's", "'it''s'"],
    ["a\\b", "'a\\b'"],
    [7, "7"],
    [12345678901234567890n, "12345678901234567890"],
    [true, "TRUE"],
    [null, "NULL"],
  ])("writes %s as %s", (value, text) => {
    expect(literal(value)).toBe(text);
  });

  it("doubles backslashes where they are escapes", () => {
    expect(literal("a\\'b", "backslash-escapes")).toBe("'a\\\\''b'");
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (value) => {
    expect(() => literal(value)).toThrow(RangeError);
  });
});
