/** The statements of the publishing transaction for the stage tables. */
import type { KeySelection } from "../../../manifest/fingerprint.ts";
import {
  BATCH_ID,
  columnOf,
  DELETED_AT,
  keepsDeleted,
  SYNCED_AT,
  type ManifestColumn,
  type ManifestTable,
} from "../../../manifest/manifest.ts";
import type { WarehouseType } from "../../../manifest/warehouse-type.ts";
import type { PublishedBatch } from "../../warehouse.ts";
import type { Statement } from "../statement.ts";
import { inBuckets } from "./fingerprint.ts";
import { convertedColumn } from "./incoming.ts";
import { DELETED_KEYS, name, stageTable, value } from "./names.ts";
import { guarded, instant } from "./pipeline.ts";

type BatchOf = Pick<PublishedBatch, "id" | "snapshot">;

const metered = (table: ManifestTable, sql: string): Statement => ({
  sql,
  step: "publish",
  subject: table.name,
  metered: true,
});

/** Not TRUNCATE, which does not say how many rows there were. */
export function deleteAll(table: ManifestTable, batchId: number): Statement {
  return metered(table, `DELETE FROM ${stageTable(table)} WHERE ${guarded(batchId)}`);
}

export function insertAll(table: ManifestTable, incoming: string, batch: BatchOf): Statement {
  const names = [...table.columns.map((column) => name(column.name)), name(SYNCED_AT), name(BATCH_ID)];
  const values = [...table.columns.map(convertedColumn), instant(batch.snapshot), value(batch.id)];
  return metered(
    table,
    `INSERT INTO ${stageTable(table)} (${names.join(", ")}) SELECT ${values.join(", ")} FROM ${incoming} WHERE ${guarded(batch.id)}`,
  );
}

/**
 * Rows that are equal already stay as they are, so that `_batch_id` tells what really changed.
 * https://docs.snowflake.com/en/sql-reference/sql/merge; two incoming rows of one key are an error there, but were found before.
 */
export function mergeRows(table: ManifestTable, incoming: string, batch: BatchOf): Statement {
  const columns = table.columns.map((column) => name(column.name));
  const others = table.columns.filter((column) => !table.primaryKey.includes(column.name));
  const selected = table.columns.map((column) => aliased(column));
  const added = [name(SYNCED_AT), name(BATCH_ID)];
  const stamps = [instant(batch.snapshot), value(batch.id)];
  const returns = keepsDeleted(table) ? [`S.${name(DELETED_AT)} IS NOT NULL`] : [];
  const changed = [...others.map((column) => differs(column)), ...returns];
  const update =
    changed.length === 0
      ? []
      : [
          `WHEN MATCHED AND (${changed.join(" OR ")})`,
          `THEN UPDATE SET ${[
            ...others.map((column) => `${name(column.name)} = I.${name(column.name)}`),
            ...returns.map(() => `${name(DELETED_AT)} = NULL`),
            ...added.map((column, index) => `${column} = ${stamps[index]}`),
          ].join(", ")}`,
        ];
  return metered(
    table,
    [
      `MERGE INTO ${stageTable(table)} AS S USING (SELECT ${selected.join(", ")} FROM ${incoming} WHERE ${guarded(batch.id)}) AS I ON ${sameKey(table, "S", "I")}`,
      ...update,
      `WHEN NOT MATCHED THEN INSERT (${[...columns, ...added].join(", ")}) VALUES (${[...columns.map((column) => `I.${column}`), ...stamps].join(", ")})`,
    ].join(" "),
  );
}

function aliased(column: ManifestColumn): string {
  const converted = convertedColumn(column);
  return converted === name(column.name) ? converted : `${converted} AS ${name(column.name)}`;
}

/** VARIANT has no order of its own to compare by; its JSON does. */
function differs({ name: own, type }: ManifestColumn): string {
  const [stage, incoming] = [`S.${name(own)}`, `I.${name(own)}`];
  return type.kind === "variant"
    ? `TO_JSON(${stage}) IS DISTINCT FROM TO_JSON(${incoming})`
    : `${stage} IS DISTINCT FROM ${incoming}`;
}

export interface Vanished {
  readonly table: ManifestTable;
  /** The incoming keys. */
  readonly keys: string;
  /** Only stage rows of these buckets. */
  readonly within?: KeySelection | undefined;
  readonly batch: BatchOf;
}

