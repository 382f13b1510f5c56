/** An error of the warehouse about compiled SQL, told about the template that the SQL came from. */
import { NovaError } from "../core/errors.ts";
import type { Compiled } from "./compile.ts";
import type { ProjectNode } from "./project.ts";

export interface SqlErrorOptions {
  readonly node: Pick<ProjectNode, "kind" | "name" | "file">;
  /** What was sent: the model's SELECT, then its hooks. */
  readonly compiled: readonly Compiled[];
  /** Lines that stand before the compiled SQL in what was sent. */
  readonly linesBefore?: number | undefined;
  /** Where the compiled SQL can be read. */
  readonly compiledFile?: string | undefined;
  /** Throws for SQL that cannot be read: tells which of several statements is the wrong one. */
  readonly translate?: ((sql: string) => unknown) | undefined;
}

/**
 * Errors that are not about the SQL (the warehouse is gone, the disk is full) stay as they are.
 *
 * The warehouse tells the line and column of the SQL that it was given, the word that it could not make sense of, or both.
 */
export function sqlError(thrown: unknown, options: SqlErrorOptions): unknown {
  if (!(thrown instanceof NovaError)) return thrown;
  if (thrown.code !== "MODEL_SQL_FAILED" && thrown.code !== "WAREHOUSE_QUERY_FAILED") return thrown;
  const { node, compiledFile } = options;
  const place = placeOf(thrown, options) ?? { file: node.file, line: undefined };
  const at = place.line === undefined ? place.file : `${place.file}:${place.line}`;
  const read = compiledFile === undefined ? "" : ` The SQL that was sent can be read in ${compiledFile}.`;
  const { column: _, ...facts } = thrown.details;
  // The line of the SQL that was sent would only confuse beside that of the template.
  const message = thrown.message.replace(/,? at line \d+, column \d+/, "");
  return new NovaError("MODEL_SQL_FAILED", `${at} ${node.kind} ${node.name}: ${message}`, {
    remedy:
      place.line === undefined
        ? `Correct ${place.file}.${read}`
        : `Correct line ${place.line} of ${place.file}.${read}`,
    cause: thrown,
    details: { ...facts, ...place, [node.kind]: node.name },
  });
}

function placeOf({ details }: NovaError, { compiled, linesBefore = 0, translate }: SqlErrorOptions): Place {
  const line = typeof details["line"] === "number" ? details["line"] - linesBefore : undefined;
  const column = typeof details["column"] === "number" ? details["column"] : 1;
  const token = typeof details["token"] === "string" ? details["token"] : undefined;
  if (line !== undefined) {
    const statement =
      token === undefined
        ? compiled.find(({ sql }) => translate !== undefined && isUnreadable(sql, translate))
        : compiled.find(({ sql }) => standsAt(sql, token, line, column));
    const found = (statement ?? compiled[0])?.place(line, column);
    if (found) return found;
  }
  return token === undefined ? undefined : placeOfToken(compiled, token);
}

type Place = ReturnType<Compiled["place"]>;

function isUnreadable(sql: string, translate: (sql: string) => unknown): boolean {
  try {
    translate(sql);
    return false;
  } catch {
    return true;
  }
}

function standsAt(sql: string, token: string, line: number, column: number): boolean {
  const rest =
    sql
      .split("\n")
      [line - 1]?.slice(column - 1)
      .replace(/^"/, "") ?? "";
  return rest.toLowerCase().startsWith(token.toLowerCase());
}

/** The place of the first occurrence of a word outside of comments and strings; of its last part, if it has dots. */
function placeOfToken(compiled: readonly Compiled[], token: string): Place {
  for (const word of [token, token.split(".").at(-1) ?? token]) {
    const pattern = new RegExp(String.raw`(?<![\w"])"?${RegExp.escape(word.replaceAll('"', ""))}"?(?![\w"])`, "i");
    for (const { sql, place } of compiled) {
      const found = pattern.exec(withoutComments(sql));
      if (!found) continue;
      const before = sql.slice(0, found.index).split("\n");
      return place(before.length, (before.at(-1)?.length ?? 0) + 1);
    }
  }
  return undefined;
}

/** The same text with blanks instead of comments and string literals. */
function withoutComments(sql: string): string {
  return sql.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:''|[^'])*'/g, (text) => text.replaceAll(/[^\n]/g, " "));
}
