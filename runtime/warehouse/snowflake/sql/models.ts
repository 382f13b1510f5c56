/** Statements that build models. What a user wrote stands behind a line break, so that only its line number shifts. */
import { identifier } from "../../../core/sql.ts";
import type { Relation } from "../../warehouse.ts";
import type { Statement, Step } from "../statement.ts";
import { likePattern, name, relationText, RESULT, value } from "./names.ts";
import { building } from "./pipeline.ts";

type RelationKind = "table" | "view";

function user(prefix: string, sql: string, rest: Pick<Statement, "step" | "subject" | "metered">): Statement {
  return { ...rest, sql: prefix + sql, prefix };
}

/** What bears the name now, others with a like name too: columns `name` and `kind` of https://docs.snowflake.com/en/sql-reference/sql/show-objects */
export function showRelation({ schema, name: own }: Relation): Statement {
  return {
    sql: `SHOW TERSE OBJECTS LIKE ${value(likePattern(own))} IN SCHEMA ${name(schema)}`,
    step: "build",
    subject: own,
    metered: false,
  };
}

export function dropRelation(kind: RelationKind, relation: Relation): Statement {
  return {
    sql: `DROP ${kind.toUpperCase()} IF EXISTS ${relationText(relation)}`,
    step: "build",
    subject: relation.name,
    metered: false,
  };
}

export interface Described {
  readonly relation: Relation;
  readonly description?: string | undefined;
}

/** https://docs.snowflake.com/en/sql-reference/sql/create-table#create-table-as-select-also-referred-to-as-ctas */
export function createTable({ relation, description }: Described, sql: string): Statement {
  const prefix = `CREATE OR REPLACE TRANSIENT TABLE ${relationText(relation)} COPY GRANTS${comment(description)} AS\n`;
  return user(prefix, sql, { step: "model", subject: relation.name, metered: true });
}

/**
 * Descriptions of a view's columns are part of its definition, which then has to name all of them.
 * https://docs.snowflake.com/en/sql-reference/sql/create-view
 *
 * @param columns as DESCRIBE names them; undefined leaves the list out
 */
export function createView(
  { relation, description }: Described,
  sql: string,
  columns?: readonly { readonly name: string; readonly description?: string | undefined }[],
): Statement {
  const list = columns?.map((column) => {
    const own = identifier(column.name);
    return column.description === undefined ? own : `${own} COMMENT ${value(column.description)}`;
  });
  const columnList = list === undefined ? "" : ` (${list.join(", ")})`;
  const prefix = `CREATE OR REPLACE VIEW ${relationText(relation)}${columnList} COPY GRANTS${comment(description)} AS\n`;
  return user(prefix, sql, { step: "model", subject: relation.name, metered: false });
}

function comment(description: string | undefined): string {
  return description === undefined ? "" : ` COMMENT = ${value(description)}`;
}

export function describeRelation(kind: RelationKind, relation: Relation): Statement {
  return {
    sql: `DESCRIBE ${kind.toUpperCase()} ${relationText(relation)}`,
    step: "build",
    subject: relation.name,
    metered: false,
  };
}

export function describeResult(subject: string): Statement {
  return { sql: `DESCRIBE TABLE ${RESULT}`, step: "build", subject, metered: false };
}

/** https://docs.snowflake.com/en/sql-reference/sql/alter-table, …/alter-view */
export function renameRelation(kind: RelationKind, from: Relation, to: Relation): Statement {
  return {
    sql: `ALTER ${kind.toUpperCase()} ${relationText(from)} RENAME TO ${relationText(to)}`,
    step: "build",
    subject: to.name,
    metered: false,
  };
}

/**
 * Texts may become longer and numbers may get more digits in place: https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
 *
 * @param columns as DESCRIBE names them
 */
export function widenColumns(
  relation: Relation,
  columns: readonly { readonly name: string; readonly type: string }[],
): Statement {
  const changes = columns.map((column) => `COLUMN ${identifier(column.name)} TYPE ${column.type}`);
  return {
    sql: `ALTER TABLE ${relationText(relation)} ALTER (${changes.join(", ")})`,
    step: "build",
    subject: relation.name,
    metered: false,
  };
}

