/** First loads that outlive the process which began them: what is kept of each, and how its rows become those of one snapshot. */
import type { ManifestTable } from "../../../manifest/manifest.ts";
import type { FirstLoadRequest } from "../../warehouse.ts";
import type { Statement } from "../statement.ts";
import type { IncomingShape } from "./incoming.ts";
import { FIRST_LOADS, name, value, WATERMARKS } from "./names.ts";
import { guarded } from "./pipeline.ts";

/** Which load, and how often it was opened. */
export interface OpenedLoad {
  readonly loadId: string;
  readonly openings: number;
}

/** LOAD_ID, OPENINGS, BATCH_ID and FENCE of the table's. */
export function readFirstLoad(table: string): Statement {
  return {
    sql: `SELECT LOAD_ID, OPENINGS, BATCH_ID, FENCE FROM ${FIRST_LOADS} WHERE TABLE_NAME = ${value(table)}`,
    step: "stage",
    subject: table,
    metered: true,
  };
}

/**
 * Changes one row, unless what is there is not what was found before: two processes must not take the same opening.
 *
 * @param before what was found there
 */
export function noteFirstLoad(
  { batchId, table, fence }: FirstLoadRequest,
  now: OpenedLoad,
  before: OpenedLoad | undefined,
): Statement {
  const columns = ["TABLE_NAME", "LOAD_ID", "OPENINGS", "BATCH_ID", "FENCE"];
  const values = [table.name, now.loadId, now.openings, batchId, JSON.stringify(fence)];
  const selected = columns.map((column, index) => `${value(values[index] ?? null)} AS ${column}`);
  return {
    sql: [
      `MERGE INTO ${FIRST_LOADS} AS F USING (SELECT ${selected.join(", ")}) AS N ON F.TABLE_NAME = N.TABLE_NAME`,
      ...(before
        ? [
            `WHEN MATCHED AND F.LOAD_ID = ${value(before.loadId)} AND F.OPENINGS = ${value(before.openings)}`,
            "THEN UPDATE SET LOAD_ID = N.LOAD_ID, OPENINGS = N.OPENINGS, BATCH_ID = N.BATCH_ID, FENCE = N.FENCE",
          ]
        : []),
      `WHEN NOT MATCHED THEN INSERT (${columns.join(", ")}) VALUES (${columns.map((column) => `N.${column}`).join(", ")})`,
    ].join(" "),
    step: "stage",
    subject: table.name,
    metered: true,
  };
}

/** All that there are: table, LOAD_ID, and the table again if it was published. */
export function findFirstLoads(): Statement {
  return {
    sql: `SELECT F.TABLE_NAME, F.LOAD_ID, W.TABLE_NAME AS PUBLISHED FROM ${FIRST_LOADS} AS F LEFT JOIN ${WATERMARKS} AS W ON W.TABLE_NAME = F.TABLE_NAME`,
    step: "prepare",
    metered: true,
  };
}

const among = (tables: readonly string[]): string =>
  `TABLE_NAME IN (${tables.map((table) => value(table)).join(", ")})`;

export function forgetFirstLoads(tables: readonly string[]): Statement {
  return { sql: `DELETE FROM ${FIRST_LOADS} WHERE ${among(tables)}`, step: "clean", metered: true };
}

/** Within the publishing transaction. */
export function endFirstLoads(tables: readonly string[], batchId: number): Statement {
  return {
    sql: `DELETE FROM ${FIRST_LOADS} WHERE ${among(tables)} AND ${guarded(batchId)}`,
    step: "publish",
    metered: true,
  };
}

/** One load, but none that has taken its place. */
export function dropFirstLoad(table: string, loadId: string): Statement {
  return {
    sql: `DELETE FROM ${FIRST_LOADS} WHERE TABLE_NAME = ${value(table)} AND LOAD_ID = ${value(loadId)}`,
    step: "clean",
    subject: table,
    metered: true,
  };
}

/** Rows of an earlier opening into those of the later ones, but those whose key is there already. */
export function takeEarlier({ table, columns, target }: IncomingShape, earlier: string): Statement {
  const names = columns.map((column) => name(column.name));
  return loading(
    table,
    `INSERT INTO ${target} (${names.join(", ")}) SELECT ${names.map((column) => `S.${column}`).join(", ")} FROM ${earlier} AS S WHERE NOT EXISTS (SELECT 1 FROM ${target} AS N WHERE ${sameKey(table, "S", "N")})`,
  );
}

/** Rows whose key is not among `keys`. MERGE rather than DELETE, whose target cannot have an alias. */
export function deleteAbsent({ table, target }: IncomingShape, keys: string): Statement {
  const key = table.primaryKey.map((column) => `S.${name(column)}`);
  return loading(
    table,
    `MERGE INTO ${target} AS T USING (SELECT ${key.join(", ")} FROM ${target} AS S WHERE NOT EXISTS (SELECT 1 FROM ${keys} AS K WHERE ${sameKey(table, "S", "K")})) AS V ON ${sameKey(table, "T", "V")} WHEN MATCHED THEN DELETE`,
  );
}

export function countRows({ table, target }: IncomingShape): Statement {
  return { sql: `SELECT COUNT(*) FROM ${target}`, step: "check", subject: table.name, metered: true };
}

function loading(table: ManifestTable, sql: string): Statement {
  return { sql, step: "load", subject: table.name, metered: true };
}

/** Both sides are incoming tables, which hold what PostgreSQL has sent. */
function sameKey({ primaryKey }: ManifestTable, left: string, right: string): string {
  return primaryKey.map((column) => `${left}.${name(column)} = ${right}.${name(column)}`).join(" AND ");
}
