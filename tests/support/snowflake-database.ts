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
  /** Tables that are there already get the columns that they lack. */
  makeStageTables(manifest: Manifest): Promise<void>;
}

type StageTableColumn = ReturnType<typeof stageTableColumns>[number];

/** @param url of the account; its role may CREATE DATABASE. The database is dropped with the result. */
export async function createSnowflakeDatabase(url: string): Promise<SnowflakeDatabase> {
  const name = `NOVADRIVE_TEST_${Date.now().toString(36)}_${randomBytes(3).toString("hex")}`.toUpperCase();
  const own = new URL(url);
  own.pathname = `/${name}`;
  const target = parseSnowflakeUrl(url);
  const sessions = openSessions({ target, warn: () => undefined, usage: new UsageMeter(systemClock), parallel: 1 });
  const run = (sql: string) => sessions.use((session) => session.run({ sql, step: "query", metered: false }));
  await using made = new AsyncDisposableStack();
  made.use(sessions);
  await run(`CREATE TRANSIENT DATABASE ${identifier(name)} DATA_RETENTION_TIME_IN_DAYS = 0`);
  made.defer(async () => void (await run(`DROP DATABASE IF EXISTS ${identifier(name)}`)));
  for (const schema of ["STAGE", "ANALYTICS", "PIPELINE"]) await run(`CREATE SCHEMA ${identifier(name, schema)}`);
  const tables = new Map<string, Set<string>>();
  const owned = made.move();
  return {
    url: own.href,
    async makeStageTables(manifest) {
      for (const table of manifest.tables) {
        const relation = identifier(name, table.schema.toUpperCase(), table.name.toUpperCase());
        const columns = stageTableColumns(table);
        const there = tables.get(relation);
        tables.set(relation, new Set(columns.map((column) => column.name)));
        if (!there) await run(`CREATE TABLE ${relation} (${columns.map(definition).join(", ")})`);
        for (const column of there ? columns.filter((one) => !there.has(one.name)) : []) {
          // A table with rows takes only columns that may be NULL.
          await run(`ALTER TABLE ${relation} ADD COLUMN ${definition({ ...column, nullable: true })}`);
        }
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function definition({ name, type, nullable, comment }: StageTableColumn): string {
  const remark = comment === undefined ? "" : ` COMMENT ${literal(comment, "backslash-escapes")}`;
  return `${identifier(name)} ${type}${nullable ? "" : " NOT NULL"}${remark}`;
}
