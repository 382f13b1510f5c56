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
  return rows.map(([column, type, nullable]) => ({
    name: String(column),
    type: String(type),
    nullable: nullable === true,
  }));
}

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
