/** A project of the test's own between a PostgreSQL database and the server that stands in for Snowflake. */
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

export interface SnowflakeProject extends AsyncDisposable {
  readonly snowflake: TestSnowflake;
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

export interface SnowflakeProjectOptions {
  /** Makes the source's tables. */
  readonly source: string;
  /** The tables of models/manifest.yml, each on its line as a list of YAML. */
  readonly tables: string;
  /** Models and the like, by path in the project. */
  readonly files?: Readonly<Record<string, string>> | undefined;
}

export const manifestOf = (tables: string): string => `version: 2
sources:
  - name: stage
    schema: stage
    config: {meta: {source_schema: public}}
    tables:
${tables.replaceAll(/^(?=.)/gm, "      ")}`;

/** The stage tables are there, as the infrastructure program makes them. */
export async function createSnowflakeProject(options: SnowflakeProjectOptions): Promise<SnowflakeProject> {
  await using made = new AsyncDisposableStack();
  const database = made.use(await createTestDatabase());
  await database.query(options.source);
  const folder = await mkdtemp(join(tmpdir(), "novadrive-project-"));
  made.defer(() => rm(folder, { recursive: true, force: true }));
  const projectDir = join(folder, "sql");
  const files = {
    "dbt_project.yml": "name: project\nprofile: project\nmodel-paths: [models]\n",
    "models/manifest.yml": manifestOf(options.tables),
    ...options.files,
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(projectDir, path)), { recursive: true });
    await writeFile(join(projectDir, path), text);
  }
  const snowflake = made.use(await startTestSnowflake());
  await snowflake.server.createStageTables(readManifest(join(projectDir, "models/manifest.yml")));
  const stateDir = join(folder, "state");
  const flags = { sourceUrl: database.url, warehouseUrl: snowflake.url, stateDir, projectDir, retries: "0" };
  const config = loadConfig({ flags, environment: {} });
  const owned = made.move();
  return {
    snowflake,
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
      await using warehouse = await openWarehouse({ url: flags.warehouseUrl });
      return (await warehouse.query(sql)).rows;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
