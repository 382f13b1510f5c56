/** The form of a statement without its names and values, and the closed set of forms that the server takes. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tokenize, type Token } from "./lexer.ts";

/** A part that may stand any number of times; each time in one of these forms. */
interface Repeated {
  readonly by: string;
  readonly forms: readonly Form[];
}
type Form = readonly (string | Repeated)[];

const CLAUSES = new Set(
  "SELECT FROM WHERE SET WHEN THEN ELSE USING ON VALUES GROUP ORDER HAVING QUALIFY LIMIT INSERT UPDATE DELETE MERGE JOIN".split(
    " ",
  ),
);
const TYPES = new Set(
  "NUMBER VARCHAR FLOAT BOOLEAN DATE TIME TIMESTAMP_LTZ TIMESTAMP_NTZ TIMESTAMP_TZ BINARY VARIANT OBJECT ARRAY".split(
    " ",
  ),
);
const LITERALS = new Set(["NULL", "TRUE", "FALSE"]);

/** Same text for statements that differ in names, values, types and in how often a part of a list stands. */
export function shapeOf(sql: string): string {
  return written(formOf(sql));
}

function formOf(sql: string): Form {
  return sequence(symbols(tokenize(sql)));
}

/** I for a quoted name, L for a value, T for a type with its NOT NULL. */
function symbols(tokens: readonly Token[]): readonly string[] {
  const result: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    const before = result.at(-1);
    if (!token || (token.text === ";" && at === tokens.length - 1)) continue;
    if (token.kind === "quoted") result.push("I");
    else if (token.value === "DISTINCT" && (before === "IS" || before === "NOT") && tokens[at + 1]?.value === "FROM")
      result.push(`DISTINCT ${tokens[++at]?.value}`);
    else if (before === "NAME" && result.at(-2) === "TRANSACTION") result.push("I");
    else if (token.kind === "stage") result.push(stageForm(token.text));
    else if (token.kind === "number" && before === "-" && !/^[IL)]$/.test(result.at(-2) ?? ""))
      result.splice(-1, 1, "L");
    else if (token.kind === "string" || token.kind === "number" || token.kind === "bind" || token.kind === "file")
      result.push("L");
    else if (
      token.kind === "word" &&
      TYPES.has(token.value) &&
      (before === "I" || before === "AS" || before === "::" || before === "TYPE")
    ) {
      result.push("T");
      if (tokens[at + 1]?.text === "(") while (at < tokens.length && tokens[at]?.text !== ")") at++;
      if (tokens[at + 1]?.value === "NOT" && tokens[at + 2]?.value === "NULL") at += 2;
    } else if (token.kind === "word") result.push(LITERALS.has(token.value) ? "L" : token.value);
    else result.push(token.text);
  }
  return result;
}

function stageForm(text: string): string {
  const names = /^@(?:"(?:[^"]|"")*"|[^/"])*/.exec(text)?.[0] ?? "@";
  return `${names.replaceAll(/"(?:[^"]|"")*"/g, "I")}${text.length > names.length ? "/L" : ""}`;
}

/** Clauses one after the other; chains of UNION ALL are one. */
function sequence(parts: readonly string[]): Form {
  const united = split(parts, (at) => parts[at] === "UNION" && parts[at + 1] === "ALL", 2);
  return [repeated("UNION ALL", united.map(clauses))];
}

function clauses(parts: readonly string[]): Form {
  const form: (string | Repeated)[] = [];
  let body: string[] = [];
  const flush = (): void => {
    if (body.length > 0) form.push(list(body));
    body = [];
  };
  walk(parts, (part, depth) => {
    if (depth === 0 && CLAUSES.has(part)) {
      flush();
      form.push(part);
    } else body.push(part);
  });
  flush();
  return form;
}

function list(parts: readonly string[]): Repeated {
  const elements = split(parts, (at) => parts[at] === ",", 1);
  return repeated(
    ",",
    elements.map((element) => {
      const terms = split(element, (at) => element[at] === "AND" || element[at] === "OR", 1);
      return [repeated("AND", terms.map(term))];
    }),
  );
}

