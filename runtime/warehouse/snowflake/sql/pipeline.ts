/** The runtime's own tables and its stage: which batches were published, how far each table was read, what vanished, what each model has seen. */
import type { PublishedBatch, Watermark } from "../../warehouse.ts";
import type { Statement } from "../statement.ts";
import {
  BATCHES,
  DELETED_KEYS,
  FIRST_LOADS,
  GUARD,
  INCOMING_PREFIX,
  MODEL_BUILDS,
  MODEL_TRANSACTIONS,
  PIPELINE,
  STAGE,
  value,
  WATERMARKS,
} from "./names.ts";

const create = (table: string, columns: string): Statement => ({
  sql: `CREATE TABLE IF NOT EXISTS ${table} (${columns})`,
  step: "prepare",
  metered: false,
});

/** By upper-case name. What each holds is the same in every warehouse: see the `deleted_keys` of TablePublication. */
export const PIPELINE_TABLES: Readonly<Record<string, Statement>> = {
  BATCHES: create(
    BATCHES,
    "BATCH_ID NUMBER(38,0) NOT NULL, UUID VARCHAR(36) NOT NULL, SNAPSHOT TIMESTAMP_LTZ(9) NOT NULL, STARTED_AT TIMESTAMP_LTZ(9) NOT NULL, PUBLISHED_AT TIMESTAMP_LTZ(9) NOT NULL",
  ),
  WATERMARKS: create(
    WATERMARKS,
    "TABLE_NAME VARCHAR(255) NOT NULL, BATCH_ID NUMBER(38,0) NOT NULL, CURSOR_VALUE VARCHAR(16777216), CURSOR_COLUMN VARCHAR(255), FENCE VARCHAR(16777216) NOT NULL",
  ),
  DELETED_KEYS: create(
    DELETED_KEYS,
    "BATCH_ID NUMBER(38,0) NOT NULL, TABLE_NAME VARCHAR(255) NOT NULL, KEY VARCHAR(16777216) NOT NULL",
  ),
  MODEL_BUILDS: create(
    MODEL_BUILDS,
    "MODEL VARCHAR(255) NOT NULL, BATCH_ID NUMBER(38,0) NOT NULL, UNFINISHED_BUILD_ID VARCHAR(36), BUILT_AT TIMESTAMP_LTZ(9) NOT NULL",
  ),
  MODEL_TRANSACTIONS: create(
    MODEL_TRANSACTIONS,
    "BUILD_ID VARCHAR(36) NOT NULL, MODEL VARCHAR(255) NOT NULL, STARTED_AT TIMESTAMP_LTZ(9) NOT NULL",
  ),
  FIRST_LOADS: create(
    FIRST_LOADS,
    "TABLE_NAME VARCHAR(255) NOT NULL, LOAD_ID VARCHAR(16) NOT NULL, OPENINGS NUMBER(38,0) NOT NULL, BATCH_ID NUMBER(38,0) NOT NULL, FENCE VARCHAR(16777216) NOT NULL",
  ),
  GUARD: create(GUARD, "ID NUMBER(38,0) NOT NULL, BATCH_ID NUMBER(38,0) NOT NULL"),
};

/** Tables of the schema, as `created_on, name, kind, database_name, schema_name`: https://docs.snowflake.com/en/sql-reference/sql/show-tables#output */
export function showPipelineTables(): Statement {
  return { sql: `SHOW TERSE TABLES IN SCHEMA ${PIPELINE}`, step: "prepare", metered: false };
}

export function createStage(): Statement {
  return { sql: `CREATE STAGE IF NOT EXISTS ${STAGE}`, step: "prepare", metered: false };
}

/** Transactions of this user, whatever became of their sessions: https://docs.snowflake.com/en/sql-reference/sql/show-transactions */
export function showTransactions(step: TransactionStep): Statement {
  return { sql: "SHOW TRANSACTIONS", step, metered: false };
}

/** https://docs.snowflake.com/en/sql-reference/functions/system_abort_transaction */
export function abortTransaction(id: string, step: TransactionStep): Statement {
  if (!/^\d+$/.test(id)) throw new RangeError(`Not the id of a transaction: ${id}`);
  return { sql: `SELECT SYSTEM$ABORT_TRANSACTION(${id})`, step, metered: false };
}

/** One row for each watermark, the last batch in front of each; one row if there is no watermark. */
export function readState(): Statement {
  return {
    sql: [
      "SELECT B.LAST_BATCH_ID, W.TABLE_NAME, W.BATCH_ID, W.CURSOR_VALUE, W.CURSOR_COLUMN, W.FENCE",
      `FROM (SELECT COALESCE(MAX(BATCH_ID), 0) AS LAST_BATCH_ID FROM ${BATCHES}) AS B`,
      `LEFT JOIN ${WATERMARKS} AS W ON TRUE`,
    ].join(" "),
    step: "state",
    metered: true,
  };
}

