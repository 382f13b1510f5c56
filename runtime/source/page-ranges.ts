/** Cuts a table's heap into page ranges that give CSV of about one size. */
import type { PageRange } from "./extract-sql.ts";
import { segmentsOf, type PagesRead, type Segment } from "./pages-read.ts";

/** What holds rows: a table, or one partition of it. */
export interface Part {
  readonly schema: string;
  readonly name: string;
  /** Undefined where it stands for partitions that cannot be read one by one. */
  readonly oid?: number | undefined;
  /** Whether it can be read by page ranges (a heap). */
  readonly ranged: boolean;
  readonly pages: number;
  /** Heap and TOAST together. */
  readonly bytes: number;
}

export interface Piece {
  readonly part: Part;
  readonly range: PageRange | undefined;
  /** Only row versions of this transaction (xid8) and later ones are wanted: an earlier load has read the others. */
  readonly since?: string | undefined;
}

/** Of pages that were read before little is sent, so a piece may be so many times as large. */
const PIECES_READ_BEFORE = 8;

/**
 * Pieces of each part in the order of its pages, each of about `pieceBytes` of heap and TOAST. The last one has no end, so that pages
 * which the table has gained meanwhile are in it (rows on them are not in the snapshot, but that is PostgreSQL's to say).
 */
export function pagePieces(parts: readonly Part[], pieceBytes: number): Piece[] {
  return parts.flatMap((part) => cut(part, { from: 0, version: undefined }, pieceBytes));
}

/**
 * The same where an earlier load has read some of the pages: those that it has not come first.
 *
 * @param read of the files that the parts still have
 */
export function remainingPieces(parts: readonly Part[], read: readonly PagesRead[], pieceBytes: number): Piece[] {
  const byPart = Map.groupBy(read, (one) => one.part);
  const pieces = parts.flatMap((part) => {
    const segments = segmentsOf(part.oid === undefined ? [] : (byPart.get(part.oid) ?? []));
    return segments.flatMap((segment) =>
      cut(part, segment, segment.version === undefined ? pieceBytes : pieceBytes * PIECES_READ_BEFORE),
    );
  });
  return [...pieces.filter(({ since }) => since === undefined), ...pieces.filter(({ since }) => since !== undefined)];
}

function cut(part: Part, { from: first, to: end, version }: Segment, pieceBytes: number): Piece[] {
  const since = version === undefined ? {} : { since: version };
  const pages = Math.max(0, Math.min(end ?? Infinity, part.pages) - first);
  const share = part.pages === 0 ? 0 : pages / part.pages;
  const count = part.ranged ? Math.min(pages, Math.ceil((part.bytes * share) / pieceBytes)) : 1;
  const whole = first === 0 && end === undefined;
  if (count <= 1) return [{ part, range: whole ? undefined : range(first, end), ...since }];
  const step = Math.ceil(pages / count);
  const starts = Array.from({ length: Math.ceil(pages / step) }, (_, index) => first + index * step);
  return starts.map((from, index) => ({
    part,
    range: index === starts.length - 1 ? range(from, end) : { from, to: from + step },
    ...since,
  }));
}

const range = (from: number, to: number | undefined): PageRange => (to === undefined ? { from } : { from, to });
