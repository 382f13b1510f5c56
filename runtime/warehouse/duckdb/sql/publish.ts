/** The statements of the publishing transaction for one table. */
import { identifier, literal } from "../../../core/sql.ts";
import type { KeySelection } from "../../../manifest/fingerprint.ts";
import {
  BATCH_ID,
  columnOf,
  DELETED_AT,
  keepsDeleted,
  SYNCED_AT,
  type ManifestTable,
} from "../../../manifest/manifest.ts";
import type { WarehouseType } from "../../../manifest/warehouse-type.ts";
import type { PublishedBatch } from "../../warehouse.ts";
import { inBuckets } from "./fingerprint.ts";
import { DELETED_KEYS, stageTable } from "./names.ts";

type BatchOf = Pick<PublishedBatch, "id" | "snapshot">;

export function countStage(table: ManifestTable): string {
  return `SELECT count(*) FROM ${stageTable(table)}`;
}

export function deleteAll(table: ManifestTable): string {
  return `DELETE FROM ${stageTable(table)}`;
}

export function insertAll(table: ManifestTable, incoming: string, batch: BatchOf): string {
  const columns = table.columns.map(({ name }) => identifier(name));
  const names = [...columns, identifier(SYNCED_AT), identifier(BATCH_ID)];
  return `INSERT INTO ${stageTable(table)} (${names.join(", ")}) SELECT ${[...columns, ...added(batch)].join(", ")} FROM ${incoming}`;
}

/**
 * Takes out the stage rows that the incoming ones change; `insertMissing` puts the new ones in. Rows that are equal already stay as they are,
 * so that `_batch_id` tells what really changed.
 *
 * Not MERGE or UPDATE, whose new values DuckDB holds in memory until the commit, and cannot move to disk: 200,000 changed rows of 40 texts did
 * not fit into 512 MB; as deleted and inserted rows they fit into 256.
 *
 * @returns undefined where nothing but the key could change
 */
export function deleteChanged(table: ManifestTable, incoming: string): string | undefined {
  const change = changed(table);
  if (change === undefined) return undefined;
  return `DELETE FROM ${stageTable(table)} AS s USING ${incoming} AS i WHERE ${sameKey(table, "s", "i")} AND (${change})`;
}

/** A row that was deleted softly and has come back has changed, too. */
function changed(table: ManifestTable): string | undefined {
  const others = table.columns.filter(({ name }) => !table.primaryKey.includes(name));
  const conditions = [
    ...others.map(({ name }) => `s.${identifier(name)} IS DISTINCT FROM i.${identifier(name)}`),
    ...(keepsDeleted(table) ? [`s.${identifier(DELETED_AT)} IS NOT NULL`] : []),
  ];
  return conditions.length === 0 ? undefined : conditions.join(" OR ");
}

/**
 * The incoming rows whose key the stage table does not have. The keys that it has are looked up first, because a plain NOT EXISTS makes DuckDB
 * build its hash table from the stage table: 160 MB for 5 M rows, to find out about one.
 */
export function insertMissing(table: ManifestTable, incoming: string, batch: BatchOf): string {
  return `${insertAll(table, incoming, batch)} AS i WHERE ${missing(table, incoming)}`;
}

function missing(table: ManifestTable, incoming: string): string {
  const key = table.primaryKey.map((name) => `j.${identifier(name)}`).join(", ");
  const there = `SELECT ${key} FROM ${incoming} AS j JOIN ${stageTable(table)} AS s ON ${sameKey(table, "s", "j")}`;
  return `NOT EXISTS (SELECT 1 FROM (${there}) AS t WHERE ${sameKey(table, "t", "i")})`;
}

/** A temporary table of the publishing session. */
const KEPT = identifier("novadrive_kept");
export const DROP_KEPT = `DROP TABLE IF EXISTS ${KEPT}`;

/** What rows that are about to change hold in columns that the manifest does not have (any more), by key. */
export function keepLeft(table: ManifestTable, incoming: string, left: readonly string[]): string | undefined {
  const change = changed(table);
  if (change === undefined) return undefined;
  const columns = [...table.primaryKey, ...left].map((name) => `s.${identifier(name)}`);
  const key = columns.slice(0, table.primaryKey.length).join(", ");
  const any = left.map((name) => `s.${identifier(name)} IS NOT NULL`).join(" OR ");
  return `CREATE TEMP TABLE ${KEPT} AS SELECT DISTINCT ON (${key}) ${columns.join(", ")} FROM ${stageTable(table)} AS s JOIN ${incoming} AS i ON ${sameKey(table, "s", "i")} WHERE (${change}) AND (${any})`;
}