/** Whether the batch was published, by its UUID. */
export function findBatch(uuid: string): Statement {
  return {
    sql: `SELECT COUNT(*) FROM ${BATCHES} WHERE UUID = ${value(uuid)}`,
    step: "publish",
    metered: true,
  };
}

/**
 * True within the transaction that has taken the guard for the batch, and nowhere else before it is committed. Each of its statements asks for
 * it: should the transaction be ended from outside, what follows would otherwise be committed one by one.
 */
export function guarded(batchId: number): string {
  return `(SELECT MAX(BATCH_ID) FROM ${GUARD}) = ${value(batchId)}`;
}

/**
 * The first statement of a publishing transaction. It changes one row only if the last batch is the expected one, and holds that row until the
 * transaction ends, so that two processes can never publish at the same time, nor one on the ground of the other's past.
 */
export function takeGuard(expected: number, batchId: number): Statement {
  return {
    sql: [
      `MERGE INTO ${GUARD} AS G USING (SELECT 1 AS ID, ${value(expected)} AS EXPECTED, ${value(batchId)} AS BATCH_ID, (SELECT COALESCE(MAX(BATCH_ID), 0) FROM ${BATCHES}) AS LAST_BATCH_ID) AS N ON G.ID = N.ID`,
      "WHEN MATCHED AND G.BATCH_ID = N.EXPECTED THEN UPDATE SET BATCH_ID = N.BATCH_ID",
      "WHEN NOT MATCHED AND N.LAST_BATCH_ID = N.EXPECTED THEN INSERT (ID, BATCH_ID) VALUES (N.ID, N.BATCH_ID)",
    ].join(" "),
    step: "publish",
    metered: true,
  };
}

/** The watermarks of all tables of a batch. */
export function writeWatermarks(batchId: number, watermarks: ReadonlyMap<string, Watermark>): Statement {
  const rows = Array.from(watermarks, ([table, { batchId, cursor, cursorColumn, fence }]) => {
    const values = [table, batchId, cursor, cursorColumn, JSON.stringify(fence)].map((given) => value(given));
    return `(${values.join(", ")})`;
  });
  return {
    sql: [
      `MERGE INTO ${WATERMARKS} AS W USING (SELECT TABLE_NAME, BATCH_ID, CURSOR_VALUE, CURSOR_COLUMN, FENCE`,
      `FROM (VALUES ${rows.join(", ")}) AS V (TABLE_NAME, BATCH_ID, CURSOR_VALUE, CURSOR_COLUMN, FENCE)`,
      `WHERE ${guarded(batchId)}) AS N ON W.TABLE_NAME = N.TABLE_NAME`,
      "WHEN MATCHED THEN UPDATE SET BATCH_ID = N.BATCH_ID, CURSOR_VALUE = N.CURSOR_VALUE, CURSOR_COLUMN = N.CURSOR_COLUMN, FENCE = N.FENCE",
      "WHEN NOT MATCHED THEN INSERT (TABLE_NAME, BATCH_ID, CURSOR_VALUE, CURSOR_COLUMN, FENCE) VALUES (N.TABLE_NAME, N.BATCH_ID, N.CURSOR_VALUE, N.CURSOR_COLUMN, N.FENCE)",
    ].join(" "),
    step: "publish",
    metered: true,
  };
}

export function writeBatch({ id, uuid, snapshot, startedAt }: PublishedBatch): Statement {
  return {
    sql: `INSERT INTO ${BATCHES} (BATCH_ID, UUID, SNAPSHOT, STARTED_AT, PUBLISHED_AT) SELECT ${value(id)}, ${value(uuid)}, ${instant(snapshot)}, ${instant(startedAt.toISOString())}, CURRENT_TIMESTAMP() WHERE ${guarded(id)}`,
    step: "publish",
    metered: true,
  };
}

/**
 * An ISO 8601 instant in UTC as TIMESTAMP_LTZ. The offset is written in digits, which is one of the formats that are recognized:
 * https://docs.snowflake.com/en/sql-reference/date-time-input-output#timestamp-formats
 */
export function instant(iso: string): string {
  return `TO_TIMESTAMP_LTZ(${value(iso.replace(/Z$/, "+00:00"))})`;
}

interface ModelBuild {
  readonly model: string;
  /** Tells this build from every other. */
  readonly buildId: string;
}

/**
 * Said before the table of an incremental model is made anew, which commits: until `finishModelBuild` has said otherwise, what stands in the table
 * is no ground to build on.
 */
