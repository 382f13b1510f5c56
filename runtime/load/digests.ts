/** Finds out on the source's side that a table has nothing new: its digest now against the one that the last batch left in the watermark. */
import { createHash } from "node:crypto";
import { secondsBetween, type Clock } from "../core/clock.ts";
import { keepsDeleted, type ManifestTable } from "../manifest/manifest.ts";
import type { Since, SourceSnapshot, TableDigest } from "../source/source.ts";
import type { Watermark } from "../warehouse/warehouse.ts";
import { planTable } from "./plan.ts";
import { manifestFence } from "./scope.ts";

/** A change of what is digested, or how, makes every digest that is kept worthless. */
const METHOD = 2;

interface Taken {
  readonly since: string;
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

  /** Of what a batch reads that has to read `wanted`. */
  async take(table: ManifestTable, wanted: Since | undefined, signal: AbortSignal): Promise<TableDigest> {
    const plan = planTable(table, wanted);
    const since = nameOf(plan.since);
    const earlier = this.#taken.get(table.name);
    if (earlier?.since === since) return earlier.digest;
    const startedAt = this.#clock.now();
    const keys = plan.keys === "all-keys";
    // The keys of all rows are the same, wherever the rows are read from.
    const known = keys ? earlier?.digest.keys : undefined;
    const taken = await this.#snapshot.digest({ table, since: plan.since, keys: keys && !known, signal });
    const digest = known ? { ...taken, keys: known } : taken;
    this.#taken.set(table.name, { since, digest, seconds: secondsBetween(startedAt, this.#clock.now()) });
    return digest;
  }

  /** Whether `take` gives an answer at once. */
  has(table: ManifestTable, wanted: Since | undefined): boolean {
    return this.#taken.get(table.name)?.since === nameOf(planTable(table, wanted).since);
  }

  /** How long the table's last digest took. */
  seconds(table: ManifestTable): number {
    return this.#taken.get(table.name)?.seconds ?? 0;
  }
}

const nameOf = (since: Since | undefined): string => JSON.stringify(since ?? null);

/** For the watermark: the digest, and what it was taken with. @param since what the next batch will read */
export function digestFence(
  table: ManifestTable,
  since: Since | undefined,
  digest: TableDigest,
): { readonly digest: string; readonly digestOf: string } {
  return { digest: textOf(digest), digestOf: methodOf(table, since) };
}

/** Whether a digest of what is to be read now can be compared with the watermark's: it has one, and that is of the same. */
export function isComparable(table: ManifestTable, watermark: Watermark, since: Since | undefined): boolean {
  return watermark.fence["digest"] !== undefined && watermark.fence["digestOf"] === methodOf(table, since);
}

/** @param watermark that `isComparable` */
export function isUnchanged(watermark: Watermark, digest: TableDigest): boolean {
  return watermark.fence["digest"] === textOf(digest);
}

/** Rows of the stage table after a batch that found nothing new, where it mirrors what the watermark's digest has counted. */
export function rowsMirrored(table: ManifestTable, { fence }: Watermark, since: Since | undefined): number | undefined {
  // Rows that the source has deleted are there as well.
  if (keepsDeleted(table)) return undefined;
  const counts = /^(?<rows>\d+) rows -?\d+(?:, (?<keys>\d+) keys )?/.exec(fence["digest"] ?? "")?.groups;
  if (!counts) return undefined;
  const { action, keys } = planTable(table, since);
  if (keys === "all-keys") return counts["keys"] === undefined ? undefined : Number(counts["keys"]);
  return keys === "rows" || action === "replace" ? Number(counts["rows"]) : undefined;
}

/** `14 rows 8123…, 62000 keys -55…` */
function textOf({ rows, keys }: TableDigest): string {
  const text = `${rows.count} rows ${rows.hash}`;
  return keys ? `${text}, ${keys.count} keys ${keys.hash}` : text;
}

function methodOf(table: ManifestTable, since: Since | undefined): string {
  const method = [METHOD, manifestFence(table), nameOf(planTable(table, since).since)];
  return createHash("sha256").update(JSON.stringify(method)).digest("base64url");
}
