/** The runtime's own tables: which batches were published, how far each table was read, what vanished, what each model has seen. */
import { identifier, literal } from "../../../core/sql.ts";
import type { PublishedBatch, Watermark } from "../../warehouse.ts";
import {
  BATCHES,
  DELETED_KEYS,
  FIRST_LOAD_FILES,
  FIRST_LOADS,
  INCOMING,
  MODEL_BUILDS,
  PIPELINE,
  WATERMARKS,
} from "./names.ts";

/**
 * `deleted_keys.key` is a JSON array of the key's values in the order of `primary_key`: numbers of NUMBER(38,0) as JSON numbers, everything
 * else as the text that `query` gives, so that it is the same text in every engine. A model joins by
 * `parse_json(key)[0]::integer`, or `parse_json(key)[1]::varchar` for a second, textual part.
 */
export function createBookkeeping(): string[] {
  return [
    `CREATE SCHEMA IF NOT EXISTS ${identifier(PIPELINE)}`,
    `CREATE TABLE IF NOT EXISTS ${BATCHES} (batch_id BIGINT NOT NULL, uuid VARCHAR NOT NULL, snapshot TIMESTAMPTZ NOT NULL, started_at TIMESTAMPTZ NOT NULL, published_at TIMESTAMPTZ NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS ${WATERMARKS} (table_name VARCHAR NOT NULL, batch_id BIGINT NOT NULL, cursor_value VARCHAR, cursor_column VARCHAR, fence VARCHAR NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS ${DELETED_KEYS} (batch_id BIGINT NOT NULL, table_name VARCHAR NOT NULL, key VARCHAR NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS ${MODEL_BUILDS} (model VARCHAR NOT NULL, batch_id BIGINT NOT NULL, built_at TIMESTAMPTZ NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS ${FIRST_LOADS} (table_name VARCHAR NOT NULL, batch_id BIGINT NOT NULL, openings INTEGER NOT NULL, fence VARCHAR NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS ${FIRST_LOAD_FILES} (table_name VARCHAR NOT NULL, note VARCHAR NOT NULL, row_count BIGINT NOT NULL)`,
    `CREATE SCHEMA IF NOT EXISTS ${identifier(INCOMING)}`,
  ];
}

export function hasBookkeeping(): string {
  return `SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ${literal(PIPELINE)} AND table_name IN ('batches', 'watermarks')`;
}

export function lastBatchId(): string {
  return `SELECT coalesce(max(batch_id), 0) FROM ${BATCHES}`;
}

export function readWatermarks(): string {
  return `SELECT table_name, batch_id, cursor_value, cursor_column, fence FROM ${WATERMARKS}`;
}

export function writeWatermark(table: string, watermark: Watermark): string[] {
  const { batchId, cursor, cursorColumn, fence } = watermark;
  const values = [table, batchId, cursor, cursorColumn, JSON.stringify(fence)].map((value) => literal(value));
  return [
    forgetWatermark(table),
    `INSERT INTO ${WATERMARKS} (table_name, batch_id, cursor_value, cursor_column, fence) VALUES (${values.join(", ")})`,
  ];
}

/** For a table that is made anew: what was read into the one before it is not in this one. */
export function forgetWatermark(table: string): string {
  return `DELETE FROM ${WATERMARKS} WHERE table_name = ${literal(table)}`;
}

/** For a table that got a column: no manifest has the empty shape, so all rows are read once more, and merged. */
export function rewindWatermark(table: string): string {
  return `UPDATE ${WATERMARKS} SET fence = json_merge_patch(fence, '{"shape":""}') WHERE table_name = ${literal(table)}`;
}

export function writeBatch({ id, uuid, snapshot, startedAt }: PublishedBatch): string {
  return `INSERT INTO ${BATCHES} (batch_id, uuid, snapshot, started_at, published_at) VALUES (${literal(id)}, ${literal(uuid)}, CAST(${literal(snapshot)} AS TIMESTAMPTZ), CAST(${literal(startedAt.toISOString())} AS TIMESTAMPTZ), get_current_timestamp())`;
}

/** The batch that the same transaction sees is the one that the model has seen. */
export function writeModelBuild(model: string): string[] {
  return [
    `DELETE FROM ${MODEL_BUILDS} WHERE model = ${literal(model)}`,
    `INSERT INTO ${MODEL_BUILDS} (model, batch_id, built_at) SELECT ${literal(model)}, coalesce(max(batch_id), 0), get_current_timestamp() FROM ${BATCHES}`,
  ];
}