export function startModelBuild({ model, buildId }: ModelBuild): Statement {
  return build(
    model,
    [
      `MERGE INTO ${MODEL_BUILDS} AS M USING (SELECT ${value(model)} AS MODEL, ${value(buildId)} AS BUILD_ID) AS N ON M.MODEL = N.MODEL`,
      "WHEN MATCHED THEN UPDATE SET UNFINISHED_BUILD_ID = N.BUILD_ID",
      "WHEN NOT MATCHED THEN INSERT (MODEL, BATCH_ID, UNFINISHED_BUILD_ID, BUILT_AT) VALUES (N.MODEL, 0, N.BUILD_ID, CURRENT_TIMESTAMP())",
    ].join(" "),
  );
}

/** What the model has seen, once it is built. @param buildId of its transaction, if it is one */
export function finishModelBuild(model: string, batchId: number, buildId?: string): Statement {
  const inTransaction = buildId === undefined ? "" : ` WHERE ${building(buildId)}`;
  return build(
    model,
    [
      `MERGE INTO ${MODEL_BUILDS} AS M USING (SELECT ${value(model)} AS MODEL, ${value(batchId)} AS BATCH_ID${inTransaction}) AS N ON M.MODEL = N.MODEL`,
      "WHEN MATCHED THEN UPDATE SET BATCH_ID = N.BATCH_ID, UNFINISHED_BUILD_ID = NULL, BUILT_AT = CURRENT_TIMESTAMP()",
      "WHEN NOT MATCHED THEN INSERT (MODEL, BATCH_ID, BUILT_AT) VALUES (N.MODEL, N.BATCH_ID, CURRENT_TIMESTAMP())",
    ].join(" "),
  );
}

/** Models whose table was being made anew when the build ended. */
export function unfinishedModels(): Statement {
  return {
    sql: `SELECT MODEL FROM ${MODEL_BUILDS} WHERE UNFINISHED_BUILD_ID IS NOT NULL`,
    step: "state",
    metered: true,
  };
}

/** The first statement of the transaction of an incremental model. It only inserts, so that models do not wait for each other. */
export function openModelTransaction({ model, buildId }: ModelBuild): Statement {
  return build(
    model,
    `INSERT INTO ${MODEL_TRANSACTIONS} (BUILD_ID, MODEL, STARTED_AT) SELECT ${value(buildId)}, ${value(model)}, CURRENT_TIMESTAMP()`,
  );
}

/** True within the transaction of the model's build: see `guarded`. */
export function building(buildId: string): string {
  return `(SELECT COUNT(*) FROM ${MODEL_TRANSACTIONS} WHERE BUILD_ID = ${value(buildId)}) = 1`;
}

/** Whether the build was committed. */
export function findModelTransaction({ model, buildId }: ModelBuild): Statement {
  return build(model, `SELECT COUNT(*) FROM ${MODEL_TRANSACTIONS} WHERE BUILD_ID = ${value(buildId)}`);
}

function build(subject: string, sql: string): Statement {
  return { sql, step: "build", subject, metered: true };
}

export type TransactionStep = "prepare" | "publish" | "build";

/** Named, so that SHOW TRANSACTIONS tells whose it is: https://docs.snowflake.com/en/sql-reference/sql/begin */
export function begin(step: TransactionStep, transaction: string, subject?: string): Statement {
  if (!/^[A-Z][A-Z0-9_]*$/.test(transaction)) throw new RangeError(`Not a plain name: ${transaction}`);
  return { sql: `BEGIN TRANSACTION NAME ${transaction}`, step, subject, metered: false };
}

export function commit(step: TransactionStep, subject?: string): Statement {
  return { sql: "COMMIT", step, subject, metered: false };
}

export function rollback(step: TransactionStep, subject?: string): Statement {
  return { sql: "ROLLBACK", step, subject, metered: false };
}

export function dropIncomingTable(target: string): Statement {
  return { sql: `DROP TABLE IF EXISTS ${target}`, step: "clean", metered: false };
}

/**
 * Columns `name` (the stage's own name, then the path), `size`, `md5`, `last_modified`: https://docs.snowflake.com/en/sql-reference/sql/list
 *
 * @param location the stage, or a path on it
 */
export function listFiles(location: string): Statement {
  return { sql: `LIST ${location}`, step: "prepare", metered: false };
}

/** @param location the stage, or a path on it */
export function removeFiles(location: string): Statement {
  return { sql: `REMOVE ${location}`, step: "clean", metered: false };
}

export function isIncomingTable(tableName: string): boolean {
  return tableName.startsWith(INCOMING_PREFIX);
}
