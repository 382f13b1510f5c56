/** What there is: stage tables, relations, the warehouse. None of it needs a running warehouse. */
import type { ManifestTable } from "../../../manifest/manifest.ts";
import type { Statement } from "../statement.ts";
import { likePattern, name, stageTable, value } from "./names.ts";

/** Columns `name`, `type`, `kind`, `null?`, …: https://docs.snowflake.com/en/sql-reference/sql/desc-table#output */
export function describeStageTable(table: ManifestTable): Statement {
  return { sql: `DESCRIBE TABLE ${stageTable(table)}`, step: "prepare", subject: table.name, metered: false };
}

/**
 * Columns `name`, `state`, `size`, `auto_suspend`, `auto_resume`, …: https://docs.snowflake.com/en/sql-reference/sql/show-warehouses#output
 * The pattern may match others too.
 */
export function showWarehouses(pattern: string): Statement {
  return { sql: `SHOW WAREHOUSES LIKE ${value(likePattern(pattern))}`, step: "prepare", metered: false };
}

/** Columns `name`, `kind`, …: https://docs.snowflake.com/en/sql-reference/sql/show-objects#output */
export function showRelations(schema: string): Statement {
  return { sql: `SHOW TERSE OBJECTS IN SCHEMA ${name(schema)}`, step: "state", metered: false };
}

/** Columns `table_name`, `column_name`, `data_type` (JSON), …: https://docs.snowflake.com/en/sql-reference/sql/show-columns#output */
export function showColumns(schema: string): Statement {
  return { sql: `SHOW COLUMNS IN SCHEMA ${name(schema)}`, step: "state", metered: false };
}
