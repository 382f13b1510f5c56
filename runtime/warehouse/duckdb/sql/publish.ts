/** The statements of the publishing transaction for one table. */
import { identifier, literal } from "../../../core/sql.ts";
import { BATCH_ID, columnOf, SYNCED_AT, type ManifestTable } from "../../../manifest/manifest.ts";
import type { WarehouseType } from "../../../manifest/warehouse-type.ts";
import type { PublishedBatch } from "../../warehouse.ts";
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

/** Rows that are equal already stay as they are, so that `_batch_id` tells what really changed. */
export function mergeRows(table: ManifestTable, incoming: string, batch: BatchOf): string {
  const columns = table.columns.map(({ name }) => identifier(name));
  const others = table.columns
    .filter(({ name }) => !table.primaryKey.includes(name))
    .map(({ name }) => identifier(name));
  const names = [...columns, identifier(SYNCED_AT), identifier(BATCH_ID)];
  const [syncedAt, batchId] = added(batch);
  const update =
    others.length === 0
      ? []
      : [
          `WHEN MATCHED AND (${others.map((name) => `s.${name} IS DISTINCT FROM i.${name}`).join(" OR ")})`,
          `THEN UPDATE SET ${[...others.map((name) => `${name} = i.${name}`), `${identifier(SYNCED_AT)} = ${syncedAt}`, `${identifier(BATCH_ID)} = ${batchId}`].join(", ")}`,
        ];
  return [
    `MERGE INTO ${stageTable(table)} AS s USING ${incoming} AS i ON ${sameKey(table, "s", "i")}`,
    ...update,
    `WHEN NOT MATCHED THEN INSERT (${names.join(", ")}) VALUES (${[...columns.map((name) => `i.${name}`), ...added(batch)].join(", ")})`,
  ].join(" ");
}

/** Stage rows whose key the source no longer has, as rows of `pipeline.deleted_keys`. */
export function recordVanished(table: ManifestTable, keys: string, batchId: number): string {
  const key = table.primaryKey.map((name) => keyValue(`s.${identifier(name)}`, columnOf(table, name).type));
  return [
    `INSERT INTO ${DELETED_KEYS} (batch_id, table_name, key)`,
    `SELECT ${literal(batchId)}, ${literal(table.name)}, CAST(json_array(${key.join(", ")}) AS VARCHAR)`,
    `FROM ${stageTable(table)} AS s WHERE ${vanished(table, keys)}`,
  ].join(" ");
}

export function deleteVanished(table: ManifestTable, keys: string): string {
  return `DELETE FROM ${stageTable(table)} AS s WHERE ${vanished(table, keys)}`;
}

function vanished(table: ManifestTable, keys: string): string {
  return `NOT EXISTS (SELECT 1 FROM ${keys} AS k WHERE ${sameKey(table, "s", "k")})`;
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
