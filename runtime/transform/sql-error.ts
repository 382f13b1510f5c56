/** An error of the warehouse about compiled SQL, told about the template that the SQL came from. */
import { NovaError } from "../core/errors.ts";
import type { Compiled } from "./compile.ts";
import type { ProjectNode } from "./project.ts";

export interface SqlErrorOptions {
  readonly node: Pick<ProjectNode, "kind" | "name" | "file">;
  readonly compiled: readonly Compiled[];
  /** Lines that stand before the compiled SQL in what was sent. */
  readonly linesBefore?: number | undefined;
  /** Where the compiled SQL can be read. */
  readonly compiledFile?: string | undefined;
}

/**
 * Errors that are not about the SQL (the warehouse is gone, the disk is full) stay as they are.
 *
 * The warehouse tells either the line and column of its own SQL (a syntax error), or the word that it could not make sense of.
 */
export function sqlError(thrown: unknown, { node, compiled, linesBefore = 0, compiledFile }: SqlErrorOptions): unknown {
  if (!(thrown instanceof NovaError)) return thrown;
  if (thrown.code !== "MODEL_SQL_FAILED" && thrown.code !== "WAREHOUSE_QUERY_FAILED") return thrown;
  const { line, column, token } = thrown.details;
  const place = (typeof line === "number"
    ? compiled[0]?.place(line - linesBefore, typeof column === "number" ? column : 1)
    : undefined) ??
    (typeof token === "string" ? placeOfToken(compiled, token) : undefined) ?? { file: node.file, line: undefined };
  const at = place.line === undefined ? place.file : `${place.file}:${place.line}`;
  const read = compiledFile === undefined ? "" : ` The SQL that was sent can be read in ${compiledFile}.`;
  return new NovaError("MODEL_SQL_FAILED", `${at} ${node.kind} ${node.name}: ${thrown.message}`, {
    remedy:
      place.line === undefined
        ? `Correct ${place.file}.${read}`
        : `Correct line ${place.line} of ${place.file}.${read}`,
    cause: thrown,
    details: { ...thrown.details, ...place, [node.kind]: node.name },
  });
}

/** The place of the first occurrence of a word outside of comments and strings; of its last part, if it has dots. */
function placeOfToken(compiled: readonly Compiled[], token: string): ReturnType<Compiled["place"]> {
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
