/** How far a table has been read once a batch is through with it: the fences that the next batch goes on from. */
import { identifier, literal } from "../core/sql.ts";
import { cursorsOf } from "../manifest/manifest.ts";
import { cursorKindOf } from "../manifest/postgres-type.ts";
import { liveColumn, type RunQuery } from "./catalogue.ts";
import { cursorName, detectionOf, uselessCursor, type TableFacts } from "./detection.ts";
import { timeFence, type FirstSeen, type SeenBefore } from "./fence.ts";
import { groundChange, groundFence, nextOf, oldestOf } from "./ground.ts";
import type { Guards } from "./guards.ts";
import { sequenceFence } from "./sequence-fence.ts";
import type { Since, TablePosition } from "./source.ts";

export interface PositionOptions {
  readonly facts: TableFacts;
  readonly guards: Guards;
  readonly previous: TablePosition | undefined;
  /** What the batch reads. */
  readonly since: Since | undefined;
  /** In the snapshot. */
  readonly query: RunQuery;
  /** Hears why a fence stays where it is. */
  readonly stays: (why: string) => void;
}

export async function readPosition(options: PositionOptions): Promise<TablePosition> {
  const { facts, guards, since } = options;
  const { table, ground, server, activity } = facts;
  const { by } = detectionOf(facts);
  // What was known of another ground says nothing of this one.
  const same = options.previous && groundChange(options.previous.fence, server, ground).change !== "all";
  const previous = same ? options.previous : undefined;
  const fence: Record<string, string> = { ...groundFence(server, ground), t0: activity.t0 };
  if (ground.versioned && table.sync.mode !== "full_refresh") {
    // Rows that a cursor did not tell of are not read: for a scan, they still lie before it.
    const version =
      since?.by === "cursor"
        ? previous?.fence["version"]
        : String(guards.version === "oldest" ? oldestOf(server.snapshot) : nextOf(server.snapshot));
    if (version !== undefined) fence["version"] = version;
  }
  if (by !== "cursor") return { cursor: null, cursorColumn: null, fence };
  const known = previous && uselessCursor(facts, previous) === undefined ? previous : undefined;
  const cursor = await readCursor({ ...options, previous: known }, fence);
  return { cursor, cursorColumn: cursorName(table), fence };
}

/** Adds to `fence` what the next batch needs to know of this one. */
async function readCursor(options: PositionOptions, fence: Record<string, string>): Promise<string | null> {
  const { facts, guards, previous, stays } = options;
  const { table, relation, activity, sequence } = facts;
  const behind = previous?.cursor ?? null;
  const { time, unknown, firstSeen } = timeFence(activity, previous && seenBefore(previous), guards.margin);
  if (firstSeen) fence["open"] = JSON.stringify(firstSeen);
  if (unknown !== undefined) stays(unknown);
  const type = liveColumn(relation, cursorsOf(table.sync)[0] ?? "").type;
  switch (cursorKindOf(type)) {
    case "number": {
      if (sequence?.last === undefined) return behind;
      const { settled, pending } = sequenceFence([activity.t0, sequence.last], time, previous?.fence["sequence"]);
      fence["sequence"] = pending;
      if (sequence.file !== undefined) fence["sequence_file"] = sequence.file;
      return settled ?? behind;
    }
    case "instant":
      return time === undefined
        ? behind
        : readHighest(options, { sql: `${literal(time)}::timestamptz`, behind, type: type.name });
    case "local":
    case "day": {
      // The writer's time zone is unknown; nowhere is it earlier than at UTC-12, and what is read twice is merged.
      if (time === undefined) return behind;
      const sql = `((${literal(time)}::timestamptz AT TIME ZONE 'UTC') - interval '12 hours')`;
      return readHighest(options, { sql, behind, type: type.name });
    }
    case undefined:
      return behind;
  }
}

function seenBefore({ fence }: TablePosition): SeenBefore | undefined {
  const { t0, open } = fence;
  if (t0 === undefined) return undefined;
  return { t0, firstSeen: open === undefined ? undefined : (JSON.parse(open) as FirstSeen) };
}

interface TimeBound {
  /** The fence as the cursor's writers would write it. */
  readonly sql: string;
  readonly behind: string | null;
  readonly type: string;
}

/**
 * The highest cursor that is shown, but not beyond the fence: rows may still be written behind the fence by a clock that is not the source's,
 * as long as they lie above what is there.
 *
 * Without parameters, because the portal of a statement that has some stays open until the session's next one, and with it the page where the
 * highest value stands: VACUUM FREEZE, and the autovacuum that prevents wraparound, would wait for the rest of the batch.
 */
async function readHighest(
  { facts, query }: PositionOptions,
  { sql, behind, type }: TimeBound,
): Promise<string | null> {
  const { table, relation } = facts;
  const highest = cursorsOf(table.sync).map((name) => `max(${identifier(name)})`);
  // LEAST and GREATEST pass over NULL, which here is an empty table, a fence before the first row, or the first batch.
  const [row] = await query<{ cursor: string | null }>(
    `SELECT CASE WHEN highest IS NULL OR fence IS NULL THEN previous
        ELSE greatest(least(highest, fence), previous) END::text AS cursor
      FROM (SELECT greatest(${highest.join(", ")}) AS highest FROM ${identifier(relation.schema, relation.name)}) AS shown,
           (SELECT ${sql}::${type} AS fence, ${literal(behind)}::${type} AS previous) AS given`,
  );
  return row?.cursor ?? null;
}
