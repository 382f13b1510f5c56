/**
 * Renders dbt's Jinja by minijinja-js, with the project's macros known everywhere.
 *
 * The engine cannot be entered twice, so a macro that a template calls is rendered in the next environment of a row of them. A function that
 * throws would abort the whole WebAssembly instance, so functions never throw: the first failure is kept, and thrown when rendering is over.
 */
import { closestMatch } from "leven";
import type { Environment } from "minijinja-js";
import { NovaError } from "../core/errors.ts";
import {
  MarkedFiles,
  markTemplate,
  readMarks,
  withoutMarks,
  type FindPlace,
  type TemplatePlace,
} from "./source-map.ts";
import { bindArguments, isTemplateFunction, plainValue, type TemplateScope } from "./template-function.ts";
import { rewriteTags, scanTemplate } from "./template-scan.ts";

export interface Macro {
  readonly name: string;
  readonly file: string;
  readonly parameters: readonly string[];
}

export interface Template {
  /** Name for messages. */
  readonly file: string;
  readonly source: string;
}

/** Steps that one rendering may take; a model of this project takes some hundreds. */
const FUEL = 5_000_000;
const MAX_DEPTH = 40;
const MACRO_PREFIX = "__macro_";

interface MacroFrame {
  returned: boolean;
  value: unknown;
}

interface Failure {
  readonly error: unknown;
  readonly at: TemplatePlace | undefined;
}

export class TemplateEngine {
  readonly macros: ReadonlyMap<string, Macro>;
  readonly #create: () => Environment;
  readonly #macroFiles: readonly Template[];
  readonly #markedFiles = new MarkedFiles();
  #pools: { plain: Environment[]; marked: Environment[] } = { plain: [], marked: [] };
  #scope: TemplateScope = {};
  #scopeOf = new WeakMap<Environment, TemplateScope>();
  #frames: MacroFrame[] = [];
  #marked = false;
  #at: TemplatePlace | undefined;
  #failure: Failure | undefined;

  private constructor(create: () => Environment, macroFiles: readonly Template[]) {
    this.#create = create;
    this.#macroFiles = macroFiles;
    this.macros = findMacros(macroFiles);
  }

  /** @throws NovaError MODEL_COMPILE_FAILED for a macro file with a syntax error, or a macro that is defined twice */
  static async load(macroFiles: readonly Template[]): Promise<TemplateEngine> {
    const { Environment } = await import("minijinja-js");
    const engine = new TemplateEngine(() => new Environment(), macroFiles);
    engine.#environment(0);
    return engine;
  }

  /**
   * @param template its file is named in errors
   * @param scope functions and values that the template and the macros it calls can use
   * @throws NovaError MODEL_COMPILE_FAILED with file and line, or what a function of the scope threw, with file and line in its details
   */
  render(template: Template, scope: TemplateScope): string {
    try {
      return this.#render(template, scope);
    } catch (thrown) {
      // A function's failure carries no place; a second rendering, with marks, finds it.
      if (!(thrown instanceof NovaError) || thrown.details["line"] !== undefined) throw thrown;
      const at = this.#placeOfFailure(template, scope);
      const place = at ?? { file: template.file, line: undefined };
      const prefix = at ? `${at.file}:${at.line}` : template.file;
      throw new NovaError(thrown.code, `${prefix} ${thrown.message}`, {
        remedy: thrown.remedy,
        cause: thrown,
        details: { ...thrown.details, ...place },
      });
    }
  }

  /**
   * Finds where a line of rendered text stands in the templates.
   *
   * @returns undefined if the marks changed what is rendered
   */
  trace(template: Template, scope: TemplateScope, rendered: string): FindPlace | undefined {
    try {
      const { sql, place } = readMarks(this.#renderMarked(template, scope), this.#markedFiles);
      return sql.trimEnd() === rendered.trimEnd() ? place : undefined;
    } catch {
      return undefined;
    }
  }

  /** Calls a macro from outside a template, e.g. a generic test. */
  call(name: string, values: Readonly<Record<string, unknown>>, scope: TemplateScope): string {
    return this.render(
      { file: this.macros.get(name)?.file ?? name, source: `{{ ${name}(**__values) }}` },
      { ...scope, __values: values },
    );
  }

  #render(template: Template, scope: TemplateScope): string {
    this.#scope = scope;
    this.#frames = [];
    this.#failure = undefined;
    let text = "";
    let thrown: unknown;
    const environment = this.#environment(0);
    try {
      // A name that ends in .yml would have every value escaped as JSON.
      const name = template.file.endsWith(".sql") ? template.file : `${template.file} `;
      text = environment.renderNamedStr(name, this.#adapt(template), {});
    } catch (error) {
      thrown = error;
    }
    const failure = this.#firstFailure();
    if (failure) throw this.#asError(failure.error);
    if (thrown !== undefined) throw this.#asError(thrown);
    return text;
  }

  #renderMarked(template: Template, scope: TemplateScope): string {
    this.#marked = true;
    this.#at = undefined;
    try {
      return this.#render(template, scope);
    } finally {
      this.#marked = false;
    }
  }

