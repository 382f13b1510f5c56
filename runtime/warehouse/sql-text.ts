/** Places in SQL text: offsets, lines, words. */

export interface LinePosition {
  /** Counted from 1. */
  readonly line: number;
  /** In characters, counted from 1. */
  readonly column: number;
}

/** @param offset in characters */
export function linePosition(sql: string, offset: number): LinePosition {
  const before = Array.from(sql).slice(0, offset).join("");
  const lines = before.split("\n");
  return { line: lines.length, column: Array.from(lines.at(-1) ?? "").length + 1 };
}

interface Word {
  readonly text: string;
  /** In UTF-16 units. */
  readonly start: number;
}

/** Comments and strings are passed over; a quoted name counts as the name. */
const PARTS =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|''|\\.)*'|\$\$[\s\S]*?\$\$|"((?:[^"]|"")*)"|([\p{L}_][\p{L}\p{N}_$]*)/gu;

function words(sql: string): Word[] {
  const found: Word[] = [];
  for (const match of sql.matchAll(PARTS)) {
    const name = match[1]?.replaceAll('""', '"') ?? match[2];
    if (name !== undefined) found.push({ text: name.toLowerCase(), start: match.index });
  }
  return found;
}

export interface LocateOptions {
  /** What the user wrote. */
  readonly written: string;
  /** What the engine was sent. */
  readonly sent: string;
  /** Where in `sent` the engine noticed the error, in bytes; undefined if it did not say. */
  readonly position?: number | undefined;
  /** The name that the engine complains of, if it named one. */
  readonly subject?: string | undefined;
}

/**
 * Finds in the user's SQL what the engine complains of in its translation: the same word, counted from the start, strings and comments
 * left out. Translation may add or drop a word, so this is the likely place, not a proof.
 */
export function locate(options: LocateOptions): (LinePosition & { readonly token: string }) | undefined {
  const { written, sent, position } = options;
  const offset = position === undefined ? undefined : Buffer.from(sent).subarray(0, position).toString().length;
  const inSent = words(sent);
  const pointed = offset === undefined ? undefined : inSent.find((word) => word.start === offset)?.text;
  const subject = options.subject?.split(".").at(-1)?.toLowerCase();
  const inWritten = words(written);
  for (const token of [pointed, subject]) {
    if (token === undefined) continue;
    const places = inWritten.filter((word) => word.text === token);
    const before = inSent.filter((word) => word.text === token && word.start < (offset ?? 0)).length;
    const place = places[Math.min(before, places.length - 1)];
    if (place) return { token, ...linePosition(written, Array.from(written.slice(0, place.start)).length) };
  }
  return undefined;
}
