/** Which rows of a table a batch reads: how its changes are found, and from where on. Pure functions of what the snapshot knows. */
import { cursorsOf, type ManifestTable } from "../manifest/manifest.ts";
import { cursorKindOf } from "../manifest/postgres-type.ts";
import { liveColumn, type Relation } from "./catalogue.ts";
import type { Activity } from "./fence.ts";
import { groundChange, nextOf, type ServerGround, type TableGround } from "./ground.ts";
import { wentBack, type SequenceFacts } from "./sequence-fence.ts";
import type { ReadScope, Since, TablePosition } from "./source.ts";

export interface TableFacts {
  readonly table: ManifestTable;
  readonly relation: Relation;
  readonly ground: TableGround;
  readonly server: ServerGround;
  readonly activity: Activity;
  /** Whether there is an index for each cursor that begins with it. */
  readonly indexed: boolean;
  /** Of a cursor that counts. */
  readonly sequence?: SequenceFacts | undefined;
}

/**
 * From here on an index on the cursor is worth what a scan finds and a cursor does not. A scan of as many rows, or of as many bytes, takes one
 * reader less than half a second while they are in memory (5 M narrow rows: 1 s), which is little beside opening a batch and publishing it.
 */
export const LARGE = { rows: 2_000_000, bytes: 500e6 };

export const isLarge = ({ rows, bytes }: { readonly rows: number; readonly bytes: number }): boolean =>
  rows > LARGE.rows || bytes > LARGE.bytes;

/** Transactions are told apart over half a circle of 2^31; the rest is for those that come while the batch reads. */
export const OLDEST_VERSION = 2_000_000_000n;

export interface Detection {
  /** `none`: changes cannot be told from the rest, so everything is read each time. */
  readonly by: "cursor" | "version" | "none";
  /** Why not in the way that the manifest asks for. */
  readonly why?: string | undefined;
}

export function detectionOf(facts: TableFacts): Detection {
  const { table, ground, indexed, activity } = facts;
  const { mode, detect } = table.sync;
  if (mode === "full_refresh") return { by: "none" };
  const unfit = unfitCursor(facts);
  const wanted = detect ?? (indexed && isLarge(ground) && !activity.standby ? "cursor" : "scan");
  const why = detect === "cursor" ? unfit : undefined;
  if (wanted === "cursor" && unfit === undefined) return { by: "cursor" };
  if (ground.versioned) return { by: "version", why };
  if (unfit === undefined) return { by: "cursor" };
  return { by: "none", why: `it has no row versions to scan for, and ${unfit}` };
}

/** Why no fence can be had for the cursor; undefined if it can. */
function unfitCursor({ table, relation, sequence }: TableFacts): string | undefined {
  const [first] = cursorsOf(table.sync);
  if (first === undefined) return "it has no cursor";
  const kind = cursorKindOf(liveColumn(relation, first).type);
  if (kind === undefined) return `"${first}" is no timestamp, date or integer`;
  if (kind !== "number") return undefined;
  if (cursorsOf(table.sync).length > 1) return "of several numbers none tells what is new";
  return sequence ? sequence.unfit : `"${first}" has no sequence of its own`;
}

/** What the cursor's value is a value of, as the position notes it. */
export function cursorName({ sync }: ManifestTable): string | null {
  const names = cursorsOf(sync);
  return names.length > 1 ? JSON.stringify(names) : (names[0] ?? null);
}

/** From where on the batch reads. */
export function scopeOf(facts: TableFacts, previous: TablePosition): ReadScope {
  const { server, ground, table } = facts;
  const change = groundChange(previous.fence, server, ground);
  const sameGround = change.change === "none" && ground.durable && server.server !== undefined;
  const { by, why } = detectionOf(facts);
  if (by === "none") return { since: undefined, why, sameGround };
  if (change.change === "all") return { since: undefined, why: change.why, sameGround };
  const parts = change.change === "parts" && change.parts.length > 0 ? { parts: change.parts } : {};
  const cursor = by === "cursor" ? cursorSince(facts, previous) : { why: undefined };
  if ("since" in cursor) return { since: { ...cursor.since, ...parts }, sameGround };
  const version = ground.versioned ? versionSince(facts, previous) : { why: cursor.why };
  if ("since" in version) return { since: { ...version.since, ...parts }, why: why ?? cursor.why, sameGround };
  return {
    since: undefined,
    why: cursor.why ?? version.why ?? `nothing is known of how far ${table.name} was read`,
    sameGround,
  };
}

type Found = { readonly since: Since } | { readonly why: string | undefined };

function versionSince({ server }: TableFacts, { fence }: TablePosition): Found {
  const from = fence["version"];
  if (from === undefined) return { why: "the last batch left no fence of row versions" };
  if (nextOf(server.snapshot) - BigInt(from) >= OLDEST_VERSION) {
    return {
      why: "since it was last read so, too many transactions have passed to tell old row versions from new ones",
    };
  }
  return { since: { by: "version", from } };
}

function cursorSince(facts: TableFacts, previous: TablePosition): Found {
  const useless = uselessCursor(facts, previous);
  if (useless !== undefined) return { why: useless };
  // Without a fence so far there is nothing to explain: it takes a batch or two to get one.
  return previous.cursor === null ? { why: undefined } : { since: { by: "cursor", from: previous.cursor } };
}

/** Why the cursor of the last batch is none for this one, neither to read from nor to hold on to. */
export function uselessCursor({ table, activity, sequence }: TableFacts, previous: TablePosition): string | undefined {
  const { cursor, cursorColumn, fence } = previous;
  if (cursorColumn !== cursorName(table)) return "the last batch did not read by this cursor";
  const before = fence["t0"];
  if (before === undefined || activity.t0 < before) return "the source's clock fell behind";
  const pending = fence["sequence"];
  if (sequence && wentBack(sequence, { cursor, pending, file: fence["sequence_file"] }))
    return "the sequence of its cursor was set back";
  return undefined;
}
