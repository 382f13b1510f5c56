/**
 * How far a number may be trusted that a sequence gives: a transaction that is open may have drawn a low one and show it later. All numbers up
 * to the one that a batch saw as the last were drawn before that batch's clock; once every transaction that began before that clock has ended,
 * none of them can appear any more.
 *
 * That needs a sequence of the column's own that ascends, does not begin anew, and is drawn from by the inserting transaction, number by number:
 * with CACHE above 1, a session holds numbers back and uses them later.
 */
import { z } from "zod";
import { identifier } from "../core/sql.ts";
import type { RunQuery } from "./catalogue.ts";
import { sqlFile } from "./sql-file.ts";

const SEQUENCES = sqlFile("sequences");

export interface SequenceFacts {
  /** The last number that was drawn, before the clock was read. */
  readonly last?: string | undefined;
  /** Changes when the sequence begins anew. */
  readonly file?: string | undefined;
  /** Why its numbers say nothing. */
  readonly unfit?: string | undefined;
}

interface SequenceRow {
  relation: number;
  ascending: boolean;
  uncached: boolean;
  endless: boolean;
  file: string;
  last: string | null;
}

/** By OID of the table. To be read in autocommit, before the clock. */
export async function readSequences(
  query: RunQuery,
  wanted: readonly { readonly relation: number; readonly column: string }[],
): Promise<ReadonlyMap<number, SequenceFacts>> {
  if (wanted.length === 0) return new Map();
  const rows = await query<SequenceRow>(SEQUENCES, [JSON.stringify(wanted)]);
  return new Map(
    wanted.map(({ relation, column }) => {
      const found = rows.filter((row) => row.relation === relation);
      return [relation, found.length === 1 && found[0] ? factsOf(found[0], column) : { unfit: noSequence(column) }];
    }),
  );
}

const noSequence = (column: string): string => `${identifier(column)} has no sequence of its own`;

function factsOf({ ascending, uncached, endless, file, last }: SequenceRow, column: string): SequenceFacts {
  const unfit = (what: string): SequenceFacts => ({ unfit: `the sequence of ${identifier(column)} ${what}` });
  if (!ascending) return unfit("descends");
  if (!uncached) return unfit("has a CACHE above 1, so sessions hold lower numbers back");
  if (!endless) return unfit("begins anew at its end (CYCLE)");
  return last === null ? unfit("has given no number yet, or may not be read (GRANT SELECT on it)") : { last, file };
}

/**
 * A sequence that began anew between the fences and the snapshot gives its low numbers to rows that the snapshot does not show: what was drawn
 * before says nothing of them.
 *
 * @param early before the clock was read @param late behind the locks of the snapshot
 */
export function stillCounting(
  early: ReadonlyMap<number, SequenceFacts>,
  late: ReadonlyMap<number, SequenceFacts>,
): ReadonlyMap<number, SequenceFacts> {
  return new Map(
    [...early].map(([relation, before]): [number, SequenceFacts] => {
      const after = late.get(relation) ?? { unfit: "its sequence is gone" };
      if (before.last === undefined) return [relation, before];
      if (after.last === undefined) return [relation, after];
      const counts = after.file === before.file && BigInt(after.last) >= BigInt(before.last);
      return [relation, counts ? before : { unfit: "its sequence was set back while the batch began" }];
    }),
  );
}

/** Of one batch: its clock, and the last number before it. */
export type Drawn = readonly [clock: string, last: string];

const drawn = z.array(z.tuple([z.string(), z.string()]));

/** Enough for a transaction that stays open over so many batches; what is left out in between only costs reading. */
const KEPT = 16;

export interface SequenceFence {
  /** No number up to this one can appear any more; undefined if none of the batches that are known of is settled. */
  readonly settled: string | undefined;
  /** Text of those that are not, for the next batch. */
  readonly pending: string;
}

/**
 * @param time no transaction that the snapshot does not show began before it; undefined if that is unknown
 * @param pending of the last batch
 */
export function sequenceFence(now: Drawn, time: string | undefined, pending: string | undefined): SequenceFence {
  const all = [...readPending(pending), now];
  const settled = time === undefined ? [] : all.filter(([clock]) => clock <= time);
  const rest = all.slice(settled.length);
  const kept = rest.length <= KEPT ? rest : [...rest.slice(0, KEPT - 1), now];
  return { settled: settled.at(-1)?.[1], pending: JSON.stringify(kept) };
}

/** Whether it began anew, or gave a higher number before: numbers that were behind the fence can come again. */
export function wentBack(
  { last, file }: SequenceFacts,
  { cursor, pending, file: before }: { cursor: string | null; pending: string | undefined; file: string | undefined },
): boolean {
  // Older versions noted no file.
  if (before !== undefined && file !== undefined && file !== before) return true;
  const highest = readPending(pending).at(-1)?.[1] ?? cursor;
  return last !== undefined && highest !== null && BigInt(last) < BigInt(highest);
}

function readPending(text: string | undefined): readonly Drawn[] {
  return text === undefined ? [] : drawn.parse(JSON.parse(text));
}
