/** From the last batch's watermark to what this one has to read: as far as the manifest is what it was, and the source says what is new. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { keepsDeleted, type ManifestTable } from "../manifest/manifest.ts";
import { exactType } from "../manifest/warehouse-type.ts";
import type { Since, SourceSnapshot, TablePosition } from "../source/source.ts";

export interface LoadScope {
  /** Undefined: the whole table. */
  readonly since: Since | undefined;
  /** Why the whole table, or a way other than the one that was asked for. */
  readonly why?: string | undefined;
  /** Whether nothing at all has happened in the source since. */
  readonly untouched: boolean;
}

/**
 * @param previous of the last published batch
 * @param seen state of the source in which the table was found to have nothing new since
 */
export function loadScope(
  snapshot: SourceSnapshot,
  table: ManifestTable,
  previous: TablePosition,
  seen: string | undefined,
): LoadScope {
  const { fence } = previous;
  if (fence["shape"] === undefined) {
    return { since: undefined, why: "the last batch noted less than this version needs", untouched: false };
  }
  if (fence["shape"] !== shapeOf(table)) {
    const why = "the manifest names other columns, types or keys than before";
    return { since: undefined, why, untouched: false };
  }
  const { since, why, sameGround } = snapshot.scope(table, previous);
  const { state } = snapshot;
  const sameState = state !== undefined && (fence["snapshot"] === state || seen === state);
  return { since, why, untouched: sameGround && sameState && fence["sync"] === syncOf(table) };
}

/** For the next batch: what the manifest says now. */
export function manifestFence(table: ManifestTable): { readonly shape: string; readonly sync: string } {
  return { shape: shapeOf(table), sync: syncOf(table) };
}

/** For the next batch: by which columns this one has told rows apart. */
export function keyFence({ primaryKey }: ManifestTable): { readonly key: string } {
  return { key: JSON.stringify(primaryKey) };
}

/** Whether the last batch looked for changes and deletes, and dealt with them, as the manifest says now. */
export function isSyncedAs(table: ManifestTable, { fence }: Pick<TablePosition, "fence">): boolean {
  return fence["sync"] === syncOf(table);
}

/** Whether the stage table holds what the manifest says now, as far as the last batch noted it. */
export function isShapedAs(table: ManifestTable, { fence }: Pick<TablePosition, "fence">): boolean {
  return fence["shape"] === undefined || fence["shape"] === shapeOf(table);
}

/** `unknown`: an older version of this program has published the rows, and noted no key; the manifest has changed since. */
export type FormerKey = readonly string[] | "unknown";

/** The primary key by which the rows were published, where it is another now, or in another order. */
export function formerKey(table: ManifestTable, { fence }: Pick<TablePosition, "fence">): FormerKey | undefined {
  const { key, shape } = fence;
  if (key === undefined) return shape === undefined || shape === shapeOf(table) ? undefined : "unknown";
  return key === JSON.stringify(table.primaryKey) ? undefined : keySchema.parse(JSON.parse(key));
}

const keySchema = z.array(z.string());

/** All that a row of the stage table depends on: after a change, rows that are read already have to be read again. */
function shapeOf(table: ManifestTable): string {
  const { schema, sourceSchema, sourceTable, primaryKey, columns } = table;
  return hashOf([
    [schema, sourceSchema, sourceTable],
    primaryKey,
    columns.map(({ name, type, nullable, onMisfit }) => [name, exactType(type), nullable, onMisfit ?? null]),
    // Rows that came back while nobody kept deleted ones are still marked.
    ...(keepsDeleted(table) ? ["keeps deleted rows"] : []),
  ]);
}

/** How changes and deletes are looked for. */
function syncOf({ sync }: ManifestTable): string {
  return hashOf([sync.mode, sync.cursor ?? null, sync.detect ?? null, sync.deletes, sync.deleteCheck ?? null]);
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url");
}
