/** A shop whose batches into Snowflake are disturbed, with models that show whether anything came twice or not at all. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../runtime/config/config.ts";
import { EventBus } from "../../runtime/core/events.ts";
import type { BatchResult } from "../../runtime/core/result.ts";
import { readManifest } from "../../runtime/manifest/read.ts";
import { runBatch } from "../../runtime/schedule/run-batch.ts";
import { Store } from "../../runtime/store/store.ts";
import { createTestDatabase, type TestDatabase } from "./postgres.ts";
import type { SnowflakeServer } from "./snowflake/server.ts";
import { startTestSnowflake } from "./test-snowflake.ts";

const FILES: Readonly<Record<string, string>> = {
  "dbt_project.yml": "name: shop\nprofile: shop\nmodel-paths: [models]\n",
  "models/manifest.yml": `version: 2
sources:
  - name: stage
    schema: stage
    config: {meta: {source_schema: public}}
    tables:
      - name: orders
        config: {meta: {primary_key: [id], sync: {mode: incremental, cursor: changed_at, deletes: hard}}}
        columns:
          - {name: id, data_type: integer, constraints: [{type: not_null}]}
          - {name: price, data_type: "decimal(10,2)"}
          - {name: changed_at, data_type: timestamp_ltz}
      - name: rates
        config: {meta: {sync: {mode: full_refresh}}}
        columns:
          - {name: currency, data_type: text}
          - {name: rate, data_type: float}
`,
  "models/schema.yml": `version: 2
models:
  - name: prices
    description: It's the orders, as they are.
    columns: [{name: id, description: key}]
`,
  "models/prices.sql": "select id, price from {{ source('stage', 'orders') }}",
  "models/totals.sql":
    "{{ config(materialized='table') }}select count(*) as orders, sum(price) as total from {{ ref('prices') }}",
  "models/followed.sql": `{{ config(materialized='incremental', unique_key='id', post_hook="{% if is_incremental() %}delete from {{ this }} where id not in (select id from {{ source('stage', 'orders') }}){% endif %}") }}
select id, price from {{ source('stage', 'orders') }}
{% if is_incremental() %}where _batch_id > (select max(batch_id) from pipeline.model_builds where model = 'followed'){% endif %}`,
  // Without a key: rows that come twice stay twice.
  "models/log.sql": `{{ config(materialized='incremental') }}
select id, _batch_id as batch_id from {{ source('stage', 'orders') }}
{% if is_incremental() %}where _batch_id > (select max(batch_id) from pipeline.model_builds where model = 'log'){% endif %}`,
};

export interface FaultShop extends AsyncDisposable {
  readonly server: SnowflakeServer;
  readonly database: TestDatabase;
  /** For a `novadrive` process with the same settings. */
  readonly environment: Readonly<Record<string, string>>;
  /** A new row, changed ones, a deleted one; a row without a key more and one less. */
  change(): Promise<void>;
  run(options?: { readonly fullRefresh?: boolean }): Promise<BatchResult>;
  /** What is not as it should be after a batch that succeeded. */
  problems(): Promise<readonly string[]>;
}