/** `insertMissing`, with what `keepLeft` has kept. */
export function insertMissingWithLeft(
  table: ManifestTable,
  incoming: string,
  batch: BatchOf,
  left: readonly string[],
): string {
  const names = [...table.columns.map(({ name }) => name), SYNCED_AT, BATCH_ID, ...left].map((name) =>
    identifier(name),
  );
  const values = [
    ...table.columns.map(({ name }) => `i.${identifier(name)}`),
    ...added(batch),
    ...left.map((name) => `k.${identifier(name)}`),
  ];
  return `INSERT INTO ${stageTable(table)} (${names.join(", ")}) SELECT ${values.join(", ")} FROM ${incoming} AS i LEFT JOIN ${KEPT} AS k ON ${sameKey(table, "k", "i")} WHERE ${missing(table, incoming)}`;
}

/** One of several equal parts that the keys are divided into by their hash; undefined stands for all of them. */
export interface KeyPart {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

export interface Vanished {
  readonly table: ManifestTable;
  /** The incoming keys. */
  readonly keys: string;
  /** Only stage rows of these buckets. */
  readonly within?: KeySelection | undefined;
  readonly part?: KeyPart | undefined;
  readonly batch: BatchOf;
}

/** Stage rows whose key the source no longer has, as rows of `pipeline.deleted_keys`. */
export function recordVanished(request: Vanished): string {
  const { table, batch } = request;
  const key = table.primaryKey.map((name) => keyValue(`s.${identifier(name)}`, columnOf(table, name).type));
  return [
    `INSERT INTO ${DELETED_KEYS} (batch_id, table_name, key)`,
    `SELECT ${literal(batch.id)}, ${literal(table.name)}, CAST(json_array(${key.join(", ")}) AS VARCHAR)`,
    `FROM ${stageTable(table)} AS s WHERE ${vanished(request)}`,
  ].join(" ");
}

export function deleteVanished(request: Vanished): string {
  return `DELETE FROM ${stageTable(request.table)} AS s WHERE ${vanished(request)}`;
}

/** The rows stay, as of this batch. */
export function markVanished(request: Vanished): string {
  const [syncedAt, batchId] = added(request.batch);
  const values = [`${identifier(DELETED_AT)} = ${syncedAt}`, `${identifier(SYNCED_AT)} = ${syncedAt}`];
  return `UPDATE ${stageTable(request.table)} AS s SET ${[...values, `${identifier(BATCH_ID)} = ${batchId}`].join(", ")} WHERE ${vanished(request)}`;
}

function vanished({ table, keys, within, part }: Vanished): string {
  const among = (alias: string) =>
    part
      ? `hash(${table.primaryKey.map((name) => `${alias}.${identifier(name)}`).join(", ")}) % ${part.of} = ${part.index}`
      : undefined;
  const there = [sameKey(table, "s", "k"), among("k")].filter((condition) => condition !== undefined).join(" AND ");
  const absent = `NOT EXISTS (SELECT 1 FROM ${keys} AS k WHERE ${there})`;
  const here = [
    within && inBuckets(table, within),
    keepsDeleted(table) ? `s.${identifier(DELETED_AT)} IS NULL` : undefined,
    among("s"),
    absent,
  ];
  return here.filter((condition) => condition !== undefined).join(" AND ");
}

function sameKey({ primaryKey }: ManifestTable, left: string, right: string): string {
  return primaryKey.map((name) => `${left}.${identifier(name)} = ${right}.${identifier(name)}`).join(" AND ");
}

function added({ id, snapshot }: BatchOf): readonly [syncedAt: string, batchId: string] {
  return [`CAST(${literal(snapshot)} AS TIMESTAMPTZ)`, literal(id)];
}

/** JSON has numbers, but DuckDB would write a decimal as a float: only whole numbers of 64 bits go in as numbers. */
function keyValue(column: string, type: WarehouseType): string {
  switch (type.kind) {
    case "number":
      return type.precision === 38 && type.scale === 0 ? column : `CAST(${column} AS VARCHAR)`;
    case "timestamp_ltz":
    case "timestamp_tz":
      return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%f+00')`;
    case "timestamp_ntz":
      return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%f')`;
    case "binary":
      return `lower(hex(${column}))`;
    case "varchar":
    case "float":
    case "boolean":
    case "date":
    case "variant":
    case "time":
      return `CAST(${column} AS VARCHAR)`;
  }
}
