/** Names and values in Snowflake's SQL, and those of the runtime's own objects. */
import { identifier, literal } from "../../../core/sql.ts";
import type { ManifestTable } from "../../../manifest/manifest.ts";
import type { IncomingPurpose, Relation } from "../../warehouse.ts";

/**
 * A name that the manifest or a model writes, in Snowflake's own case: unquoted names mean UPPER CASE ones
 * (https://docs.snowflake.com/en/sql-reference/identifiers-syntax), so that models can leave the quotes out.
 */
export function name(...path: readonly string[]): string {
  return identifier(...path.map((part) => part.toUpperCase()));
}

/** A value; `\` escapes in Snowflake's strings: https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants */
export function value(given: string | number | null): string {
  return literal(given, "backslash-escapes");
}

export const PIPELINE = name("pipeline");
export const BATCHES = name("pipeline", "batches");
export const WATERMARKS = name("pipeline", "watermarks");
export const DELETED_KEYS = name("pipeline", "deleted_keys");
export const MODEL_BUILDS = name("pipeline", "model_builds");
export const MODEL_TRANSACTIONS = name("pipeline", "model_transactions");
export const FIRST_LOADS = name("pipeline", "first_loads");
export const GUARD = name("pipeline", "guard");
/** The internal stage that files are put on. */
export const STAGE = name("pipeline", "incoming");
/** Result of an incremental model; temporary, so each session has its own: https://docs.snowflake.com/en/user-guide/tables-temp-transient */
export const RESULT = name("pipeline", "model_result");

/** How names of incoming tables begin. No other table of the schema may. */
export const INCOMING_PREFIX = "INCOMING_";

/** Longest name: https://docs.snowflake.com/en/sql-reference/identifiers */
const MAX_NAME = 255;

export function stageTable(table: ManifestTable): string {
  return name(table.schema, table.name);
}

export function relationText({ schema, name: own }: Relation): string {
  return name(schema, own);
}

/** Upper-case, unquoted. @param unique tells it from what other attempts and batches left behind */
export function incomingTableName(unique: string, table: ManifestTable, purpose: IncomingPurpose | "text"): string {
  const parts = [unique, purpose, table.schema, table.name];
  return `${INCOMING_PREFIX}${parts.join("_")}`.toUpperCase().slice(0, MAX_NAME);
}

export function incomingTable(tableName: string): string {
  return name("pipeline", tableName);
}

/** @param folder of letters, digits, hyphens and slashes, which need no quotes: https://docs.snowflake.com/en/sql-reference/sql/put#required-parameters */
export function stagePath(folder: string): string {
  return `@${STAGE}/${folder}/`;
}

/** SHOW … LIKE knows `_` and `%` and ignores case; whether it knows an escape is not documented, so a `\` in a name matches anything. */
export function likePattern(text: string): string {
  return text.replaceAll("\\", "_");
}
