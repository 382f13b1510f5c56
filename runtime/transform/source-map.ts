/**
 * Tells which line of which template a line of compiled SQL came from: the template is rendered once more with marks in its text,
 * and the marks are read back. Only done after an error, so that the normal way stays as it is.
 */
import { lineAt, scanTemplate } from "./template-scan.ts";

/** Characters that are assigned to nobody, so that no template has them. */
const OPEN = "\u{F0000}";
const CLOSE = "\u{F0001}";
const MARK = new RegExp(`${OPEN}(\\d+):(\\d+)${CLOSE}`, "gu");

export interface TemplatePlace {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Where a position of rendered text, counted from 1, stands in a template. */
export type FindPlace = (line: number, column?: number) => TemplatePlace | undefined;

/** Gives each template a number, by which its marks are known. */
export class MarkedFiles {
  readonly #files: string[] = [];

  number(file: string): number {
    const known = this.#files.indexOf(file);
    return known >= 0 ? known : this.#files.push(file) - 1;
  }

  file(number: number): string | undefined {
    return this.#files[number];
  }
}

/**
 * A template with a mark at the start of each line of text and after each tag, and a call of `__at(file, line)` before each tag.
 * Whitespace that a tag takes away is taken away here, because a mark would shield it.
 */
export function markTemplate(source: string, fileNumber: number): string {
  const parts = scanTemplate(source);
  const out: string[] = [];
  for (const [index, part] of parts.entries()) {
    let piece = source.slice(part.start, part.end);
    const mark = (line: number) => `${OPEN}${fileNumber}:${line}${CLOSE}`;
    if (part.kind === "text") {
      const line = lineAt(source, part.start);
      const leading = parts[index - 1]?.trimAfter ? piece.length - piece.trimStart().length : 0;
      const first = line + piece.slice(0, leading).split("\n").length - 1;
      piece = piece.slice(leading);
      if (parts[index + 1]?.trimBefore) piece = piece.trimEnd();
      if (piece === "") continue;
      const lines = piece.split("\n").map((text, offset) => `${mark(first + offset)}${text}`);
      out.push(lines.join("\n"));
      continue;
    }
    if (part.kind === "comment") continue;
    const line = lineAt(source, part.start);
    if (part.kind !== "raw") out.push(`{{ __at(${fileNumber}, ${line}) }}`);
    if (part.kind !== "block") out.push(mark(line));
    out.push(piece.replace(/^(\{[{%])-/, "$1 ").replace(/-([}%]\})$/, " $1"));
  }
  return out.join("");
}

/** Marked SQL → the SQL without marks, and the place of any position in it. */
export function readMarks(marked: string, files: MarkedFiles): { readonly sql: string; readonly place: FindPlace } {
  const marks: { offset: number; file: number; line: number }[] = [];
  let sql = "";
  let last = 0;
  for (const match of marked.matchAll(MARK)) {
    sql += marked.slice(last, match.index);
    last = match.index + match[0].length;
    marks.push({ offset: sql.length, file: Number(match[1]), line: Number(match[2]) });
  }
  sql += marked.slice(last);
  const place = (line: number, column = 1) => {
    const offset = offsetOf(sql, line, column);
    const mark = marks.findLast((candidate) => candidate.offset <= offset) ?? marks[0];
    const file = mark && files.file(mark.file);
    return mark && file !== undefined ? { file, line: mark.line } : undefined;
  };
  return { sql, place };
}

/** Takes marks out of a text. */
export function withoutMarks(text: string): string {
  return text.replaceAll(MARK, "");
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let current = 1; current < line; current++) {
    const next = text.indexOf("\n", start);
    if (next < 0) return text.length;
    start = next + 1;
  }
  const end = text.indexOf("\n", start);
  return Math.min(start + column - 1, end < 0 ? text.length : end);
}
