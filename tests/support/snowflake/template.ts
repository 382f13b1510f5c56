/** A statement without what differs from batch to batch, so that its translation is found again: translating takes longer than running. */
import { tokenize } from "./lexer.ts";

export interface Template {
  readonly sql: string;
  /** Puts the parts back into the translation. */
  fill(translated: string): string;
}

/** Texts that mean nothing to a translation: UUIDs, instants, JSON. */
const OPAQUE = /^'(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[0-9:.+]+|\{"[^'\\]*\})'$/;

/** @param isRelation whether a quoted name behind a schema names a relation */
export function templateOf(sql: string, isRelation: (schema: string) => boolean): Template {
  const tokens = tokenize(sql);
  const parts = new Map<string, string>();
  let result = "";
  let done = 0;
  for (const [at, token] of tokens.entries()) {
    const isName = token.kind === "quoted" && tokens[at - 1]?.text === "." && isRelation(tokens[at - 2]?.value ?? "");
    if (!isName && !(token.kind === "string" && OPAQUE.test(token.text))) continue;
    const quote = isName ? '"' : "'";
    let placeholder = parts.get(token.text);
    if (placeholder === undefined) {
      placeholder = `${quote}nd_part_${parts.size}_${quote}`;
      parts.set(token.text, placeholder);
    }
    result += sql.slice(done, token.start) + placeholder;
    done = token.start + token.text.length;
  }
  return {
    sql: result + sql.slice(done),
    fill: (translated) =>
      [...parts].reduce((text, [part, placeholder]) => text.replaceAll(placeholder, () => part), translated),
  };
}
