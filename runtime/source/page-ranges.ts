/** Cuts a table's heap into page ranges that give CSV of about one size. */
import type { PageRange } from "./extract-sql.ts";

/** What holds rows: a table, or one partition of it. */
export interface Part {
  readonly schema: string;
  readonly name: string;
  /** Whether it can be read by page ranges (a heap). */
  readonly ranged: boolean;
  readonly pages: number;
  /** Heap and TOAST together. */
  readonly bytes: number;
}

export interface Piece {
  readonly part: Part;
  readonly range: PageRange | undefined;
}

/**
 * Pieces of each part in the order of its pages, each of about `pieceBytes` of heap and TOAST. The last one has no end, so that pages
 * which the table has gained meanwhile are in it (rows on them are not in the snapshot, but that is PostgreSQL's to say).
 */
export function pagePieces(parts: readonly Part[], pieceBytes: number): Piece[] {
  return parts.flatMap((part): Piece[] => {
    const count = part.ranged ? Math.min(part.pages, Math.ceil(part.bytes / pieceBytes)) : 1;
    if (count <= 1) return [{ part, range: undefined }];
    const step = Math.ceil(part.pages / count);
    const starts = Array.from({ length: Math.ceil(part.pages / step) }, (_, index) => index * step);
    return starts.map((from, index) => ({
      part,
      range: index === starts.length - 1 ? { from } : { from, to: from + step },
    }));
  });
}
