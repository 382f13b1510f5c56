/** Splits Snowflake SQL into tokens: https://docs.snowflake.com/en/sql-reference/identifiers-syntax, …/data-types-text#string-literals. */

export type TokenKind = "word" | "quoted" | "string" | "number" | "punctuation" | "stage" | "file" | "bind";

export interface Token {
  readonly kind: TokenKind;
  /** As it was written. */
  readonly text: string;
  /** What it stands for: a word in upper case, a name or string without its quotes. */
  readonly value: string;
  /** In UTF-16 units. */
  readonly start: number;
}

const SPACE = /(?:\s+|--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ["file", /file:\/\/\S+/iy],
  ["stage", /@(?:"(?:[^"]|"")*"|[^\s()";,'])+/y],
  ["string", /'(?:[^'\\]|''|\\[\s\S])*'|\$\$[\s\S]*?\$\$/y],
  ["quoted", /"(?:[^"]|"")*"/y],
  ["number", /(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy],
  ["bind", /\?|:\d+/y],
  ["word", /[\p{L}_][\p{L}\p{N}_$]*|\$\d+/uy],
  ["punctuation", /::|\|\||<>|!=|<=|>=|=>|->|[\s\S]/y],
];

export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (rule: RegExp): string | undefined => {
    rule.lastIndex = at;
    return rule.exec(sql)?.[0];
  };
  while (at < sql.length) {
    const space = match(SPACE);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    for (const [kind, rule] of RULES) {
      const text = match(rule);
      if (text === undefined || text === "") continue;
      tokens.push({ kind, text, value: valueOf(kind, text), start: at });
      at += text.length;
      break;
    }
  }
  return tokens;
}

function valueOf(kind: TokenKind, text: string): string {
  switch (kind) {
    case "word":
      return text.toUpperCase();
    case "quoted":
      return text.slice(1, -1).replaceAll('""', '"');
    case "string":
      return text.startsWith("$$") ? text.slice(2, -2) : unescape(text.slice(1, -1));
    case "number":
    case "punctuation":
    case "stage":
    case "file":
    case "bind":
      return text;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", "0": "\0" };

/** https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants */
function unescape(body: string): string {
  return body.replaceAll(/''|\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|([\s\S]))/gi, (all, hex, unicode, single) => {
    if (all === "''") return "'";
    const code: unknown = hex ?? unicode;
    if (typeof code === "string") return String.fromCharCode(Number.parseInt(code, 16));
    return ESCAPES[String(single)] ?? String(single);
  });
}

/** Reads tokens one after the other. */
export class TokenReader {
  readonly tokens: readonly Token[];
  at = 0;

  constructor(tokens: readonly Token[], at = 0) {
    this.tokens = tokens;
    this.at = at;
  }

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead];
  }

  next(): Token | undefined {
    return this.tokens[this.at++];
  }

  done(): boolean {
    return this.at >= this.tokens.length || this.isPunctuation(";");
  }

  isWords(...words: readonly string[]): boolean {
    return words.every((word, ahead) => {
      const token = this.peek(ahead);
      return token?.kind === "word" && token.value === word;
    });
  }

  isPunctuation(text: string): boolean {
    const token = this.peek();
    return token?.kind === "punctuation" && token.text === text;
  }

  /** Passes over the words if they are what comes next. */
  words(...words: readonly string[]): boolean {
    if (!this.isWords(...words)) return false;
    this.at += words.length;
    return true;
  }

  punctuation(text: string): boolean {
    if (!this.isPunctuation(text)) return false;
    this.at++;
    return true;
  }

  /** Tokens up to the bracket that closes the one that was just read; it is passed over. */
  untilClosed(): readonly Token[] {
    const start = this.at;
    for (let depth = 1; this.at < this.tokens.length; this.at++) {
      const text = this.peek()?.kind === "punctuation" ? this.peek()?.text : undefined;
      if (text === "(") depth++;
      if (text === ")" && --depth === 0) return this.tokens.slice(start, this.at++);
    }
    return this.tokens.slice(start);
  }
}
