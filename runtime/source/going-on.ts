/** Whether a load of a whole table can go on with what a load from an earlier snapshot has read. Pure functions of what the snapshot knows. */
import { OLDEST_VERSION, type TableFacts } from "./detection.ts";
import { groundChange, nextOf, type TableGround } from "./ground.ts";
import { readNotes, type PagesRead } from "./pages-read.ts";
import type { EarlierLoad } from "./source.ts";

/** A table that is not logged is emptied by a crash, and one of another kind has no row versions. */
export function canGoOn({ server, ground }: TableFacts): boolean {
  return ground.versioned && ground.durable && server.server !== undefined;
}

/** Of parts that were truncated or rewritten since, `usable` says more. */
export function whyNotOn(facts: TableFacts, { fence, notes }: EarlierLoad): string | undefined {
  if (!canGoOn(facts)) return "its rows have no versions to go on by";
  try {
    readNotes(notes);
  } catch {
    return "another version of this program has noted what it read";
  }
  const change = groundChange(fence, facts.server, facts.ground);
  return change.change === "all" ? change.why : undefined;
}

/** Of what was read, that which still tells something: of files that are still there, and at snapshots from which row versions can be told apart. */
export function usable(notes: readonly string[], ground: TableGround, snapshot: string): PagesRead[] {
  const next = nextOf(snapshot);
  return readNotes(notes).filter(
    ({ part, file, version }) => ground.parts.get(part) === file && next - BigInt(version) < OLDEST_VERSION,
  );
}
