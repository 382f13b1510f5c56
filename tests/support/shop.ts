/** A shop of three tables, one for each mode, with a model and a test: what a batch needs at least, on a warehouse that says it costs money. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../runtime/config/config.ts";
import type { Config } from "../../runtime/config/options.ts";
import { EventBus, type BatchEvent } from "../../runtime/core/events.ts";
import type { BatchResult } from "../../runtime/core/result.ts";
import { runBatch, type RunBatchOptions } from "../../runtime/schedule/run-batch.ts";
import { Store } from "../../runtime/store/store.ts";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import { createMeter, type Meter } from "./metered-warehouse.ts";
import { createTestDatabase, type TestDatabase } from "./postgres.ts";

const SCHEMA = `
  CREATE TABLE orders (id int PRIMARY KEY, customer text, price numeric(10,2), changed_at timestamptz);
  CREATE TABLE visits (id int PRIMARY KEY, page text);
  CREATE TABLE rates (currency text PRIMARY KEY, rate numeric(10,4));
  INSERT INTO orders SELECT i, 'customer ' || i % 3, i, '2026-01-01'::timestamptz + i * interval '1 hour' FROM generate_series(1, 20) i;
  INSERT INTO orders VALUES (21, NULL, 0, NULL);
  INSERT INTO visits SELECT i, '/' || i FROM generate_series(1, 9) i;
  INSERT INTO rates VALUES ('EUR', 1), ('BRL', 5.5);`;

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
          - {name: id, data_type: integer}
          - {name: customer, data_type: text}
          - {name: price, data_type: "decimal(10,2)"}
          - {name: changed_at, data_type: timestamp_ltz}
      - name: visits
        config: {meta: {primary_key: [id], sync: {mode: append, cursor: id}}}
        columns:
          - {name: id, data_type: integer}
          - {name: page, data_type: text}
      - name: rates
        config: {meta: {primary_key: [currency], sync: {mode: full_refresh}}}
        columns:
          - {name: currency, data_type: text}
          - {name: rate, data_type: "decimal(10,4)"}
`,
  "models/sales.yml": `version: 2
models:
  - name: sales
    columns:
      - {name: price, data_tests: [not_null]}
`,
  "models/sales.sql": "select customer, price from {{ source('stage', 'orders') }}\n",
};

export interface Shop extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly config: Config;
  readonly projectDir: string;
  /** Temporary; holds warehouse, project and state. */
  readonly folder: string;
  readonly meter: Meter;
  /** Of all batches so far. */
  readonly events: readonly BatchEvent[];
  run(options?: Partial<RunBatchOptions>): Promise<BatchResult>;
  /** Rows of a query in Snowflake's dialect, values as text. */
  ask(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** The rows of the stage tables, each as JSON, and of the source. */
  contents(): Promise<{ readonly stage: readonly string[]; readonly source: readonly string[] }>;
}

export interface ShopOptions {
  /** Instead of a DuckDB that says it costs money. */
  readonly warehouseUrl?: string | undefined;
}

export async function createShop(options: ShopOptions = {}): Promise<Shop> {
  const database = await createTestDatabase();
  await database.query(SCHEMA);
  const folder = await mkdtemp(join(tmpdir(), "novadrive-shop-"));
  const projectDir = join(folder, "sql");
  await mkdir(join(projectDir, "models"), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) await writeFile(join(projectDir, path), text);
  const warehouseUrl = options.warehouseUrl ?? `duckdb:${join(folder, "warehouse.duckdb")}`;
  const flags = { sourceUrl: database.url, warehouseUrl, stateDir: join(folder, "state"), projectDir, retries: "0" };
  const config = loadConfig({ flags, environment: {} });
  const meter = createMeter();
  const events: BatchEvent[] = [];
  const { signal } = new AbortController();
  const ask = async (sql: string) => {
    await using warehouse = await openWarehouse({ url: warehouseUrl });
    return (await warehouse.query(sql)).rows;
  };
  const pairs =
    "SELECT id::text, customer FROM orders UNION ALL SELECT id::text, page FROM visits UNION ALL SELECT currency, rate::text FROM rates";
  return {
    database,
    config,
    projectDir,
    folder,
    meter,
    events,
    ask,
    run: async (changes = {}) => {
      const bus = new EventBus();
      using store = Store.open({ folder: (changes.config ?? config).stateDir });
      bus.subscribe((event) => store.record(event));
      bus.subscribe((event) => void events.push(event));
      const settings = { config, store, events: bus, trigger: "command", signal } as const;
      const opening = options.warehouseUrl === undefined ? { openWarehouse: meter.openWarehouse } : {};
      return await runBatch({ ...settings, ...opening, ...changes });
    },
    contents: async () => {
      const stage = await ask(pairs.replaceAll("FROM ", "FROM stage."));
      const source = await database.query<{ id: string; customer: string }>(pairs);
      return {
        stage: stage.map((row) => JSON.stringify(row)).toSorted(),
        source: source.map((row) => JSON.stringify(Object.values(row))).toSorted(),
      };
    },
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
