import { describe, expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { TemplateEngine } from "../../../runtime/transform/template-engine.ts";
import { templateFunction, type TemplateScope } from "../../../runtime/transform/template-function.ts";

const engineWith = (macros: Readonly<Record<string, string>> = {}) =>
  TemplateEngine.load(Object.entries(macros).map(([file, source]) => ({ file, source })));

const render = async (source: string, macros: Readonly<Record<string, string>> = {}, scope: TemplateScope = {}) =>
  (await engineWith(macros)).render({ file: "models/a.sql", source }, scope);

const failure = async (work: Promise<unknown>): Promise<NovaError> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof NovaError)) throw new Error(`Expected a NovaError, not ${String(thrown)}`);
  return thrown;
};

describe("macros", () => {
  test("are known without an import, in templates and in macros of other files", async () => {
    const macros = {
      "macros/a.sql": "{% macro outer(x) %}[{{ inner(x, y=2) }}]{% endmacro %}",
      "macros/b.sql": "{% macro inner(x, y=1) %}{{ x }}-{{ y }}{% endmacro %}",
    };
    expect(await render("{{ outer('a') }}", macros)).toBe("[a-2]");
  });

  test("take dictionaries and lists", async () => {
    const macros = { "macros/a.sql": "{% macro m(d, l) %}{{ d.k }}{{ d['n']['o'] }}{{ l[1] }}{% endmacro %}" };
    expect(await render("{{ m({'k': 1, 'n': {'o': 2}}, [3, 4]) }}", macros)).toBe("124");
  });

  test("see the scope of the template that is rendered, not of the one before", async () => {
    const engine = await engineWith({ "macros/a.sql": "{% macro m() %}{{ name() }}{% endmacro %}" });
    const scope = (name: string) => ({ name: templateFunction([], () => name) });
    const template = { file: "a.sql", source: "{{ m() }}" };
    expect(engine.render(template, scope("first"))).toBe("first");
    expect(engine.render(template, scope("second"))).toBe("second");
  });

  test("give back a value by return(), and end there", async () => {
    const macros = {
      "macros/a.sql":
        "{% macro letters(n) %}{% if n == 1 %}{{ return(['a']) }}{% endif %}{{ return(letters(n - 1) + ['b']) }}{% endmacro %}",
    };
    expect(await render("{% for x in letters(3) %}{{ x }},{% endfor %}", macros)).toBe("a,b,b,");
    expect(await render("{{ m() }}", { "m.sql": "{% macro m() %}x{% do return(1 + 1) %}y{% endmacro %}" })).toBe("2");
  });

  test("that call themselves for ever are an error", async () => {
    const error = await failure(render("{{ m() }}", { "m.sql": "{% macro m() %}{{ m() }}{% endmacro %}" }));
    expect(error.code).toBe("MODEL_COMPILE_FAILED");
    expect(error.message).toContain("deep");
  });

  test("that are defined twice are an error", async () => {
    const twice = "{% macro m() %}{% endmacro %}";
    const error = await failure(engineWith({ "a.sql": twice, "b.sql": twice }));
    expect(error.message).toBe("The macro m is defined twice, in a.sql and b.sql.");
  });

  test("with too many arguments are an error", async () => {
    const error = await failure(render("\n{{ m(1, 2) }}", { "m.sql": "{% macro m(a) %}{% endmacro %}" }));
    expect(error.message).toContain("m() takes at most 1 arguments, not 2");
    expect(error.details).toMatchObject({ file: "models/a.sql", line: 2 });
  });
});

