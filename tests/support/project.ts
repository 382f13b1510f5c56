/** A project of the test's own between a PostgreSQL database and either warehouse: what is asked of the one is asked of the other. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig } from "../../runtime/config/config.ts";
import { EventBus } from "../../runtime/core/events.ts";
import type { BatchResult } from "../../runtime/core/result.ts";
import { readManifest } from "../../runtime/manifest/read.ts";
import { runBatch } from "../../runtime/schedule/run-batch.ts";
import { Store } from "../../runtime/store/store.ts";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import { createTestDatabase, type TestDatabase } from "./postgres.ts";
import { startTestSnowflake, type TestSnowflake } from "./test-snowflake.ts";

export const WAREHOUSES = ["duckdb", "snowflake"] as const;

export interface Project extends AsyncDisposable {
  readonly database: TestDatabase;
  /** Temporary; holds project and state. */
  readonly folder: string;
  readonly projectDir: string;
  readonly stateDir: string;
  /** For a `novadrive` process with the same settings. */
  readonly environment: Readonly<Record<string, string>>;
  run(): Promise<BatchResult>;
  /** Rows of a query in Snowflake's dialect, values as text. */
  ask(sql: string): Promise<readonly (readonly (string | null)[])[]>;
}

export interface SnowflakeProject extends Project {
  readonly snowflake: TestSnowflake;
}

export interface ProjectOptions {
  /** Makes the source's tables. */
  readonly source: string;
  /** The tables of models/manifest.yml, each on its line as a list of YAML. */
  readonly tables: string;
  /** Models and the like, by path in the project. */
  readonly files?: Readonly<Record<string, string>> | undefined;
}

export function createProject(warehouse: (typeof WAREHOUSES)[number], options: ProjectOptions): Promise<Project> {
  return warehouse === "snowflake" ? createSnowflakeProject(options) : createDuckDbProject(options);
}

async function createDuckDbProject(options: ProjectOptions): Promise<Project> {
  return await create(options, async ({ folder }) => ({ warehouseUrl: `duckdb:${join(folder, "warehouse.duckdb")}` }));
}

/** The stage tables are there, as the infrastructure program makes them. */
export async function createSnowflakeProject(options: ProjectOptions): Promise<SnowflakeProject> {
  return await create(options, async ({ made, projectDir }) => {
    const snowflake = made.use(await startTestSnowflake());
    await snowflake.server.createStageTables(readManifest(join(projectDir, "models/manifest.yml")));
    return { warehouseUrl: snowflake.url, snowflake };
  });
}

interface Place {
  readonly made: AsyncDisposableStack;
  readonly folder: string;
  readonly projectDir: string;
}

async function create<T extends { readonly warehouseUrl: string }>(
  { source, tables, files }: ProjectOptions,
  warehouse: (place: Place) => Promise<T>,
): Promise<Project & T> {
  await using made = new AsyncDisposableStack();
  const database = made.use(await createTestDatabase());
  await database.query(source);
  const folder = await mkdtemp(join(tmpdir(), "novadrive-project-"));
  made.defer(() => rm(folder, { recursive: true, force: true }));
  const projectDir = join(folder, "sql");
  const all = {
    "dbt_project.yml": "name: project\nprofile: project\nmodel-paths: [models]\n",
    "models/manifest.yml": manifestOf(tables),
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(projectDir, path)), { recursive: true });
    await writeFile(join(projectDir, path), text);
  }
  const stateDir = join(folder, "state");
  const opened = await warehouse({ made, folder, projectDir });
  const { warehouseUrl } = opened;
  const flags = { sourceUrl: database.url, warehouseUrl, stateDir, projectDir, retries: "0" };
  const config = loadConfig({ flags, environment: {} });
  const owned = made.move();
  return {
    ...opened,
    database,
    folder,
    projectDir,
    stateDir,
    environment: {
      NOVADRIVE_SOURCE_URL: flags.sourceUrl,
      NOVADRIVE_WAREHOUSE_URL: flags.warehouseUrl,
      NOVADRIVE_STATE_DIR: flags.stateDir,
      NOVADRIVE_PROJECT_DIR: flags.projectDir,
      NOVADRIVE_RETRIES: flags.retries,
    },
    async run() {
      const events = new EventBus();
      using store = Store.open({ folder: stateDir });
      events.subscribe((event) => store.record(event));
      return await runBatch({ config, store, events, trigger: "command", signal: new AbortController().signal });
    },
    async ask(sql) {
      await using asked = await openWarehouse({ url: warehouseUrl });
      return (await asked.query(sql)).rows;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const manifestOf = (tables: string): string => `version: 2
sources:
  - name: stage
    schema: stage
    config: {meta: {source_schema: public}}
    tables:
${tables.replaceAll(/^(?=.)/gm, "      ")}`;
