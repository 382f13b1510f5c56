/** A database of its own in a Snowflake account, with the schemas and stage tables that the infrastructure program would make. */
import { randomBytes } from "node:crypto";
import { identifier, literal } from "../../runtime/core/sql.ts";
import { systemClock } from "../../runtime/core/clock.ts";
import type { Manifest } from "../../runtime/manifest/manifest.ts";
import { stageTableColumns } from "../../runtime/manifest/stage-table.ts";
import { openSessions } from "../../runtime/warehouse/snowflake/sessions.ts";
import { UsageMeter } from "../../runtime/warehouse/snowflake/usage.ts";
import { parseSnowflakeUrl } from "../../runtime/warehouse/snowflake/warehouse-url.ts";

export interface SnowflakeDatabase extends AsyncDisposable {
  /** For the adapter; the role of the account's URL owns everything in it. */
  readonly url: string;
  makeStageTables(manifest: Manifest): Promise<void>;
}

/** @param url of the account; its role may CREATE DATABASE. The database is dropped with the result. */
export async function createSnowflakeDatabase(url: string): Promise<SnowflakeDatabase> {
  const target = parseSnowflakeUrl(url);
  const name = `NOVADRIVE_TEST_${Date.now().toString(36)}_${randomBytes(3).toString("hex")}`.toUpperCase();
  const own = new URL(url);
  own.pathname = `/${name}`;
  const sessions = openSessions({ target, warn: () => undefined, usage: new UsageMeter(systemClock), parallel: 1 });
  const run = (sql: string) => sessions.use((session) => session.run({ sql, step: "query", metered: false }));
  await run(`CREATE TRANSIENT DATABASE ${identifier(name)} DATA_RETENTION_TIME_IN_DAYS = 0`);
  for (const schema of ["STAGE", "ANALYTICS", "PIPELINE"]) await run(`CREATE SCHEMA ${identifier(name, schema)}`);
  return {
    url: own.href,
    async makeStageTables(manifest) {
      for (const table of manifest.tables) {
        const columns = stageTableColumns(table).map((column) => {
          const comment =
            column.comment === undefined ? "" : ` COMMENT ${literal(column.comment, "backslash-escapes")}`;
          return `${identifier(column.name)} ${column.type}${column.nullable ? "" : " NOT NULL"}${comment}`;
        });
        const relation = identifier(name, table.schema.toUpperCase(), table.name.toUpperCase());
        await run(`CREATE TABLE IF NOT EXISTS ${relation} (${columns.join(", ")})`);
      }
    },
    async [Symbol.asyncDispose]() {
      await run(`DROP DATABASE IF EXISTS ${identifier(name)}`);
      await sessions[Symbol.asyncDispose]();
    },
  };
}