export async function createFaultShop(settings: Readonly<Record<string, string>> = {}): Promise<FaultShop> {
  const database = await createTestDatabase();
  await database.query(`
    CREATE TABLE orders (id int PRIMARY KEY, price numeric(10,2), changed_at timestamptz);
    CREATE TABLE rates (currency text, rate float8);
    INSERT INTO orders SELECT i, i, now() - interval '1 day' FROM generate_series(1, 50) i;
    INSERT INTO rates VALUES ('EUR', 1), ('EUR', 1), ('BRL', 'Infinity')`);
  const folder = await mkdtemp(join(tmpdir(), "novadrive-faults-"));
  const projectDir = join(folder, "sql");
  await mkdir(join(projectDir, "models"), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) await writeFile(join(projectDir, path), text);
  const snowflake = await startTestSnowflake();
  const { server } = snowflake;
  await server.createStageTables(readManifest(join(projectDir, "models/manifest.yml")));
  const flags = {
    sourceUrl: database.url,
    warehouseUrl: snowflake.url,
    stateDir: join(folder, "state"),
    projectDir,
    retries: "0",
    ...settings,
  };
  const config = loadConfig({ flags, environment: {} });
  let changes = 0;
  let refreshed = false;
  return {
    server,
    database,
    environment: {
      NOVADRIVE_SOURCE_URL: flags.sourceUrl,
      NOVADRIVE_WAREHOUSE_URL: flags.warehouseUrl,
      NOVADRIVE_STATE_DIR: flags.stateDir,
      NOVADRIVE_PROJECT_DIR: flags.projectDir,
      NOVADRIVE_RETRIES: flags.retries,
    },
    async change() {
      changes += 1;
      await database.query(`
        DELETE FROM orders WHERE id IN (SELECT min(id) FROM orders);
        INSERT INTO orders VALUES (${100 + changes}, 1, clock_timestamp());
        UPDATE orders SET price = price + 1, changed_at = clock_timestamp() WHERE id % 10 = ${changes % 10};
        DELETE FROM rates WHERE ctid IN (SELECT min(ctid) FROM rates);
        INSERT INTO rates VALUES ('USD', ${changes}.5)`);
    },
    async run(options = {}) {
      refreshed ||= options.fullRefresh === true;
      const events = new EventBus();
      using store = Store.open({ folder: config.stateDir });
      events.subscribe((event) => store.record(event));
      return await runBatch({
        config,
        store,
        events,
        trigger: "command",
        signal: new AbortController().signal,
        ...options,
      });
    },
    async problems() {
      const problems: string[] = [];
      const same = async (what: string, left: string, right: string): Promise<void> => {
        const different = await server.sql(`(${left} EXCEPT ALL ${right}) UNION ALL (${right} EXCEPT ALL ${left})`);
        if (different.length > 0) problems.push(`${what}: ${different.length} rows differ`);
      };
      const source = async (sql: string, types: string): Promise<string> => {
        const rows = await database.query<{ row: string }>(`SELECT to_json(t)::text AS row FROM (${sql}) t`);
        return `SELECT unnest(from_json('[${rows.map(({ row }) => row).join(",")}]', '[${types}]'), recursive := true)`;
      };
      const orders = await source(
        "SELECT id, price::text AS price FROM orders",
        '{"id":"BIGINT","price":"DECIMAL(10,2)"}',
      );
      await same("stage.orders", 'SELECT "ID", "PRICE" FROM "STAGE"."ORDERS"', orders);
      const rates = await source(
        "SELECT currency, rate::text AS rate FROM rates",
        '{"currency":"VARCHAR","rate":"VARCHAR"}',
      );
      await same(
        "stage.rates",
        `SELECT "CURRENCY", CASE "RATE" WHEN 'inf' THEN 'Infinity' ELSE format('{:.15g}', "RATE") END FROM "STAGE"."RATES"`,
        rates,
      );
      await same("prices", 'SELECT * FROM "ANALYTICS"."PRICES"', orders);
      await same("followed", 'SELECT * FROM "ANALYTICS"."FOLLOWED"', orders);
      await same("totals", 'SELECT * FROM "ANALYTICS"."TOTALS"', 'SELECT count(*), sum("PRICE") FROM "STAGE"."ORDERS"');
      const none = async (what: string, sql: string): Promise<void> => {
        const rows = await server.sql(sql);
        if (rows.length > 0)
          problems.push(
            `${what}: ${JSON.stringify(rows, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value))}`,
          );
      };
      await none(
        "log has rows twice",
        'SELECT "ID", "BATCH_ID" FROM "ANALYTICS"."LOG" GROUP BY ALL HAVING count(*) > 1',
      );
      await none(
        "log lacks rows",
        'SELECT "ID", "_BATCH_ID" FROM "STAGE"."ORDERS" EXCEPT SELECT "ID", "BATCH_ID" FROM "ANALYTICS"."LOG"',
      );
      await none(
        "deleted_keys has keys twice",
        'SELECT "KEY" FROM "PIPELINE"."DELETED_KEYS" GROUP BY ALL HAVING count(*) > 1',
      );
      await none(
        "batches has numbers twice",
        'SELECT "BATCH_ID" FROM "PIPELINE"."BATCHES" GROUP BY ALL HAVING count(*) > 1',
      );
      await none(
        "the guard is not at the last batch",
        'SELECT "BATCH_ID" FROM "PIPELINE"."GUARD" EXCEPT SELECT max("BATCH_ID") FROM "PIPELINE"."BATCHES"',
      );
      const [deleted] = await server.sql('SELECT count(*) FROM "PIPELINE"."DELETED_KEYS"');
      // A table that is loaded anew says nothing of what is gone from it.
      const isWrong = refreshed ? Number(deleted?.[0]) > changes : Number(deleted?.[0]) !== changes;
      if (isWrong) problems.push(`${String(deleted?.[0])} keys were deleted, not ${changes}`);
      const open = server.sessions.filter((session) => session.inTransaction);
      if (open.length > 0) problems.push(`${open.length} transactions are open`);
      await none(
        "incoming tables are left",
        `SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'INCOMING%'`,
      );
      const files = await server.stagedFiles("PIPELINE", "INCOMING");
      if (files.length > 0) problems.push(`${files.length} files are left on the stage`);
      return problems;
    },
    async [Symbol.asyncDispose]() {
      await snowflake[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