/** Words as they are; what is in brackets, and what is between CASE and END, is a sequence of its own. */
function term(parts: readonly string[]): Form {
  const form: (string | Repeated)[] = [];
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] ?? "";
    form.push(part);
    if (part !== "(" && part !== "CASE") continue;
    let depth = 1;
    const start = at + 1;
    while (++at < parts.length && depth > 0) depth += step(parts[at] ?? "");
    const inner = parts.slice(start, --at);
    form.push(
      part === "("
        ? { by: "", forms: [sequence(inner)] }
        : repeated(
            "WHEN",
            split(inner, (index) => ["WHEN", "THEN", "ELSE"].includes(inner[index] ?? ""), 0).map(sequence),
          ),
    );
    form.push(part === "(" ? ")" : "END");
  }
  return form;
}

function step(part: string): number {
  if (part === "(" || part === "CASE") return 1;
  return part === ")" || part === "END" ? -1 : 0;
}

function walk(parts: readonly string[], visit: (part: string, depth: number, at: number) => void): void {
  let depth = 0;
  parts.forEach((part, at) => {
    const change = step(part);
    if (change < 0) depth = Math.max(0, depth - 1);
    visit(part, depth, at);
    if (change > 0) depth++;
  });
}

/** @param width parts of the separator, which are left out; 0 keeps them with what follows */
function split(parts: readonly string[], isSeparator: (at: number) => boolean, width: number): readonly string[][] {
  const result: string[][] = [[]];
  let skip = 0;
  walk(parts, (part, depth, at) => {
    if (skip > 0) skip--;
    else if (depth === 0 && isSeparator(at)) {
      result.push(width === 0 ? [part] : []);
      skip = Math.max(0, width - 1);
    } else result.at(-1)?.push(part);
  });
  return width === 0 ? result.filter((piece) => piece.length > 0) : result;
}

function repeated(by: string, forms: readonly Form[]): Repeated {
  const distinct = new Map(forms.map((form) => [written(form), form]));
  return { by, forms: [...distinct.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, form]) => form) };
}

function written(form: Form): string {
  return form
    .map((part) => {
      if (typeof part === "string") return part;
      const inner = part.forms.map(written);
      return inner.length === 1 ? inner.join("") : `{${inner.join(` ${part.by} `)}}`;
    })
    .join(" ");
}

/** Whether a statement is built of the forms of a known one: same clauses in order, each repeated part in a form that is known there. */
function fits(form: Form, known: Form): boolean {
  return (
    form.length === known.length &&
    form.every((part, at) => {
      const other = known[at];
      if (typeof part === "string" || other === undefined || typeof other === "string") return part === other;
      return part.forms.every((one) => other.forms.some((candidate) => fits(one, candidate)));
    })
  );
}

/** The statements of a file: each ends with `;` at the end of a line, lines that begin with `--` are comments. */
export function statementsIn(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("--"))
    .join("\n")
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

/** What comes before the query of `CREATE … AS <query>`, AS included; undefined if it is no such statement. */
export function prefixOf(sql: string): string | undefined {
  const tokens = tokenize(sql);
  if (tokens[0]?.value !== "CREATE") return undefined;
  let depth = 0;
  for (const token of tokens) {
    if (token.text === "(") depth++;
    if (token.text === ")") depth--;
    if (depth === 0 && token.kind === "word" && token.value === "AS") return sql.slice(0, token.start + 2);
  }
  return undefined;
}

export class ShapeSet {
  readonly #forms: readonly Form[];
  readonly #prefixes: readonly Form[];
  readonly #seen = new Map<string, boolean>();

  constructor(statements: readonly string[]) {
    this.#forms = statements.map(formOf);
    this.#prefixes = statements
      .map(prefixOf)
      .filter((prefix) => prefix !== undefined)
      .map(formOf);
  }

  /** @param folder of `.sql` files */
  static read(folder: string): ShapeSet {
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".sql"));
    return new ShapeSet(files.toSorted().flatMap((file) => statementsIn(readFileSync(join(folder, file), "utf8"))));
  }

  has(sql: string): boolean {
    return this.#find(formOf(sql), this.#forms);
  }

  /** Whether a `CREATE … AS` begins like a known one, whatever its query is. */
  hasPrefix(sql: string): boolean {
    const prefix = prefixOf(sql);
    return prefix !== undefined && this.#find(formOf(prefix), this.#prefixes);
  }

  #find(form: Form, known: readonly Form[]): boolean {
    const key = `${known === this.#forms ? "" : "prefix "}${written(form)}`;
    let found = this.#seen.get(key);
    if (found === undefined) this.#seen.set(key, (found = known.some((candidate) => fits(form, candidate))));
    return found;
  }
}
