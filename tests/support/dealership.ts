/** A dealership in a database of its own, an empty warehouse, and the settings to run batches between them. */
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../runtime/config/config.ts";
import type { Config, OptionName } from "../../runtime/config/options.ts";
import { EventBus, type BatchEvent } from "../../runtime/core/events.ts";
import type { BatchResult } from "../../runtime/core/result.ts";
import { identifier } from "../../runtime/core/sql.ts";
import { createHistory } from "../../runtime/demo/history.ts";
import { readManifest } from "../../runtime/manifest/read.ts";
import { runBatch, type RunBatchOptions } from "../../runtime/schedule/run-batch.ts";
import { Store } from "../../runtime/store/store.ts";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import { createTestDatabase, type TestDatabase } from "./postgres.ts";

export const SQL_FOLDER = join(import.meta.dirname, "../../sql");

export interface Dealership extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly config: Config;
  /** Temporary; holds warehouse and state. */
  readonly folder: string;
  /** Environment for a `novadrive` process with the same settings. */
  readonly environment: Readonly<Record<string, string>>;
  run(options?: Partial<RunBatchOptions>): Promise<BatchResult>;
  /** Rows of a query in Snowflake's dialect, values as text. */
  ask(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** What differs between stage and source, by table; empty when they are equal. */
  differences(): Promise<Readonly<Record<string, unknown>>>;
  /** Of all batches so far. */
  readonly events: readonly BatchEvent[];
}

export interface DealershipOptions {
  readonly sales?: number | undefined;
  readonly settings?: Readonly<Partial<Record<OptionName, string>>> | undefined;
}

export async function createDealership({ sales = 2_000, settings = {} }: DealershipOptions = {}): Promise<Dealership> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), "novadrive-dealership-"));
  const signal = new AbortController().signal;
  await createHistory({ url: database.url, sales, now: new Date("2026-01-15T12:00:00Z"), signal });
  const flags = {
    sourceUrl: database.url,
    warehouseUrl: `duckdb:${join(folder, "warehouse.duckdb")}`,
    stateDir: join(folder, "state"),
    projectDir: SQL_FOLDER,
    retries: "0",
    ...settings,
  };
  await shareTranslations(flags.stateDir);
  const config = loadConfig({ flags, environment: {} });
  const events: BatchEvent[] = [];
  return {
    database,
    config,
    folder,
    environment: {
      NOVADRIVE_SOURCE_URL: flags.sourceUrl,
      NOVADRIVE_WAREHOUSE_URL: flags.warehouseUrl,
      NOVADRIVE_STATE_DIR: flags.stateDir,
      NOVADRIVE_PROJECT_DIR: flags.projectDir,
      NOVADRIVE_RETRIES: flags.retries,
    },
    events,
    run: async (options = {}) => {
      const bus = new EventBus();
      const { stateDir } = options.config ?? config;
      using store = Store.open({ folder: stateDir });
      bus.subscribe((event) => store.record(event));
      bus.subscribe((event) => void events.push(event));
      return await runBatch({ config, store, events: bus, trigger: "command", signal, ...options });
    },
    ask: async (sql) => {
      await using warehouse = await openWarehouse({ url: flags.warehouseUrl });
      return (await warehouse.query(sql)).rows;
    },
    differences: () => findDifferences(database, flags.warehouseUrl),
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Every dealership has the same models: what was translated for one is found by the next, as by the next batch on a real machine. */
async function shareTranslations(stateDir: string): Promise<void> {
  const shared = join(tmpdir(), `novadrive-translations-${process.ppid}`);
  await mkdir(shared, { recursive: true });
  await mkdir(stateDir, { recursive: true });
  await symlink(shared, join(stateDir, "cache"));
}

/** Brings the stage rows back into PostgreSQL, into a table of the source's own types, and joins the two in full. */
async function findDifferences(database: TestDatabase, warehouseUrl: string): Promise<Record<string, unknown>> {
  const differences: Record<string, unknown> = {};
  await using warehouse = await openWarehouse({ url: warehouseUrl });
  for (const table of readManifest(join(SQL_FOLDER, "models/manifest.yml")).tables) {
    const columns = table.columns.map((column) => column.name);
    const { rows } = await warehouse.query(`SELECT ${columns.join(", ")} FROM ${table.schema}.${table.name}`);
    const records = rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
    const source = identifier(table.sourceSchema, table.sourceTable);
    const copy = identifier(`stage of ${table.name}`);
    const key = table.primaryKey.map((column) => identifier(column)).join(", ");
    await database.query(`DROP TABLE IF EXISTS ${copy}; CREATE TABLE ${copy} (LIKE ${source})`);
    await database.query(`INSERT INTO ${copy} SELECT * FROM jsonb_populate_recordset(NULL::${copy}, $1::jsonb)`, [
      JSON.stringify(records),
    ]);
    const different = await database.query(
      `SELECT to_jsonb(a) AS source, to_jsonb(b) AS stage FROM ${source} a FULL JOIN ${copy} b USING (${key})
       WHERE to_jsonb(a) IS DISTINCT FROM to_jsonb(b) LIMIT 5`,
    );
    await database.query(`DROP TABLE ${copy}`);
    if (different.length > 0) differences[table.name] = different;
  }
  return differences;
}
