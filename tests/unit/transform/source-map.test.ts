import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TemplateEngine } from "../../../runtime/transform/template-engine.ts";
import { templateFunction } from "../../../runtime/transform/template-function.ts";

const MACROS = [
  {
    file: "m.sql",
    source: "{%- macro two() -%}\nfirst,\nsecond\n{%- endmacro -%}\n{% macro same(x) %}{{ x }}{% endmacro %}",
  },
];
const SCOPE = { ref: templateFunction(["name"], ({ name }) => `db.${String(name)}`) };

/** The template line of each line of the rendered text. */
async function trace(source: string): Promise<readonly (readonly [string, string | undefined])[]> {
  const engine = await TemplateEngine.load(MACROS);
  const template = { file: "a.sql", source };
  const text = engine.render(template, SCOPE);
  const place = engine.trace(template, SCOPE, text);
  return text.split("\n").map((line, index) => {
    const found = place?.(index + 1, line.search(/\S|$/) + 1);
    return [line.trim(), found && `${found.file}:${found.line}`];
  });
}

describe("a line of SQL is found in its template", () => {
  test("behind a config that takes several lines", async () => {
    expect(await trace("{% set a = [1,\n 2,\n 3] %}\nselect\nx")).toEqual([
      ["", "a.sql:3"],
      ["select", "a.sql:4"],
      ["x", "a.sql:5"],
    ]);
  });

  test("where tags take whitespace away", async () => {
    expect(
      await trace("select\n{%- if true %}\n a\n{%- endif %}\n, b\n\n{%- if true -%}\n\n , c\n{%- endif %}"),
    ).toEqual([
      ["select", "a.sql:1"],
      ["a", "a.sql:3"],
      [", b, c", "a.sql:5"],
    ]);
  });

  test("in the macro that wrote it", async () => {
    expect(await trace("select\n{{ two() }}\nfrom {{ ref('x') }}\nwhere")).toEqual([
      ["select", "a.sql:1"],
      ["first,", "m.sql:2"],
      ["second", "m.sql:3"],
      ["from db.x", "a.sql:3"],
      ["where", "a.sql:4"],
    ]);
  });

  test("in each turn of a loop", async () => {
    expect(await trace("{% for i in [1, 2] -%}\n a{{ i }}\n{% endfor %}z")).toEqual([
      ["a1", "a.sql:2"],
      ["a2", "a.sql:2"],
      ["z", "a.sql:3"],
    ]);
  });

  test("or not at all where the marks change what is rendered", async () => {
    expect(await trace("{% set x %}a{% endset %}{% if x == 'a' %}yes{% else %}no{% endif %}")).toEqual([
      ["yes", undefined],
    ]);
  });

  test("whatever the template is made of", async () => {
    const engine = await TemplateEngine.load(MACROS);
    const piece = fc.constantFrom(
      "select 1",
      "\n",
      "  ",
      "\n\n  ",
      "{{ ref('x') }}",
      "{{- ref('y') -}}",
      "{{ two() }}",
      "{%- if true -%}",
      "{% endif %}",
      "{%- endif %}",
      "{# note #}",
      "{#- note -#}",
      "{% raw %}{{ z }}{% endraw %}",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (parts) => {
        const source = balanced(parts).join("");
        const template = { file: "a.sql", source };
        const text = engine.render(template, SCOPE);
        const place = engine.trace(template, SCOPE, text);
        expect(place).toBeDefined();
        const lines = source.split("\n").length;
        for (let line = 1; line <= text.split("\n").length; line++) {
          const found = place?.(line);
          if (found?.file === "a.sql") expect(found.line).toBeLessThanOrEqual(lines);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Every block is closed, none is closed that is not open. */
function balanced(parts: readonly string[]): readonly string[] {
  let open = 0;
  const kept = parts.filter((part) => {
    if (part.includes("endif")) return open > 0 && open-- > 0;
    if (part.includes("{%- if")) open++;
    return true;
  });
  return [...kept, ..."{% endif %} ".repeat(open).split(" ")];
}
