/** What `doctor` asks. Nothing here needs a warehouse to run, so that looking costs nothing. */
import { identifier } from "../../../core/sql.ts";
import type { ManifestTable } from "../../../manifest/manifest.ts";
import type { Statement } from "../statement.ts";
import { describeStageTable, showWarehouses } from "./catalogue.ts";
import { likePattern, value } from "./names.ts";

const diagnosis = (sql: string): Statement => ({ sql, step: "diagnose", metered: false });

/**
 * Who and where the session is, and what time it is there; CURRENT_SECONDARY_ROLES gives `{"roles":"A,B","value":"ALL"}`.
 * https://docs.snowflake.com/en/sql-reference/functions-context
 */
export function readIdentity(): Statement {
  const functions = [
    "CURRENT_USER",
    "CURRENT_ROLE",
    "CURRENT_SECONDARY_ROLES",
    "CURRENT_ORGANIZATION_NAME",
    "CURRENT_ACCOUNT_NAME",
    "CURRENT_REGION",
    "CURRENT_DATABASE",
    "CURRENT_VERSION",
    "CURRENT_TIMESTAMP",
  ];
  return diagnosis(`SELECT ${functions.map((name) => `${name}()`).join(", ")}`);
}

/** Columns `name`, …; only schemas that the role has some privilege on: https://docs.snowflake.com/en/sql-reference/sql/show-schemas#output */
export function showSchemas(database: string): Statement {
  return diagnosis(`SHOW SCHEMAS IN DATABASE ${identifier(database)}`);
}

/** Columns `privilege`, `granted_on`, `name`, …: https://docs.snowflake.com/en/sql-reference/sql/show-grants */
export function showGrantsToRole(role: string): Statement {
  return diagnosis(`SHOW GRANTS TO ROLE ${identifier(role)}`);
}

/** As it is asked before each batch. */
export function showWarehouse(name: string): Statement {
  return { ...showWarehouses(name), step: "diagnose" };
}

/** As it is asked before each batch. */
export function describeTable(table: ManifestTable): Statement {
  return { ...describeStageTable(table), step: "diagnose" };
}

/**
 * Columns `name`, `credit_quota`, `used_credits`, `remaining_credits`, …; none for a role that may not see it.
 * https://docs.snowflake.com/en/sql-reference/sql/show-resource-monitors#output
 */
export function showResourceMonitors(name: string): Statement {
  return diagnosis(`SHOW RESOURCE MONITORS LIKE ${value(likePattern(name))}`);
}
