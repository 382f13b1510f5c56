/** Samples of every statement that the Snowflake adapter can send, each clause with the page of Snowflake's documentation that allows it. */
import { sessionParameters } from "../../../../runtime/warehouse/snowflake/session-parameters.ts";
import * as catalogue from "../../../../runtime/warehouse/snowflake/sql/catalogue.ts";
import * as diagnose from "../../../../runtime/warehouse/snowflake/sql/diagnose.ts";
import * as firstLoad from "../../../../runtime/warehouse/snowflake/sql/first-load.ts";
import * as fingerprint from "../../../../runtime/warehouse/snowflake/sql/fingerprint.ts";
import * as incoming from "../../../../runtime/warehouse/snowflake/sql/incoming.ts";
import * as models from "../../../../runtime/warehouse/snowflake/sql/models.ts";
import { incomingTable, stagePath } from "../../../../runtime/warehouse/snowflake/sql/names.ts";
import * as pipeline from "../../../../runtime/warehouse/snowflake/sql/pipeline.ts";
import * as publish from "../../../../runtime/warehouse/snowflake/sql/publish.ts";
import { loadFolder, partFolder } from "../../../../runtime/warehouse/snowflake/staged-parts.ts";
import type { Statement } from "../../../../runtime/warehouse/snowflake/statement.ts";
import type { Watermark } from "../../../../runtime/warehouse/warehouse.ts";
import { fingerprints, keyShapes, softly, withins } from "./key-samples.ts";
import { batch, every, onlyKey, simple, tables, target } from "./sample-tables.ts";

export interface StatementSample {
  /** Name of the snapshot file, without its ending. */
  readonly file: string;
  /** Clause → page below docs.snowflake.com/en/. */
  readonly allowedBy: Readonly<Record<string, string>>;
  readonly statements: readonly Statement[];
}

const earlier = incomingTable("INCOMING_7_0A1B2C3D_2_ROWS_STAGE_EXAMPLE");
const request = { batchId: 7, table: simple, goesOn: true, fence: { server: "1/1", relation: "16384" } };
const relation = { schema: "analytics", name: "fct_sales" };
const description = String.raw`A back\slash, a 'quote'`;
const SELECT = "select id\nfrom stage.sales";
const modelBuild = { model: "fct_sales", buildId: batch.uuid };
const result = { relation, columns: ["ID", "Mixed", "PRICE"], buildId: batch.uuid };
const watermark = {
  batchId: 7,
  cursor: "2025-01-02 03:04:05.678901+00",
  cursorColumn: "updated_at",
  fence: { a: "b" },
};

const shapes = (purpose: "rows" | "keys") =>
  tables
    .filter((one) => purpose === "rows" || one.primaryKey.length > 0)
    .map((one) => ({ table: one, columns: incoming.incomingColumns(one, purpose), target }));
const keyed = tables.filter((one) => one.primaryKey.length > 0);
const soft = [every, onlyKey].map((one) => ({ ...one, sync: { ...one.sync, deletes: "soft" as const } }));
const IDENTIFIERS = { "quoted names": "sql-reference/identifiers-syntax#double-quoted-identifiers" };
const MERGE = {
  "scalar subquery": "user-guide/querying-subqueries#scalar-subqueries",
  MERGE: "sql-reference/sql/merge",
  "IS DISTINCT FROM": "sql-reference/functions/is-distinct-from",
};

const FINGERPRINT = {
  CONCAT_WS: "sql-reference/functions/concat_ws",
  MOD: "sql-reference/functions/mod",
  MD5_NUMBER_LOWER64: "sql-reference/functions/md5_number_lower64",
  HEX_ENCODE: "sql-reference/functions/hex_encode",
  DATEDIFF: "sql-reference/functions/datediff",
  TIMESTAMP_NTZ_FROM_PARTS: "sql-reference/functions/timestamp_from_parts",
  "DATE_PART of EPOCH_MICROSECOND": "sql-reference/functions-date-time#supported-date-and-time-parts",
  "a division's scale": "sql-reference/operators-arithmetic#division",
};