  #placeOfFailure(template: Template, scope: TemplateScope): TemplatePlace | undefined {
    try {
      this.#renderMarked(template, scope);
    } catch {
      return this.#firstFailure()?.at;
    }
    return undefined;
  }

  /** Behind a method, because rendering sets it where the compiler does not see it. */
  #firstFailure(): Failure | undefined {
    return this.#failure;
  }

  #adapt({ file, source }: Template): string {
    return adaptTemplate(this.#marked ? markTemplate(source, this.#markedFiles.number(file)) : source);
  }

  /** The environment for a depth of macro calls, with all macro files and the present scope. */
  #environment(depth: number): Environment {
    const pool = this.#marked ? this.#pools.marked : this.#pools.plain;
    let environment = pool[depth];
    if (!environment) {
      environment = this.#create();
      environment.undefinedBehavior = "strict";
      environment.fuel = FUEL;
      // With it an error shows the part of the line that it is about.
      environment.debug = true;
      environment.enablePyCompat();
      environment.addGlobal("__stop", {});
      environment.addGlobal("__at", (file: number, line: number) => {
        const name = this.#markedFiles.file(file);
        if (name !== undefined) this.#at = { file: name, line };
        return "";
      });
      environment.addGlobal("return", (value: unknown) => this.#return(value));
      for (const template of this.#macroFiles) this.#addTemplate(environment, template);
      for (const macro of this.macros.values()) {
        environment.addGlobal(macro.name, (...handed: unknown[]) => this.#callMacro(macro, handed));
      }
      pool[depth] = environment;
    }
    if (this.#scopeOf.get(environment) !== this.#scope) {
      for (const [name, value] of Object.entries(this.#scope)) environment.addGlobal(name, this.#export(name, value));
      this.#scopeOf.set(environment, this.#scope);
    }
    return environment;
  }

  #addTemplate(environment: Environment, template: Template): void {
    try {
      environment.addTemplate(template.file, this.#adapt(template));
    } catch (thrown) {
      throw this.#asError(thrown);
    }
  }

  /** A value of the scope in the form that minijinja-js takes. */
  #export(name: string, value: unknown): unknown {
    if (isTemplateFunction(value)) {
      return (...handed: unknown[]) =>
        this.#guard(() => this.#export(name, value.body(bindArguments(name, value, handed))));
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Map)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, this.#export(`${name}.${key}`, item)]),
      );
    }
    return plainValue(value);
  }

  /** @returns a function for templates that calls the macro; undefined if there is none */
  macroFunction(name: string): ((...handed: unknown[]) => unknown) | undefined {
    const macro = this.macros.get(name);
    return macro && ((...handed: unknown[]) => this.#callMacro(macro, handed));
  }

  #guard(work: () => unknown): unknown {
    if (this.#failure) return null;
    try {
      return work();
    } catch (error) {
      this.#failure ??= { error, at: this.#at };
      return null;
    }
  }

  #callMacro(macro: Macro, handed: readonly unknown[]): unknown {
    return this.#guard(() => {
      const kwargs = bindArguments(macro.name, macro, handed.map(withoutMarksInside));
      const depth = this.#frames.length + 1;
      if (depth > MAX_DEPTH)
        throw new RangeError(`macros call each other more than ${MAX_DEPTH} deep, the last is ${macro.name}()`);
      const frame: MacroFrame = { returned: false, value: undefined };
      this.#frames.push(frame);
      const calledAt = this.#at;
      try {
        const source = `{% from "${macro.file}" import ${MACRO_PREFIX}${macro.name} as called %}{{ called(**kwargs) }}`;
        const text = this.#environment(depth).renderNamedStr("macro call", source, { kwargs });
        return frame.returned ? frame.value : text;
      } catch (thrown) {
        if (frame.returned) return frame.value;
        throw thrown;
      } finally {
        this.#frames.pop();
        if (!this.#failure) this.#at = calledAt;
      }
    });
  }

  #return(value: unknown): string {
    const frame = this.#frames.at(-1);
    if (frame && !frame.returned) {
      frame.returned = true;
      frame.value = plainValue(value);
    }
    return "";
  }

  #asError(thrown: unknown): Error {
    if (thrown instanceof NovaError) return thrown;
    if (thrown instanceof Error && thrown.name === "RuntimeError") {
      // The instance's locks stay held after an abort: start over with fresh environments.
      this.#pools = { plain: [], marked: [] };
    }
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return describeEngineError(withoutMarks(text), [...this.macros.keys(), ...Object.keys(this.#scope)], thrown);
  }
}

const withoutMarksInside = (value: unknown): unknown => (typeof value === "string" ? withoutMarks(value) : value);

/** Turns minijinja's message (`undefined value (in models/x.sql:3)` and an excerpt) into one that says what to do. */
export function describeEngineError(text: string, known: readonly string[], cause: unknown): NovaError {
  const match = /^(.*?)(?: \(in (.+):(\d+)\))?$/m.exec(text);
  const problem = match?.[1] ?? text;
  const file = match?.[2]?.trimEnd();
  const line = match?.[3] === undefined ? undefined : Number(match[3]);
  const { message, remedy } = explain(problem, excerpt(text), known);
  const placed = file !== undefined && file !== "macro call" && line !== undefined;
  return new NovaError("MODEL_COMPILE_FAILED", placed ? `${file}:${line} ${message}` : message, {
    remedy,
    cause,
    details: placed ? { file, line } : {},
  });
}

/** The code that minijinja underlines with ^^^. */
function excerpt(text: string): string | undefined {
  const lines = text.split("\n");
  const carets = lines.findIndex((line) => /^\s+i\s+\^+/.test(line));
  const from = lines[carets]?.indexOf("^") ?? -1;
  const length = /\^+/.exec(lines[carets] ?? "")?.[0].length ?? 0;
  return from < 0 ? undefined : lines[carets - 1]?.slice(from, from + length);
}

function explain(
  problem: string,
  code: string | undefined,
  known: readonly string[],
): { message: string; remedy: string } {
  const unknown =
    /^unknown function: (\w+) is unknown$/.exec(problem)?.[1] ?? (problem === "undefined value" ? code : undefined);
  if (unknown !== undefined) {
    const guess = closestMatch(unknown, [...known], { maxDistance: 3 });
    return {
      message: `${unknown} is not defined`,
      remedy: guess ? `Did you mean ${guess}?` : `Define it with {% set %} or as a macro, or correct the name.`,
    };
  }
  if (problem.startsWith("unknown method: undefined has no method")) {
    return {
      message: `${code ?? "the name before the dot"} is not defined`,
      remedy:
        "Packages (dbt_utils and the like) and the dbt.* macros are not there; write the SQL, or a macro of the project's own.",
    };
  }
  if (problem.includes("out of fuel")) {
    return { message: "the template runs for too long", remedy: "Look for a loop that does not end." };
  }
  return { message: problem, remedy: "Correct the template at this line." };
}

/**
 * dbt's Jinja → what minijinja-js can do, without moving a line: objects cannot be both printed and asked for attributes, nor be called and
 * have methods, so `this.schema` becomes `this_schema` and `config.get` becomes `config_get`; `return(…)` ends the macro; `{% test x() %}`
 * is a macro named test_x. A macro goes by another name in its own file, so that calls there too end at {@link TemplateEngine}'s.
 */
export function adaptTemplate(source: string): string {
  const rewritten = rewriteTags(source, (code) =>
    code
      .replaceAll(/\bthis\.(schema|identifier|name|table|database|type)\b/g, "this_$1")
      .replaceAll(/\bconfig\.(get|require)\b/g, "config_$1")
      .replace(/^(\{%[-+]?\s*)test(\s+)(\w+)/, "$1macro$2test_$3")
      .replace(/^(\{%[-+]?\s*macro\s+)(\w+)/, `$1${MACRO_PREFIX}$2`)
      .replace(/^(\{%[-+]?\s*)endtest\b/, "$1endmacro"),
  );
  return scanTemplate(rewritten)
    .map((part) => {
      const piece = rewritten.slice(part.start, part.end);
      const returns = part.kind !== "text" && /^(?:\{\{[-+]?\s*|\{%[-+]?\s*do\s+)return\s*\(/.test(piece);
      return returns ? `${piece}{{ __stop.returned }}` : piece;
    })
    .join("");
}

function findMacros(files: readonly Template[]): ReadonlyMap<string, Macro> {
  const macros = new Map<string, Macro>();
  for (const { file, source } of files) {
    for (const part of scanTemplate(source)) {
      if (part.kind !== "block") continue;
      const tag = source.slice(part.start, part.end);
      const match = /^\{%[-+]?\s*(macro|test)\s+(\w+)\s*\((.*)\)\s*[-+]?%\}$/s.exec(tag);
      if (!match) continue;
      const name = match[1] === "test" ? `test_${match[2]}` : (match[2] ?? "");
      const other = macros.get(name);
      if (other) {
        throw new NovaError("PROJECT_INVALID", `The macro ${name} is defined twice, in ${other.file} and ${file}.`, {
          remedy: "Rename one of them.",
          details: { file },
        });
      }
      macros.set(name, { name, file, parameters: parameterNames(match[3] ?? "") });
    }
  }
  return macros;
}

/** `a, b=[1, 2], c='x'` → a, b, c. */
function parameterNames(text: string): readonly string[] {
  const names: string[] = [];
  let depth = 0;
  let expectName = true;
  for (const [token] of text.matchAll(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[\w.]+|[^\s]/g)) {
    if (/^[([{]$/.test(token)) depth++;
    else if (/^[)\]}]$/.test(token)) depth--;
    else if (token === "," && depth === 0) expectName = true;
    else if (expectName && depth === 0 && /^\w+$/.test(token)) {
      names.push(token);
      expectName = false;
    }
  }
  return names;
}
