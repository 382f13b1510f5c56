/**
 * One environment of minijinja-js, and what templates in it can call.
 *
 * WebAssembly keeps every function that it was given alive until the environment is freed, which the collector does when the environment
 * itself is unreachable. So the functions given to it know their host weakly: else each project that was ever loaded would stay (measured:
 * 0.7 MB each).
 */
import type { Environment } from "minijinja-js";
import { isTemplateFunction, plainValue, type TemplateScope } from "./template-function.ts";

/** Steps that one rendering may take; a model of this project takes some hundreds. */
const FUEL = 5_000_000;

/** What calls from templates come to. None of it may throw: that would abort the whole WebAssembly instance. */
export interface TemplateHost {
  /** @param path name in the scope, `exceptions.warn` for one inside of an object */
  callFunction(path: string, handed: readonly unknown[]): unknown;
  callMacro(name: string, handed: readonly unknown[]): unknown;
  returnValue(value: unknown): void;
  /** The template has come to this line of this file, by number. */
  reached(file: number, line: number): void;
}

export class TemplateEnvironment {
  readonly #environment: Environment;
  readonly #host: WeakRef<TemplateHost>;
  /** Names whose functions are there already. */
  readonly #functions = new Set<string>();
  #scope: TemplateScope | undefined;

  constructor(environment: Environment, host: TemplateHost, macros: Iterable<string>) {
    this.#environment = environment;
    const weak = new WeakRef(host);
    this.#host = weak;
    environment.undefinedBehavior = "strict";
    environment.fuel = FUEL;
    // With it an error shows the part of the line that it is about.
    environment.debug = true;
    environment.enablePyCompat();
    environment.addGlobal("__stop", {});
    environment.addGlobal("__at", reached(weak));
    environment.addGlobal("return", returned(weak));
    for (const name of macros) environment.addGlobal(name, macroCall(weak, name));
  }

  addTemplate(name: string, source: string): void {
    this.#environment.addTemplate(name, source);
  }

  render(name: string, source: string, scope: TemplateScope, values: Readonly<Record<string, unknown>> = {}): string {
    if (this.#scope !== scope) this.#enter(scope);
    // A name that ends in .yml would have every value escaped as JSON.
    return this.#environment.renderNamedStr(name.endsWith(".sql") ? name : `${name} `, source, values);
  }

  #enter(scope: TemplateScope): void {
    for (const [name, value] of Object.entries(scope)) {
      if (this.#functions.has(name)) continue;
      this.#environment.addGlobal(name, this.#exported(name, value));
      if (holdsFunctions(value)) this.#functions.add(name);
    }
    this.#scope = scope;
  }

  /** A value of the scope in the form that minijinja-js takes. */
  #exported(path: string, value: unknown): unknown {
    if (isTemplateFunction(value)) return functionCall(this.#host, path);
    if (!holdsFunctions(value)) return plainValue(value);
    const entries = Object.entries(Object(value)).map(([key, item]) => [key, this.#exported(`${path}.${key}`, item)]);
    return Object.fromEntries(entries);
  }
}

// Made out here, so that they capture what they need and nothing else, least of all the environment.
const reached = (host: WeakRef<TemplateHost>) => (file: number, line: number) => {
  host.deref()?.reached(file, line);
  return "";
};
const returned = (host: WeakRef<TemplateHost>) => (value: unknown) => {
  host.deref()?.returnValue(value);
  return "";
};
const macroCall =
  (host: WeakRef<TemplateHost>, name: string) =>
  (...handed: unknown[]) =>
    host.deref()?.callMacro(name, handed);
const functionCall =
  (host: WeakRef<TemplateHost>, path: string) =>
  (...handed: unknown[]) =>
    host.deref()?.callFunction(path, handed);

function holdsFunctions(value: unknown): boolean {
  if (isTemplateFunction(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(isTemplateFunction);
}

/** What stands at `exceptions.warn`. */
export function lookUp(scope: TemplateScope, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined), scope);
}
