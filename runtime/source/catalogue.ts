/** What PostgreSQL's catalogue says about tables: columns with their types, unique keys, privileges. */
import type { QueryResultRow } from "pg";
import type { PostgresType } from "../manifest/postgres-type.ts";
import { sqlFile } from "./sql-file.ts";

/** Runs one statement and gives its rows. */
export type RunQuery = <Row extends QueryResultRow>(sql: string, params?: readonly unknown[]) => Promise<Row[]>;

/** pg_class.relkind: table, partitioned table, view, materialized view, foreign table. */
type RelationKind = "r" | "p" | "v" | "m" | "f";

export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  readonly comment: string | null;
  readonly schemaUsage: boolean;
  readonly readable: boolean;
  /** Whether row-level security hides rows from the user. */
  readonly filtered: boolean;
  readonly columns: readonly RelationColumn[];
  /** The primary key first, if there is one. */
  readonly uniqueKeys: readonly UniqueKey[];
}

export interface RelationColumn {
  readonly name: string;
  /** attnum, which no other column of the table ever had. */
  readonly number: number;
  readonly type: PostgresType;
  readonly notNull: boolean;
  readonly comment: string | null;
}

interface UniqueKey {
  readonly isPrimary: boolean;
  readonly columns: readonly string[];
}

/** Views, materialized views and foreign tables: of their columns nothing is known but name and type. */
export function isKeyless({ kind }: Pick<Relation, "kind">): boolean {
  return kind === "v" || kind === "m" || kind === "f";
}

const BY_NAME = sqlFile("relations-by-name");
const IN_SCHEMA = sqlFile("relations-in-schema");
const COLUMNS = sqlFile("columns");
const UNIQUE_KEYS = sqlFile("unique-keys");

interface RelationRow {
  oid: number;
  schema: string;
  name: string;
  kind: RelationKind;
  schema_usage: boolean;
  readable: boolean;
  filtered: boolean;
  comment: string | null;
}

interface ColumnRow {
  relation: number;
  name: string;
  number: number;
  type_name: string;
  modifier: number;
  type_text: string;
  not_null: boolean;
  comment: string | null;
}

interface UniqueKeyRow {
  relation: number;
  is_primary: boolean;
  columns: string[];
}

/** Those of the named tables that exist. */
export function readRelations(
  query: RunQuery,
  names: readonly { readonly schema: string; readonly name: string }[],
): Promise<Relation[]> {
  return withParts(query, query<RelationRow>(BY_NAME, [JSON.stringify(names)]));
}

/** The tables of a schema, in order of their names; partitions stand under their parent. @param named what else is wanted, views and partitions too */
export function readSchemaRelations(
  query: RunQuery,
  schema: string,
  named: readonly string[] = [],
): Promise<Relation[]> {
  return withParts(query, query<RelationRow>(IN_SCHEMA, [schema, named]));
}

async function withParts(query: RunQuery, pending: Promise<RelationRow[]>): Promise<Relation[]> {
  const relations = await pending;
  const oids = relations.map((relation) => relation.oid);
  const columns = Map.groupBy(await query<ColumnRow>(COLUMNS, [oids]), (row) => row.relation);
  const keys = Map.groupBy(await query<UniqueKeyRow>(UNIQUE_KEYS, [oids]), (row) => row.relation);
  return relations.map(({ schema_usage, ...relation }) => ({
    ...relation,
    schemaUsage: schema_usage,
    columns: (columns.get(relation.oid) ?? []).map((row) => ({
      name: row.name,
      number: row.number,
      type: { name: row.type_name, modifier: row.modifier, text: row.type_text },
      notNull: row.not_null,
      comment: row.comment,
    })),
    uniqueKeys: (keys.get(relation.oid) ?? []).map((row) => ({ isPrimary: row.is_primary, columns: row.columns })),
  }));
}

/** @throws RangeError if there is no such column, which preflight rules out */
export function liveColumn(relation: Relation, name: string): RelationColumn {
  const column = relation.columns.find((candidate) => candidate.name === name);
  if (!column) throw new RangeError(`${relation.schema}.${relation.name} has no column ${name}`);
  return column;
}
