/** Splits a Jinja template into text and tags, so that it can be rewritten without losing a single line number. */

export interface TemplatePart {
  readonly kind: "text" | "print" | "block" | "comment" | "raw";
  readonly start: number;
  readonly end: number;
  /** Whitespace before or after the tag is taken away (`{%-`, `-%}`). */
  readonly trimBefore: boolean;
  readonly trimAfter: boolean;
}

const KINDS: Readonly<Record<string, { kind: "print" | "block" | "comment"; close: string }>> = {
  "{{": { kind: "print", close: "}}" },
  "{%": { kind: "block", close: "%}" },
  "{#": { kind: "comment", close: "#}" },
};

/** Parts in order, without gaps. A tag that is never closed ends with the text: the engine itself complains about it. */
export function scanTemplate(source: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  while (at < source.length) {
    const open = nextOpening(source, at);
    if (open > at) parts.push({ kind: "text", start: at, end: open, trimBefore: false, trimAfter: false });
    if (open === source.length) break;
    const tag = KINDS[source.slice(open, open + 2)];
    if (!tag) throw new RangeError("No tag here");
    const end = closing(source, open + 2, tag.close);
    const body = source.slice(open, end);
    const raw = tag.kind === "block" && /^\{%[-+]?\s*raw\s*[-+]?%\}$/.test(body) ? rawEnd(source, end) : undefined;
    at = raw ?? end;
    parts.push({
      kind: raw === undefined ? tag.kind : "raw",
      start: open,
      end: at,
      trimBefore: body[2] === "-",
      trimAfter: source[at - 3] === "-",
    });
  }
  return parts;
}

function nextOpening(source: string, from: number): number {
  for (let at = source.indexOf("{", from); at >= 0; at = source.indexOf("{", at + 1)) {
    if (source.slice(at, at + 2) in KINDS) return at;
  }
  return source.length;
}

/** Position after the closing mark; marks inside of string literals do not count, except in comments. */
function closing(source: string, from: number, close: string): number {
  let quote: string | undefined;
  for (let at = from; at < source.length; at++) {
    const char = source[at];
    if (quote !== undefined) {
      if (char === "\\") at++;
      else if (char === quote) quote = undefined;
    } else if (close !== "#}" && (char === "'" || char === '"')) {
      quote = char;
    } else if (source.startsWith(close, at)) {
      return at + 2;
    }
  }
  return source.length;
}

function rawEnd(source: string, from: number): number {
  const match = /\{%[-+]?\s*endraw\s*[-+]?%\}/.exec(source.slice(from));
  return match ? from + match.index + match[0].length : source.length;
}

/** Applies `rewrite` to the code of each print and block tag, leaving string literals, comments and text as they are. */
export function rewriteTags(source: string, rewrite: (code: string) => string): string {
  return scanTemplate(source)
    .map((part) => {
      const piece = source.slice(part.start, part.end);
      if (part.kind !== "print" && part.kind !== "block") return piece;
      return piece.replaceAll(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^'"]+/gs, (run) =>
        run.startsWith("'") || run.startsWith('"') ? run : rewrite(run),
      );
    })
    .join("");
}

/** Line of an offset, counted from 1. */
export function lineAt(source: string, offset: number): number {
  let line = 1;
  for (let at = source.indexOf("\n"); at >= 0 && at < offset; at = source.indexOf("\n", at + 1)) line++;
  return line;
}