/** @param columns as DESCRIBE names them. All in one statement: https://docs.snowflake.com/en/sql-reference/sql/alter-table-column */
export function commentColumns(
  relation: Relation,
  columns: readonly { readonly name: string; readonly description: string }[],
): Statement {
  const changes = columns.map((column) => `COLUMN ${identifier(column.name)} COMMENT ${value(column.description)}`);
  return {
    sql: `ALTER TABLE ${relationText(relation)} ALTER (${changes.join(", ")})`,
    step: "build",
    subject: relation.name,
    metered: false,
  };
}

/** The rows of an incremental model, before they are added. Creating it commits, so it is done before the transaction. */
export function createResult(model: string, sql: string): Statement {
  const prefix = `CREATE OR REPLACE TEMPORARY TABLE ${RESULT} AS\n`;
  return user(prefix, sql, { step: "model", subject: model, metered: true });
}

/** One key of the result that is NULL, or that several rows share: rows, rows with NULL, the key's values. @param uniqueKey as DESCRIBE names it */
export function findBadResultKey(model: string, uniqueKey: readonly string[]): Statement {
  const keys = uniqueKey.map((column) => identifier(column));
  const isNull = `COUNT_IF(${keys.map((key) => `${key} IS NULL`).join(" OR ")})`;
  const texts = keys.map((key) => `TO_VARCHAR(${key})`);
  return build(
    model,
    `SELECT COUNT(*), ${isNull}, ${texts.join(", ")} FROM ${RESULT} GROUP BY ${keys.join(", ")} HAVING COUNT(*) > 1 OR ${isNull} > 0 ORDER BY 2 DESC LIMIT 1`,
  );
}

export interface ResultRows {
  readonly relation: Relation;
  /** As DESCRIBE names them, those of `uniqueKey` too. */
  readonly columns: readonly string[];
  readonly buildId: string;
}

export function insertResult({ relation, columns, buildId }: ResultRows): Statement {
  const names = columns.map((column) => identifier(column)).join(", ");
  return build(
    relation.name,
    `INSERT INTO ${relationText(relation)} (${names}) SELECT ${names} FROM ${RESULT} WHERE ${building(buildId)}`,
  );
}

/** Equal rows stay untouched. */
export function mergeResult({ relation, columns, buildId }: ResultRows, uniqueKey: readonly string[]): Statement {
  const keys = new Set(uniqueKey);
  const names = columns.map((column) => identifier(column));
  const others = columns.filter((column) => !keys.has(column)).map((column) => identifier(column));
  const on = uniqueKey.map((column) => `T.${identifier(column)} = R.${identifier(column)}`).join(" AND ");
  const update =
    others.length === 0
      ? []
      : [
          `WHEN MATCHED AND (${others.map((column) => `T.${column} IS DISTINCT FROM R.${column}`).join(" OR ")})`,
          `THEN UPDATE SET ${others.map((column) => `${column} = R.${column}`).join(", ")}`,
        ];
  return build(
    relation.name,
    [
      `MERGE INTO ${relationText(relation)} AS T USING (SELECT ${names.join(", ")} FROM ${RESULT} WHERE ${building(buildId)}) AS R ON ${on}`,
      ...update,
      `WHEN NOT MATCHED THEN INSERT (${names.join(", ")}) VALUES (${names.map((column) => `R.${column}`).join(", ")})`,
    ].join(" "),
  );
}

export function countRelation(relation: Relation): Statement {
  return build(relation.name, `SELECT COUNT(*) FROM ${relationText(relation)}`);
}

function build(subject: string, sql: string): Statement {
  return { sql, step: "build", subject, metered: true };
}

/** SQL of the user and nothing else. */
export function userStatement(step: Extract<Step, "hook" | "query">, sql: string, subject?: string): Statement {
  return user("", sql, { step, subject, metered: true });
}
