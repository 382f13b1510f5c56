/** Reads tables, columns, keys and comments of a live PostgreSQL schema. */
import { Pool } from "pg";
import { NovaError } from "../core/errors.ts";
import type { LiveForeignKey, LiveTable } from "../manifest/introspect.ts";
import { isKeyless, readSchemaRelations, type Relation, type RunQuery } from "./catalogue.ts";
import { sourceConnection } from "./connection.ts";
import { Session } from "./session.ts";
import { sqlFile } from "./sql-file.ts";
import { beginSql } from "./transaction.ts";

const FOREIGN_KEYS = sqlFile("foreign-keys");

export interface IntrospectOptions {
  /** As for `connectSource`. */
  readonly url: string;
  /** PostgreSQL schema; `public` unless told. */
  readonly schema?: string | undefined;
  /** Names of what is wanted beside the schema's tables, because the manifest has it: views, partitions. */
  readonly named?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface ForeignKeyRow {
  relation: number;
  columns: string[];
  target_schema: string;
  target_table: string;
  target_columns: string[];
}

/**
 * The tables of the schema in order of their names: no views, no partitions (they stand under their parent), nothing of extensions, unless
 * named.
 *
 * @throws NovaError SOURCE_TABLE_MISSING if there is no such schema or no table in it, and the others of SOURCE_*
 */
export async function introspectSchema(options: IntrospectOptions): Promise<readonly LiveTable[]> {
  const { url, schema = "public", named, signal } = options;
  const { config, address } = sourceConnection(url);
  const pool = new Pool({ ...config, max: 2, connectionTimeoutMillis: 15_000 });
  pool.on("error", () => {});
  await using _pool = { [Symbol.asyncDispose]: () => pool.end() };
  // No setting that came after version 14 matters to the catalogue.
  const begin = beginSql({ statementTimeout: 0, lockTimeout: 30_000, serverVersion: 0 });
  await using session = await Session.open({ pool, address, begin, signal });
  const query: RunQuery = (sql, params) =>
    session.query(sql, params, { signal, doing: `reading the schema ${schema}` });
  const relations = await readSchemaRelations(query, schema, named);
  if (relations.length === 0) {
    throw new NovaError("SOURCE_TABLE_MISSING", `The source has no schema "${schema}" with tables in it.`, {
      remedy: "Name the schema that holds the tables.",
    });
  }
  const foreignKeys = Map.groupBy(
    await query<ForeignKeyRow>(FOREIGN_KEYS, [relations.map((relation) => relation.oid)]),
    (row) => row.relation,
  );
  return relations.map((relation) => liveTable(relation, foreignKeys.get(relation.oid) ?? []));
}

function liveTable(relation: Relation, foreignKeys: readonly ForeignKeyRow[]): LiveTable {
  const notNull = new Set(relation.columns.filter((column) => column.notNull).map((column) => column.name));
  const key = relation.uniqueKeys.find(({ columns }) => columns.every((column) => notNull.has(column)));
  return {
    schema: relation.schema,
    name: relation.name,
    comment: relation.comment ?? undefined,
    columns: relation.columns.map((column) => ({ ...column, comment: column.comment ?? undefined })),
    primaryKey: key?.columns ?? [],
    ...(isKeyless(relation) && { keyless: true }),
    foreignKeys: foreignKeys.map((row): LiveForeignKey => ({
      columns: row.columns,
      targetSchema: row.target_schema,
      targetTable: row.target_table,
      targetColumns: row.target_columns,
    })),
  };
}
