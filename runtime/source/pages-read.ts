/**
 * Which pages of a table a load has read, and at which snapshot, so that another load can go on from there: of a page that was read only row
 * versions are wanted that its snapshot may not have shown. A row version never moves within its file, and no older one appears later.
 */
import { z } from "zod";
import type { PageRange } from "./extract-sql.ts";

/** Pages of one file of PostgreSQL, all rows of which were read that the snapshot showed. */
export interface PagesRead extends PageRange {
  /** OID of what holds the rows: the table, or a partition. */
  readonly part: number;
  /** Its file, as TableGround has it: TRUNCATE and whatever writes a table anew give it another one. */
  readonly file: string;
  /** The oldest transaction that was running at the snapshot (xid8): versions from there on it may not have shown. */
  readonly version: string;
}

/** Pages of one part; undefined `version`: never read. */
export interface Segment extends PageRange {
  readonly version: string | undefined;
}

const page = z.int().min(0);
const digits = z.string().regex(/^\d+$/);
const notesSchema = z.array(
  z.object({ part: page, file: z.string(), from: page, to: page.optional(), version: digits }),
);

/** For `readNotes` of a later load. */
export const noteOf = (read: readonly PagesRead[]): string => JSON.stringify(joined(read));

/** @throws ZodError or SyntaxError for what `noteOf` has not written */
export function readNotes(notes: readonly string[]): PagesRead[] {
  return notes.flatMap((note) => notesSchema.parse(JSON.parse(note)));
}

/** Ranges that follow on each other are one, which keeps the note short. */
function joined(read: readonly PagesRead[]): PagesRead[] {
  const result: PagesRead[] = [];
  for (const next of read.toSorted((a, b) => a.part - b.part || a.from - b.from)) {
    const last = result.at(-1);
    const follows = last?.part === next.part && last.file === next.file && last.version === next.version;
    if (!follows || last.to !== next.from) result.push(next);
    else result[result.length - 1] = { ...last, to: next.to };
  }
  return result;
}

/**
 * All pages of a part, each once and in order; the last segment has no end. Of what was read several times the latest counts.
 *
 * @param read of this part and file alone
 */
export function segmentsOf(read: readonly PagesRead[]): Segment[] {
  const changes = read.flatMap(({ from, to, version }) => {
    const begins = { page: from, version, by: 1 };
    return to === undefined ? [begins] : [begins, { page: to, version, by: -1 }];
  });
  const byPage = Map.groupBy(
    changes.toSorted((a, b) => a.page - b.page),
    ({ page: at }) => at,
  );
  const segments: Segment[] = [];
  /** How many ranges the page is in, by version. Those of one load are few, however many ranges it has. */
  const here = new Map<string, number>();
  let from = 0;
  for (const [at, there] of byPage) {
    push(segments, { from, to: at, version: latest(here) });
    from = at;
    for (const { version, by } of there) here.set(version, (here.get(version) ?? 0) + by);
  }
  push(segments, { from, version: latest(here) });
  return segments;
}

function push(segments: Segment[], next: Segment): void {
  if (next.from === next.to) return;
  const last = segments.at(-1);
  if (last && last.version === next.version) segments[segments.length - 1] = { ...last, to: next.to };
  else segments.push(next);
}

function latest(here: ReadonlyMap<string, number>): string | undefined {
  let found: string | undefined;
  for (const [version, ranges] of here) {
    if (ranges > 0 && (found === undefined || BigInt(version) > BigInt(found))) found = version;
  }
  return found;
}
