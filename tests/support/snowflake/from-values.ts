/** `FROM VALUES (…), (…)` gives columns COLUMN1, COLUMN2, …: https://docs.snowflake.com/en/sql-reference/constructs/values. */
import { tokenize, type Token } from "./lexer.ts";

/** The same with brackets and names, as DuckDB needs them. */
export function withNamedValues(sql: string): string {
  if (!/\bvalues\b/i.test(sql)) return sql;
  const tokens = tokenize(sql);
  let result = "";
  let done = 0;
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== "word" || token.value !== "VALUES" || tokens[at - 1]?.value !== "FROM") continue;
    const { columns, end } = rowsFrom(tokens, at + 1);
    if (!end) continue;
    const names = Array.from({ length: columns }, (_, index) => `COLUMN${index + 1}`);
    const stop = end.start + 1;
    result += `${sql.slice(done, token.start)}(${sql.slice(token.start, stop)}) AS nd_values(${names.join(", ")})`;
    done = stop;
  }
  return result + sql.slice(done);
}

interface Rows {
  readonly columns: number;
  /** The bracket that closes the last row. */
  readonly end: Token | undefined;
}

function rowsFrom(tokens: readonly Token[], start: number): Rows {
  let depth = 0;
  let columns = 1;
  let isFirst = true;
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at];
    const text = token?.kind === "punctuation" ? token.text : undefined;
    if (text === "(") depth++;
    else if (text === "," && depth === 1 && isFirst) columns++;
    else if (text === ")" && --depth === 0) {
      isFirst = false;
      if (tokens[at + 1]?.text !== ",") return { columns, end: token };
    }
  }
  return { columns, end: undefined };
}
