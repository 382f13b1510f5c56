/** DESCRIBE: https://docs.snowflake.com/en/sql-reference/sql/desc-table. */
import type { StatementContext } from "../context.ts";
import { table, type Outcome } from "../result.ts";
import { exactType } from "../../../../runtime/manifest/warehouse-type.ts";

const COLUMNS = [
  "name",
  "type",
  "kind",
  "null?",
  "default",
  "primary key",
  "unique key",
  "check",
  "expression",
  "comment",
  "policy name",
  "privacy domain",
] as const;

export async function describeObject(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  const isView = reader.words("VIEW");
  if (!isView) context.expect(reader, "TABLE");
  const relation = context.relation(context.path(reader), isView ? "View" : "Table");
  reader.words("TYPE");
  if (!reader.done() && !reader.punctuation("=")) throw context.unexpected(reader);
  const rows = relation.columns.map((column) => [
    column.name,
    exactType(column.type),
    "COLUMN",
    column.nullable ? "Y" : "N",
    null,
    "N",
    "N",
    null,
    null,
    column.comment ?? null,
    null,
    null,
  ]);
  return table(COLUMNS, rows);
}
