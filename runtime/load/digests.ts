/** Finds out on the source's side that a table has nothing new: its digest now against the one that the last batch left in the watermark. */
import { createHash } from "node:crypto";
import { secondsBetween, type Clock } from "../core/clock.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import { exactType } from "../manifest/warehouse-type.ts";
import type { SourceSnapshot, TableDigest } from "../source/source.ts";
import type { Watermark } from "../warehouse/warehouse.ts";
import { planTable } from "./plan.ts";
import type { TablePlan } from "./table-plan.ts";

/** A change of what is digested, or how, makes every digest that is kept worthless. */
const METHOD = 1;

interface Taken {
  readonly since: string | undefined;
  readonly digest: TableDigest;
  readonly seconds: number;
}

/** Digests of one snapshot's tables; what was taken once is not taken again. */
export class Digests {
  readonly #snapshot: SourceSnapshot;
  readonly #clock: Clock;
  readonly #taken = new Map<string, Taken>();

  constructor(snapshot: SourceSnapshot, clock: Clock) {
    this.#snapshot = snapshot;
    this.#clock = clock;
  }

  /** Of what a batch reads that goes on from `cursor`. */
  async take(table: ManifestTable, cursor: string | null, signal: AbortSignal): Promise<TableDigest> {
    const { since, keys } = planFrom(table, cursor);
    const earlier = this.#taken.get(table.name);
    if (earlier?.since === since && earlier !== undefined) return earlier.digest;
    const startedAt = this.#clock.now();
    const wanted = keys === "all-keys";
    // The keys of all rows are the same, wherever the rows are read from.
    const known = wanted ? earlier?.digest.keys : undefined;
    const taken = await this.#snapshot.digest({ table, since, keys: wanted && !known, signal });
    const digest = known ? { ...taken, keys: known } : taken;
    this.#taken.set(table.name, { since, digest, seconds: secondsBetween(startedAt, this.#clock.now()) });
    return digest;
  }

  /** Whether `take` gives an answer at once. */
  has(table: ManifestTable, cursor: string | null): boolean {
    const earlier = this.#taken.get(table.name);
    return earlier !== undefined && earlier.since === planFrom(table, cursor).since;
  }

  /** How long the table's last digest took. */
  seconds(table: ManifestTable): number {
    return this.#taken.get(table.name)?.seconds ?? 0;
  }
}

/** What the next batch will do that goes on from `cursor`: the digest covers just what it reads. */
function planFrom(table: ManifestTable, cursor: string | null): TablePlan {
  return planTable(table, { batchId: 0, cursor, cursorColumn: table.sync.cursor ?? null, fence: {} }, false);
}

/** For the watermark: the digest, and what it was taken with. */
export function fenceOf(table: ManifestTable, digest: TableDigest): Watermark["fence"] {
  return { digest: textOf(digest), digestOf: shapeOf(table) };
}

/** Whether a later digest of the table can be compared with the watermark's: there is one, and the manifest has not changed since. */
export function isComparable(table: ManifestTable, watermark: Watermark | undefined): watermark is Watermark {
  return watermark?.fence["digest"] !== undefined && watermark.fence["digestOf"] === shapeOf(table);
}

/** @param watermark that `isComparable`, and from whose cursor the digest was taken */
export function isUnchanged(watermark: Watermark, digest: TableDigest): boolean {
  return watermark.fence["digest"] === textOf(digest);
}

/** Rows of the stage table after a batch that found nothing new, where it mirrors what was counted. */
export function rowsMirrored(table: ManifestTable, cursor: string | null, digest: TableDigest): number | undefined {
  const { action, keys } = planFrom(table, cursor);
  if (keys === "all-keys") return digest.keys?.count;
  return keys === "rows" || action === "replace" ? digest.rows.count : undefined;
}

/** `14 rows 8123…, 62000 keys -55…` */
function textOf({ rows, keys }: TableDigest): string {
  const text = `${rows.count} rows ${rows.hash}`;
  return keys ? `${text}, ${keys.count} keys ${keys.hash}` : text;
}

function shapeOf({ schema, sourceSchema, sourceTable, primaryKey, sync, columns }: ManifestTable): string {
  const shape = [
    METHOD,
    [schema, sourceSchema, sourceTable, sync.mode, sync.cursor ?? null, sync.deletes],
    primaryKey,
    columns.map(({ name, type, nullable, onMisfit }) => [
      name,
      exactType(type),
      nullable,
      ...(onMisfit ? [onMisfit] : []),
    ]),
  ];
  return createHash("sha256").update(JSON.stringify(shape)).digest("base64url");
}
