/** What DuckDB's catalogue says of tables and views. */
import { literal } from "../../core/sql.ts";
import type { Relation, RelationInfo } from "../warehouse.ts";
import { exactTypeOf } from "./duckdb-type.ts";
import type { Session } from "./engine.ts";

export interface ColumnFacts {
  readonly name: string;
  /** DuckDB's own. */
  readonly type: string;
  readonly nullable: boolean;
}

/** In the order of the columns; empty if there is no such relation. */
export async function relationColumnFacts(
  session: Session,
  { schema, name }: Relation,
): Promise<readonly ColumnFacts[]> {
  const { rows } = await session.run(
    `SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE database_name = current_database() AND lower(schema_name) = lower(${literal(schema)}) AND lower(table_name) = lower(${literal(name)}) ORDER BY column_index`,
  );
  return rows.map(columnFacts);
}

export interface RelationFacts {
  readonly kind: "table" | "view";
  /** In their order. */
  readonly columns: readonly ColumnFacts[];
}

/**
 * Of several relations, in their order; undefined for one that is not there. Each question goes through the whole catalogue, so that one for
 * each of 200 tables took most of a batch that found nothing.
 */
export async function relationFacts(
  session: Session,
  relations: readonly Relation[],
): Promise<readonly (RelationFacts | undefined)[]> {
  if (relations.length === 0) return [];
  const asked = relations.map(({ schema, name }, index) => `(${index}, ${literal(schema)}, ${literal(name)})`);
  const of = (facts: string, columns: string): string =>
    `SELECT asked.index, ${columns} FROM (VALUES ${asked.join(", ")}) AS asked(index, schema, name) JOIN ${facts} AS found ON lower(found.schema_name) = lower(asked.schema) AND lower(found.table_name) = lower(asked.name)`;
  const here = "database_name = current_database()";
  const kinds = `(SELECT schema_name, table_name, 'table' AS kind FROM duckdb_tables() WHERE ${here} UNION ALL SELECT schema_name, view_name, 'view' FROM duckdb_views() WHERE ${here})`;
  const columns = `(SELECT * FROM duckdb_columns() WHERE ${here})`;
  const found = await session.run(of(kinds, "found.kind"));
  const live = await session.run(
    `${of(columns, "found.column_name, found.data_type, found.is_nullable")} ORDER BY asked.index, found.column_index`,
  );
  const kindOf = new Map(
    found.rows.map(([index, kind]) => [Number(index), kind === "view" ? "view" : "table"] as const),
  );
  const columnsOf = Map.groupBy(live.rows, ([index]) => Number(index));
  return relations.map((_, index) => {
    const kind = kindOf.get(index);
    return kind && { kind, columns: (columnsOf.get(index) ?? []).map(([, ...row]) => columnFacts(row)) };
  });
}

const columnFacts = ([column, type, nullable]: readonly unknown[]): ColumnFacts => ({
  name: String(column),
  type: String(type),
  nullable: nullable === true,
});

/** Tables and views of a schema, in order of their names. */
export async function relationsOf(session: Session, schema: string): Promise<readonly RelationInfo[]> {
  const here = `database_name = current_database() AND lower(schema_name) = lower(${literal(schema)})`;
  const { rows } = await session.run(
    [
      "SELECT r.schema_name, r.name, r.kind, c.column_name, c.data_type FROM (",
      `SELECT schema_name, table_name AS name, 'table' AS kind FROM duckdb_tables() WHERE ${here}`,
      `UNION ALL SELECT schema_name, view_name, 'view' FROM duckdb_views() WHERE ${here} AND NOT internal`,
      `) AS r LEFT JOIN (SELECT * FROM duckdb_columns() WHERE ${here}) AS c ON c.table_name = r.name`,
      "ORDER BY r.name, c.column_index",
    ].join(" "),
  );
  const relations = new Map<
    string,
    { info: Omit<RelationInfo, "columns">; columns: { name: string; type: string }[] }
  >();
  for (const [schemaName, name, kind, column, type] of rows) {
    const key = String(name);
    const found = relations.get(key) ?? {
      info: { schema: String(schemaName), name: key, kind: kind === "view" ? ("view" as const) : ("table" as const) },
      columns: [],
    };
    relations.set(key, found);
    if (column !== null && column !== undefined)
      found.columns.push({ name: String(column), type: exactTypeOf(String(type)) });
  }
  return [...relations.values()].map(({ info, columns }) => ({ ...info, columns }));
}
