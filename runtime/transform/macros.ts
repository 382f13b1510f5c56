/** Finds the macros of a project, and turns dbt's Jinja into what minijinja-js can do. */
import { NovaError } from "../core/errors.ts";
import { rewriteTags, scanTemplate } from "./template-scan.ts";

export interface Template {
  /** Name for messages. */
  readonly file: string;
  readonly source: string;
}

export interface Macro {
  readonly name: string;
  readonly file: string;
  readonly parameters: readonly string[];
}

/** In its own file a macro goes by another name, so that calls there, too, end at the engine and `return` works. */
export const MACRO_PREFIX = "__macro_";

/**
 * dbt's Jinja → what minijinja-js can do, without moving a line: objects cannot be both printed and asked for attributes, nor be called and
 * have methods, so `this.schema` becomes `this_schema` and `config.get` becomes `config_get`; `return(…)` ends the macro; `{% test x() %}`
 * is a macro named test_x.
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

/** @throws NovaError PROJECT_INVALID for a macro that is defined twice */
export function findMacros(files: readonly Template[]): ReadonlyMap<string, Macro> {
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