/** Stage rows whose key the source no longer has, as rows of `pipeline.deleted_keys`. */
export function recordVanished(request: Vanished): Statement {
  const { table, batch } = request;
  const parts = table.primaryKey.map((column) => keyValue(`S.${name(column)}`, columnOf(table, column).type));
  return metered(
    table,
    [
      `INSERT INTO ${DELETED_KEYS} (BATCH_ID, TABLE_NAME, KEY)`,
      `SELECT ${value(batch.id)}, ${value(table.name)}, TO_JSON(ARRAY_CONSTRUCT(${parts.join(", ")}))`,
      `FROM ${vanished(request)}`,
    ].join(" "),
  );
}

/** MERGE rather than DELETE, whose target cannot have an alias. */
export function deleteVanished(request: Vanished): Statement {
  return mergeVanished(request, "DELETE");
}

/** The rows stay, as of this batch. */
export function markVanished(request: Vanished): Statement {
  const { id, snapshot } = request.batch;
  const values = [[DELETED_AT, instant(snapshot)] as const, [SYNCED_AT, instant(snapshot)], [BATCH_ID, value(id)]];
  return mergeVanished(request, `UPDATE SET ${values.map(([column, set]) => `${name(column)} = ${set}`).join(", ")}`);
}

function mergeVanished(request: Vanished, what: string): Statement {
  const { table } = request;
  const key = table.primaryKey.map((column) => `S.${name(column)}`);
  return metered(
    table,
    [
      `MERGE INTO ${stageTable(table)} AS T USING (SELECT ${key.join(", ")} FROM ${vanished(request)}) AS V`,
      `ON ${sameKey(table, "T", "V")} WHEN MATCHED THEN ${what}`,
    ].join(" "),
  );
}

function vanished({ table, keys, within, batch }: Vanished): string {
  const selected = table.primaryKey.map((column) => aliased(columnOf(table, column)));
  const among = `(SELECT ${selected.join(", ")} FROM ${keys}) AS K`;
  const conditions = [
    guarded(batch.id),
    ...(within ? [inBuckets(table, within)] : []),
    ...(keepsDeleted(table) ? [`S.${name(DELETED_AT)} IS NULL`] : []),
    `NOT EXISTS (SELECT 1 FROM ${among} WHERE ${sameKey(table, "S", "K")})`,
  ];
  return `${stageTable(table)} AS S WHERE ${conditions.join(" AND ")}`;
}

function sameKey({ primaryKey }: ManifestTable, left: string, right: string): string {
  return primaryKey.map((column) => `${left}.${name(column)} = ${right}.${name(column)}`).join(" AND ");
}

/** A key's value in the JSON array of `deleted_keys`: see TablePublication. */
function keyValue(column: string, type: WarehouseType): string {
  switch (type.kind) {
    case "number":
      return type.precision === 38 && type.scale === 0 ? column : `TO_VARCHAR(${column})`;
    case "timestamp_ltz":
    case "timestamp_tz":
      return `TO_VARCHAR(CONVERT_TIMEZONE('UTC', ${column}), 'YYYY-MM-DD HH24:MI:SS.FF6') || '+00'`;
    case "timestamp_ntz":
      return `TO_VARCHAR(${column}, 'YYYY-MM-DD HH24:MI:SS.FF6')`;
    case "date":
      return `TO_VARCHAR(${column}, 'YYYY-MM-DD')`;
    case "time":
      return `TO_VARCHAR(${column}, 'HH24:MI:SS.FF6')`;
    case "binary":
      return `LOWER(TO_VARCHAR(${column}, 'HEX'))`;
    case "variant":
      return `TO_JSON(${column})`;
    case "varchar":
      return column;
    case "float":
    case "boolean":
      return `TO_VARCHAR(${column})`;
  }
}

/** Rows of the stage tables as the transaction leaves them: position in `tables`, rows. */
export function countStageTables(tables: readonly ManifestTable[]): Statement {
  const counts = tables.map(
    (table, index) => `SELECT ${value(index)} AS POSITION, COUNT(*) AS ROWS_TOTAL FROM ${stageTable(table)}`,
  );
  return { sql: counts.join(" UNION ALL "), step: "publish", metered: true };
}