describe("errors name file and line", () => {
  test("of an undefined name, with the nearest one that is known", async () => {
    const error = await failure(render("a\n\n{{ tagret }}", {}, { target: "x" }));
    expect(error.code).toBe("MODEL_COMPILE_FAILED");
    expect(error.message).toBe("models/a.sql:3 tagret is not defined");
    expect(error.remedy).toBe("Did you mean target?");
    expect(error.details).toEqual({ file: "models/a.sql", line: 3 });
  });

  test("of an unknown function", async () => {
    const error = await failure(render("{{ reff('a') }}", {}, { ref: templateFunction(["a"], () => "") }));
    expect(error.message).toBe("models/a.sql:1 reff is not defined");
    expect(error.remedy).toBe("Did you mean ref?");
  });

  test("of a syntax error", async () => {
    const error = await failure(render("a\n{% if %}"));
    expect(error.details).toEqual({ file: "models/a.sql", line: 2 });
    expect(error.message).toContain("syntax error");
  });

  test("of a syntax error in a macro file", async () => {
    const error = await failure(engineWith({ "macros/a.sql": "\n\n{% macro a( %}{% endmacro %}" }));
    expect(error.details).toEqual({ file: "macros/a.sql", line: 3 });
  });

  test("of an error inside of a macro", async () => {
    const error = await failure(
      render("\n\n{{ m() }}", { "macros/a.sql": "{% macro m() %}\n{{ nope }}\n{% endmacro %}" }),
    );
    expect(error.message).toBe("macros/a.sql:2 nope is not defined");
  });

  test("of a package that is not there", async () => {
    const error = await failure(render("{{ dbt_utils.star(1) }}"));
    expect(error.remedy).toContain("Packages");
  });

  test("of what a function throws, whether its result is printed or not", async () => {
    const scope = {
      bad: templateFunction([], () => {
        throw new NovaError("MODEL_REF_MISSING", "no such thing", { remedy: "Make one." });
      }),
    };
    for (const source of ["a\n{{ bad() }}", "a\n{% set x = bad() %}", "a\n{%- if bad() -%}{%- endif -%}"]) {
      const error = await failure(render(source, {}, scope));
      expect(error).toMatchObject({ code: "MODEL_REF_MISSING", remedy: "Make one." });
      expect(error.message).toBe("models/a.sql:2 no such thing");
    }
  });

  test("of what a function throws inside of a macro", async () => {
    const scope = {
      bad: templateFunction([], () => {
        throw new NovaError("MODEL_COMPILE_FAILED", "no");
      }),
    };
    const error = await failure(
      render("\n\n{{ m() }}", { "m.sql": "{% macro m() %}\n{{ bad() }}{% endmacro %}" }, scope),
    );
    expect(error.message).toBe("m.sql:2 no");
  });

  test("and the engine works on after each of them", async () => {
    const engine = await engineWith({ "m.sql": "{% macro m() %}{{ bad() }}{% endmacro %}" });
    const scope = {
      bad: templateFunction([], () => {
        throw new Error("no");
      }),
    };
    for (const source of ["{{ m() }}", "{{ nope }}", "{% if %}", "{% for i in range(9999999) %}{{ i }}{% endfor %}"]) {
      expect(() => engine.render({ file: "a.sql", source }, scope)).toThrow(NovaError);
      expect(engine.render({ file: "a.sql", source: "{{ 1 }}" }, scope)).toBe("1");
    }
  });
});

test("a loop without an end runs out of fuel", async () => {
  const source = "{% for i in range(100000) %}{% for j in range(100000) %}{{ j }}{% endfor %}{% endfor %}";
  const error = await failure(render(source));
  expect(error.message).toContain("runs for too long");
});

test("this can be printed and asked for its parts", async () => {
  const scope = { this: "a.b", this_schema: "a", this_identifier: "b" };
  expect(await render("{{ this }} {{ this.schema }} {{ this.identifier }} {{ 'this.schema' }}", {}, scope)).toBe(
    "a.b a b this.schema",
  );
});

test("names of functions are text, numbers and dictionaries arrive as they are", async () => {
  const seen: unknown[] = [];
  const scope = {
    f: templateFunction(["a", "b", "c"], (values) => {
      seen.push(values);
      return "";
    }),
  };
  await render("{{ f(1, c=[true, none], b={'x': 'y'}) }}{{ f({'x': 1}) }}", {}, scope);
  expect(seen).toEqual([{ a: 1, b: { x: "y" }, c: [true, null] }, { a: { x: 1 } }]);
});