export const SAMPLES: readonly StatementSample[] = [
  {
    file: "fingerprint",
    allowedBy: { ...FINGERPRINT, "GROUP BY": "sql-reference/constructs/group-by", ...IDENTIFIERS },
    statements: [...fingerprints, ...fingerprints.map(softly)].map((request) => fingerprint.fingerprint(request)),
  },
  {
    file: "fingerprint-keys",
    allowedBy: { "NOT EXISTS": "sql-reference/operators-subquery#exists-not-exists", ...FINGERPRINT, ...IDENTIFIERS },
    statements: [...keyShapes, ...keyShapes.map(softly)].flatMap((one) => [
      fingerprint.fingerprint(one),
      fingerprint.fingerprint({ ...one, arriving: target }),
    ]),
  },
  {
    file: "fingerprint-rows",
    allowedBy: { ...FINGERPRINT, BETWEEN: "sql-reference/operators-comparison", ...IDENTIFIERS },
    statements: [...fingerprints, ...fingerprints.map(softly)].map((request) => fingerprint.fingerprintRows(request)),
  },
  {
    file: "session-parameters",
    allowedBy: { "ALTER SESSION SET": "sql-reference/sql/alter-session", "each parameter": "sql-reference/parameters" },
    statements: [sessionParameters()],
  },
  {
    file: "pipeline-tables",
    allowedBy: {
      "CREATE TABLE IF NOT EXISTS": "sql-reference/sql/create-table",
      types: "sql-reference/intro-summary-data-types",
      ...IDENTIFIERS,
    },
    statements: Object.values(pipeline.PIPELINE_TABLES),
  },
  {
    file: "pipeline-stage",
    allowedBy: { "CREATE STAGE IF NOT EXISTS": "sql-reference/sql/create-stage" },
    statements: [pipeline.createStage()],
  },
  {
    file: "show-pipeline-tables",
    allowedBy: { "SHOW TERSE TABLES IN SCHEMA": "sql-reference/sql/show-tables" },
    statements: [pipeline.showPipelineTables()],
  },
  {
    file: "show-warehouses",
    allowedBy: { "SHOW WAREHOUSES LIKE": "sql-reference/sql/show-warehouses" },
    statements: [catalogue.showWarehouses("DEFAULT_WH")],
  },
  {
    file: "show-relations",
    allowedBy: { "SHOW TERSE OBJECTS LIKE … IN SCHEMA": "sql-reference/sql/show-objects" },
    statements: [catalogue.showRelations("analytics"), models.showRelation(relation)],
  },
  {
    file: "show-columns",
    allowedBy: { "SHOW COLUMNS IN SCHEMA": "sql-reference/sql/show-columns" },
    statements: [catalogue.showColumns("analytics")],
  },
  {
    file: "describe",
    allowedBy: {
      "DESCRIBE TABLE": "sql-reference/sql/desc-table",
      "DESCRIBE VIEW": "sql-reference/sql/desc-view",
    },
    statements: [
      catalogue.describeStageTable(simple),
      models.describeRelation("table", relation),
      models.describeRelation("view", relation),
      models.describeResult("fct_sales"),
    ],
  },
  {
    file: "read-state",
    allowedBy: {
      "SELECT … FROM (…) AS": "sql-reference/constructs/from",
      "LEFT JOIN … ON": "sql-reference/constructs/join",
      COALESCE: "sql-reference/functions/coalesce",
      MAX: "sql-reference/functions/max",
    },
    statements: [pipeline.readState()],
  },
  {
    file: "put-file",
    allowedBy: {
      "PUT file://… @stage/path/": "sql-reference/sql/put",
      "SOURCE_COMPRESSION, AUTO_COMPRESS, OVERWRITE": "sql-reference/sql/put#optional-parameters",
    },
    statements: [
      incoming.putFile(simple, "/var/lib/novadrive/staged/simple-rows/0.csv.gz", "7/0a1b2c3d"),
      incoming.putFile(simple, "/var/lib/it's here/0.csv", "7/0a1b2c3d"),
      incoming.putFile(
        simple,
        "/var/lib/novadrive/staged/simple-rows/0.csv.gz",
        partFolder({ loadId: "0a1b2c3d4e5f6071", opening: 1, rows: 12_345, note: '[{"part":16384,"from":0}]' }),
      ),
    ],
  },
  {
    file: "create-incoming-table",
    allowedBy: {
      "CREATE TRANSIENT TABLE": "sql-reference/sql/create-table",
      "NOT NULL": "sql-reference/constraints-overview",
      DATA_RETENTION_TIME_IN_DAYS: "user-guide/data-time-travel",
      types: "sql-reference/intro-summary-data-types",
    },
    statements: [
      ...shapes("rows").map(incoming.createIncomingTable),
      ...shapes("keys").map(incoming.createIncomingTable),
      ...shapes("rows").map(incoming.createTextTable),
    ],
  },
  {
    file: "copy-files",
    allowedBy: {
      "COPY INTO table (columns) FROM @stage/path/": "sql-reference/sql/copy-into-table",
      "FILE_FORMAT = ( TYPE = CSV … )": "sql-reference/sql/copy-into-table#type-csv",
      "ON_ERROR, PURGE, TRUNCATECOLUMNS": "sql-reference/sql/copy-into-table#copy-options-copyoptions",
    },
    statements: [...shapes("rows"), ...shapes("keys")].map((shape) => incoming.copyFiles(shape, "7/0a1b2c3d")),
  },
  {
    file: "find-bad-key",
    allowedBy: {
      COUNT_IF: "sql-reference/functions/count_if",
      TO_VARCHAR: "sql-reference/functions/to_char",
      "GROUP BY … HAVING": "sql-reference/constructs/having",
      "ORDER BY position": "sql-reference/constructs/order-by",
      LIMIT: "sql-reference/constructs/limit",
    },
    statements: shapes("rows")
      .filter((shape) => shape.table.primaryKey.length > 0)
      .map(incoming.findBadKey),
  },
  {
    file: "find-misfit",
    allowedBy: {
      CASE: "sql-reference/functions/case",
      CONCAT_WS: "sql-reference/functions/concat_ws",
      LEFT: "sql-reference/functions/left",
      LENGTH: "sql-reference/functions/length",
      REPLACE: "sql-reference/functions/replace",
      "TRY_TO_NUMBER(text, precision, scale)": "sql-reference/functions/try_to_decimal",
      TRY_TO_DOUBLE: "sql-reference/functions/try_to_double",
      TRY_TO_BOOLEAN: "sql-reference/functions/try_to_boolean",
      TRY_TO_DATE: "sql-reference/functions/try_to_date",
      TRY_TO_TIME: "sql-reference/functions/try_to_time",
      "TRY_TO_TIMESTAMP_LTZ, _NTZ, _TZ": "sql-reference/functions/try_to_timestamp",
      "TRY_TO_BINARY(text, 'HEX')": "sql-reference/functions/try_to_binary",
      CHECK_JSON: "sql-reference/functions/check_json",
    },
    statements: shapes("rows").map((shape) => incoming.findMisfit(shape, shape.columns)),
  },
  {
    file: "drop-incoming-table",
    allowedBy: { "DROP TABLE IF EXISTS": "sql-reference/sql/drop-table" },
    statements: [pipeline.dropIncomingTable(target)],
  },
  {
    file: "remove-files",
    allowedBy: { "REMOVE @stage[/path/]": "sql-reference/sql/remove" },
    statements: [pipeline.removeFiles(stagePath("7")), pipeline.removeFiles(`@${'"PIPELINE"."INCOMING"'}`)],
  },
  {
    file: "list-files",
    allowedBy: { "LIST @stage[/path/]": "sql-reference/sql/list" },
    statements: [
      pipeline.listFiles(`@${'"PIPELINE"."INCOMING"'}`),
      pipeline.listFiles(stagePath(loadFolder("0a1b2c3d4e5f6071"))),
    ],
  },
  {
    file: "find-first-load",
    allowedBy: {
      "SELECT … WHERE": "sql-reference/constructs/where",
      "LEFT JOIN … ON": "sql-reference/constructs/join",
    },
    statements: [firstLoad.readFirstLoad("sales"), firstLoad.findFirstLoads()],
  },
  {
    file: "note-first-load",
    allowedBy: {
      ...MERGE,
      "WHEN NOT MATCHED THEN INSERT": "sql-reference/sql/merge#notmatchedclause-for-inserts",
    },
    statements: [
      firstLoad.noteFirstLoad(request, { loadId: "0a1b2c3d4e5f6071", openings: 1 }, undefined),
      firstLoad.noteFirstLoad(
        request,
        { loadId: "0a1b2c3d4e5f6071", openings: 2 },
        { loadId: "0a1b2c3d4e5f6071", openings: 1 },
      ),
    ],
  },
  {
    file: "forget-first-load",
    allowedBy: { "DELETE FROM … WHERE … IN": "sql-reference/sql/delete" },
    statements: [
      firstLoad.forgetFirstLoads(["sales", "it's"]),
      firstLoad.endFirstLoads(["sales", "shops"], 7),
      firstLoad.dropFirstLoad("sales", "0a1b2c3d4e5f6071"),
    ],
  },
  {
    file: "complete-first-load",
    allowedBy: {
      ...MERGE,
      "INSERT INTO … SELECT": "sql-reference/sql/insert",
      "NOT EXISTS": "sql-reference/operators-subquery#exists-not-exists",
      "WHEN MATCHED THEN DELETE": "sql-reference/sql/merge#matchedclause-for-updates-or-deletes",
      COUNT: "sql-reference/functions/count",
    },
    statements: shapes("rows")
      .filter((shape) => shape.table.primaryKey.length > 0)
      .flatMap((shape) => [
        firstLoad.takeEarlier(shape, earlier),
        firstLoad.deleteAbsent(shape, earlier),
        firstLoad.countRows(shape),
      ]),
  },
  {
    file: "transaction",
    allowedBy: {
      "BEGIN TRANSACTION NAME": "sql-reference/sql/begin",
      COMMIT: "sql-reference/sql/commit",
      ROLLBACK: "sql-reference/sql/rollback",
      "SHOW TRANSACTIONS": "sql-reference/sql/show-transactions",
      SYSTEM$ABORT_TRANSACTION: "sql-reference/functions/system_abort_transaction",
    },
    statements: [
      pipeline.begin("publish", "NOVADRIVE_5F0C6F0E_6D0E_4F0A_9D54_0D3C2C7A1B11"),
      pipeline.commit("publish"),
      pipeline.rollback("publish"),
      pipeline.showTransactions("publish"),
      pipeline.abortTransaction("1441270206213000000", "publish"),
    ],
  },
  {
    file: "take-guard",
    allowedBy: MERGE,
    statements: [pipeline.takeGuard(6, 7)],
  },
  {
    file: "record-vanished",
    allowedBy: {
      "INSERT INTO … SELECT": "sql-reference/sql/insert",
      "NOT EXISTS": "sql-reference/operators-subquery#exists-not-exists",
      ARRAY_CONSTRUCT: "sql-reference/functions/array_construct",
      TO_JSON: "sql-reference/functions/to_json",
      "TO_VARCHAR(value, format)": "sql-reference/functions/to_char",
      CONVERT_TIMEZONE: "sql-reference/functions/convert_timezone",
      LOWER: "sql-reference/functions/lower",
      "PARSE_JSON, TO_DOUBLE": "sql-reference/functions/parse_json",
    },
    statements: [...keyed, ...soft]
      .map((one) => publish.recordVanished({ table: one, keys: target, batch }))
      .concat([...withins, ...withins.map(softly)].map((one) => publish.recordVanished(one))),
  },
  {
    file: "delete-vanished",
    allowedBy: { ...MERGE, "WHEN MATCHED THEN DELETE": "sql-reference/sql/merge#matchedclause-for-updates-or-deletes" },
    statements: keyed
      .map((one) => publish.deleteVanished({ table: one, keys: target, batch }))
      .concat(withins.map((one) => publish.deleteVanished(one))),
  },
  {
    file: "mark-vanished",
    allowedBy: {
      ...MERGE,
      "WHEN MATCHED THEN UPDATE": "sql-reference/sql/merge#matchedclause-for-updates-or-deletes",
      "TO_TIMESTAMP_LTZ of ISO 8601": "sql-reference/functions/to_timestamp",
    },
    statements: soft
      .map((one) => publish.markVanished({ table: one, keys: target, batch }))
      .concat(withins.map((one) => publish.markVanished(softly(one)))),
  },
  {
    file: "delete-all",
    allowedBy: { "DELETE FROM": "sql-reference/sql/delete" },
    statements: [publish.deleteAll(every, 7)],
  },
  {
    file: "insert-all",
    allowedBy: {
      "INSERT INTO … SELECT": "sql-reference/sql/insert",
      TO_DOUBLE: "sql-reference/functions/to_double",
      PARSE_JSON: "sql-reference/functions/parse_json",
      "TO_TIMESTAMP_LTZ of ISO 8601": "sql-reference/functions/to_timestamp",
      "special values of FLOAT": "sql-reference/data-types-numeric#special-values",
    },
    statements: tables.map((one) => publish.insertAll(one, target, batch)),
  },
  {
    file: "merge-rows",
    allowedBy: {
      ...MERGE,
      "WHEN NOT MATCHED THEN INSERT": "sql-reference/sql/merge#notmatchedclause-for-inserts",
      TO_JSON: "sql-reference/functions/to_json",
    },
    statements: [...keyed, ...soft].map((one) => publish.mergeRows(one, target, batch)),
  },
  {
    file: "count-stage-tables",
    allowedBy: {
      COUNT: "sql-reference/functions/count",
      "UNION ALL": "sql-reference/operators-query#union-by-name-all",
    },
    statements: [publish.countStageTables(tables)],
  },
  {
    file: "write-watermarks",
    allowedBy: { ...MERGE, "FROM ( VALUES … ) AS alias ( columns )": "sql-reference/constructs/values" },
    statements: [
      pipeline.writeWatermarks(
        7,
        new Map<string, Watermark>([
          ["every_type", watermark],
          ["single_column", { ...watermark, cursor: null, cursorColumn: null, fence: {} }],
        ]),
      ),
    ],
  },
  {
    file: "write-batch",
    allowedBy: {
      "INSERT INTO … SELECT": "sql-reference/sql/insert",
      CURRENT_TIMESTAMP: "sql-reference/functions/current_timestamp",
    },
    statements: [pipeline.writeBatch(batch)],
  },
  {
    file: "find-committed",
    allowedBy: { "SELECT COUNT(*) … WHERE": "sql-reference/constructs/where" },
    statements: [pipeline.findBatch(batch.uuid), pipeline.findModelTransaction(modelBuild)],
  },
  {
    file: "model-table",
    allowedBy: {
      "CREATE OR REPLACE TRANSIENT TABLE … COPY GRANTS COMMENT = … AS": "sql-reference/sql/create-table#variant-syntax",
    },
    statements: [models.createTable({ relation }, SELECT), models.createTable({ relation, description }, SELECT)],
  },
  {
    file: "model-view",
    allowedBy: {
      "CREATE OR REPLACE VIEW … ( column COMMENT … ) COPY GRANTS COMMENT = … AS": "sql-reference/sql/create-view",
    },
    statements: [
      models.createView({ relation }, SELECT),
      models.createView({ relation, description }, SELECT),
      models.createView({ relation }, SELECT, [{ name: "ID", description }, { name: "Mixed" }]),
      models.createView({ relation, description }, SELECT, [{ name: "ID", description }, { name: "Mixed" }]),
    ],
  },
  {
    file: "model-drop",
    allowedBy: {
      "DROP TABLE IF EXISTS": "sql-reference/sql/drop-table",
      "DROP VIEW IF EXISTS": "sql-reference/sql/drop-view",
    },
    statements: [models.dropRelation("table", relation), models.dropRelation("view", relation)],
  },
  {
    file: "model-rename",
    allowedBy: {
      "ALTER TABLE … RENAME TO": "sql-reference/sql/alter-table",
      "ALTER VIEW … RENAME TO": "sql-reference/sql/alter-view",
    },
    statements: [
      models.renameRelation("table", { ...relation, name: "fct_sales__nd_new" }, relation),
      models.renameRelation("view", { ...relation, name: "fct_sales__nd_new" }, relation),
    ],
  },
  {
    file: "model-widen",
    allowedBy: { "ALTER TABLE … ALTER ( COLUMN … TYPE … )": "sql-reference/sql/alter-table-column" },
    statements: [
      models.widenColumns(relation, [
        { name: "STATUS", type: "VARCHAR(20)" },
        { name: "Mixed", type: "NUMBER(12,2)" },
      ]),
    ],
  },
  {
    file: "model-comments",
    allowedBy: { "ALTER TABLE … ALTER ( COLUMN … COMMENT … )": "sql-reference/sql/alter-table-column" },
    statements: [
      models.commentColumns(relation, [
        { name: "ID", description },
        { name: "Mixed", description: "" },
      ]),
    ],
  },
  {
    file: "model-result",
    allowedBy: { "CREATE OR REPLACE TEMPORARY TABLE … AS": "sql-reference/sql/create-table#variant-syntax" },
    statements: [models.createResult("fct_sales", SELECT)],
  },
  {
    file: "model-bad-key",
    allowedBy: {
      COUNT_IF: "sql-reference/functions/count_if",
      "GROUP BY … HAVING": "sql-reference/constructs/having",
    },
    statements: [models.findBadResultKey("fct_sales", ["ID"]), models.findBadResultKey("fct_sales", ["ID", "Mixed"])],
  },
  {
    file: "model-rows",
    allowedBy: { ...MERGE, "INSERT INTO … SELECT": "sql-reference/sql/insert" },
    statements: [
      models.insertResult(result),
      models.mergeResult(result, ["ID", "Mixed"]),
      models.mergeResult({ ...result, columns: ["ID"] }, ["ID"]),
      models.mergeResult(result, ["ID"]),
    ],
  },
  {
    file: "model-build",
    allowedBy: { ...MERGE, "INSERT INTO … SELECT": "sql-reference/sql/insert" },
    statements: [
      pipeline.startModelBuild(modelBuild),
      pipeline.openModelTransaction(modelBuild),
      pipeline.finishModelBuild("fct_sales", 7),
      pipeline.finishModelBuild("fct_sales", 7, batch.uuid),
      pipeline.unfinishedModels(),
    ],
  },
  {
    file: "model-count",
    allowedBy: { "SELECT COUNT(*)": "sql-reference/functions/count" },
    statements: [models.countRelation(relation)],
  },
  {
    file: "diagnose",
    allowedBy: {
      "CURRENT_USER, CURRENT_ROLE, …": "sql-reference/functions-context",
      "SHOW SCHEMAS IN DATABASE": "sql-reference/sql/show-schemas",
      "SHOW GRANTS TO ROLE": "sql-reference/sql/show-grants",
      "SHOW WAREHOUSES LIKE": "sql-reference/sql/show-warehouses",
      "DESCRIBE TABLE": "sql-reference/sql/desc-table",
      "SHOW RESOURCE MONITORS LIKE": "sql-reference/sql/show-resource-monitors",
    },
    statements: [
      diagnose.readIdentity(),
      diagnose.showSchemas("NOVADRIVE"),
      diagnose.showGrantsToRole("LOADER"),
      diagnose.showWarehouse("DEFAULT_WH"),
      diagnose.describeTable(simple),
      diagnose.showResourceMonitors("DAILY"),
    ],
  },
];
