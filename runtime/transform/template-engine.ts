/**
 * Renders dbt's Jinja by minijinja-js, with the project's macros known everywhere.
 *
 * The engine cannot be entered twice, so a macro that a template calls is rendered in the next environment of a row of them. A function that
 * throws would abort the whole WebAssembly instance, so functions never throw: the first failure is kept, and thrown when rendering is over.
 */
import type { Environment } from "minijinja-js";
import { NovaError } from "../core/errors.ts";
import { describeEngineError, MACRO_CALL } from "./engine-error.ts";
import { adaptTemplate, findMacros, MACRO_PREFIX, type Macro, type Template } from "./macros.ts";
import {
  MarkedFiles,
  markTemplate,
  readMarks,
  withoutMarks,
  type FindPlace,
  type TemplatePlace,
} from "./source-map.ts";
import { lookUp, TemplateEnvironment, type TemplateHost } from "./template-environment.ts";
import { bindArguments, isTemplateFunction, plainValue, type TemplateScope } from "./template-function.ts";

const MAX_DEPTH = 40;

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
  #pools: { plain: TemplateEnvironment[]; marked: TemplateEnvironment[] } = { plain: [], marked: [] };
  #scope: TemplateScope = {};
  /** Lives as long as the engine; the environments hold it weakly. */
  readonly #host: TemplateHost = {
    callFunction: (path, handed) => this.#callFunction(path, handed),
    callMacro: (name, handed) => this.macroFunction(name)?.(...handed),
    returnValue: (value) => this.#return(value),
    reached: (file, line) => {
      const name = this.#markedFiles.file(file);
      if (name !== undefined) this.#at = { file: name, line };
    },
  };
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
      text = environment.render(template.file, this.#adapt(template), scope);
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

  /** The environment for a depth of macro calls, with all macro files. */
  #environment(depth: number): TemplateEnvironment {
    const pool = this.#marked ? this.#pools.marked : this.#pools.plain;
    const found = pool[depth];
    if (found) return found;
    const made = new TemplateEnvironment(this.#create(), this.#host, this.macros.keys());
    for (const template of this.#macroFiles) this.#addTemplate(made, template);
    pool[depth] = made;
    return made;
  }

  #addTemplate(environment: TemplateEnvironment, template: Template): void {
    try {
      environment.addTemplate(template.file, this.#adapt(template));
    } catch (thrown) {
      throw this.#asError(thrown);
    }
  }

  /** @returns a function for templates that calls the macro; undefined if there is none */
  macroFunction(name: string): ((...handed: unknown[]) => unknown) | undefined {
    const macro = this.macros.get(name);
    return macro && ((...handed: unknown[]) => this.#callMacro(macro, handed));
  }

  #callFunction(path: string, handed: readonly unknown[]): unknown {
    return this.#guard(() => {
      const called = lookUp(this.#scope, path);
      if (!isTemplateFunction(called)) throw new RangeError(`${path} is not a function`);
      const value = called.body(bindArguments(path, called, handed));
      return typeof value === "function" ? value : plainValue(value);
    });
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
      if (depth > MAX_DEPTH) {
        throw new RangeError(`macros call each other more than ${MAX_DEPTH} deep, the last is ${macro.name}()`);
      }
      const frame: MacroFrame = { returned: false, value: undefined };
      this.#frames.push(frame);
      const calledAt = this.#at;
      try {
        const source = `{% from "${macro.file}" import ${MACRO_PREFIX}${macro.name} as called %}{{ called(**kwargs) }}`;
        const text = this.#environment(depth).render(MACRO_CALL, source, this.#scope, { kwargs });
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

  #return(value: unknown): void {
    const frame = this.#frames.at(-1);
    if (!frame || frame.returned) return;
    frame.returned = true;
    frame.value = plainValue(value);
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
