import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineAt, rewriteTags, scanTemplate } from "../../../runtime/transform/template-scan.ts";

const pieces = (source: string) => scanTemplate(source).map(({ kind, start, end }) => [kind, source.slice(start, end)]);

describe("scanTemplate", () => {
  test("tells text, prints, blocks and comments apart", () => {
    expect(pieces("a {{ b }} {% c %}{# d #}e")).toEqual([
      ["text", "a "],
      ["print", "{{ b }}"],
      ["text", " "],
      ["block", "{% c %}"],
      ["comment", "{# d #}"],
      ["text", "e"],
    ]);
  });

  test("does not end a tag inside of a string", () => {
    expect(pieces(`{{ config(post_hook="{{ a() }}") }}x`)).toEqual([
      ["print", `{{ config(post_hook="{{ a() }}") }}`],
      ["text", "x"],
    ]);
    expect(pieces(String.raw`{{ f('it\'s }}') }}`)).toHaveLength(1);
  });

  test("ends a comment at its first mark, even after an apostrophe", () => {
    expect(pieces("{# it's #}x")).toEqual([
      ["comment", "{# it's #}"],
      ["text", "x"],
    ]);
  });

  test("takes a raw block as one part", () => {
    expect(pieces("{% raw %}{{ a }}{% endraw %}b")).toEqual([
      ["raw", "{% raw %}{{ a }}{% endraw %}"],
      ["text", "b"],
    ]);
  });

  test("sees which whitespace is taken away", () => {
    const [, tag] = scanTemplate("a {%- if b -%} c");
    expect(tag).toMatchObject({ kind: "block", trimBefore: true, trimAfter: true });
    expect(scanTemplate("{{ a }}")[0]).toMatchObject({ trimBefore: false, trimAfter: false });
  });

  test("loses nothing of any text", () => {
    const token = fc.constantFrom(
      "{{",
      "}}",
      "{%",
      "%}",
      "{#",
      "#}",
      "-",
      "'",
      '"',
      "\\",
      "\n",
      " ",
      "x",
      "raw",
      "endraw",
      "é",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        const source = tokens.join("");
        expect(
          pieces(source)
            .map(([, text]) => text)
            .join(""),
        ).toBe(source);
      }),
    );
  });
});

test("rewriteTags leaves text, comments and string literals alone", () => {
  const shout = (code: string) => code.toUpperCase();
  expect(rewriteTags(`a {{ b('c', "d") }} {# e #} {% if f %}`, shout)).toBe(`a {{ B('c', "d") }} {# e #} {% IF F %}`);
});

test("lineAt counts from 1", () => {
  expect([0, 1, 2, 3].map((offset) => lineAt("a\nb\n", offset))).toEqual([1, 1, 2, 2]);
});
