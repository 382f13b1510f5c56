/** The same project between a PostgreSQL database and either warehouse: what is asked of the one is asked of the other. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../runtime/config/config.ts";
import { EventBus } from "../../runtime/core/events.ts";
import { runBatch } from "../../runtime/schedule/run-batch.ts";
import { Store } from "../../runtime/store/store.ts";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import { createTestDatabase } from "./postgres.ts";
import {
  createSnowflakeProject,
  manifestOf,
  type SnowflakeProject,
  type SnowflakeProjectOptions,
} from "./snowflake-project.ts";

export const WAREHOUSES = ["duckdb", "snowflake"] as const;

export type Project = Pick<SnowflakeProject, "database" | "projectDir" | "stateDir" | "environment" | "run" | "ask"> &
  AsyncDisposable;

export function createProject(
  warehouse: (typeof WAREHOUSES)[number],
  options: SnowflakeProjectOptions,
): Promise<Project> {
  return warehouse === "snowflake" ? createSnowflakeProject(options) : createDuckDbProject(options);
}

async function createDuckDbProject({ source, tables, files }: SnowflakeProjectOptions): Promise<Project> {
  await using made = new AsyncDisposableStack();
  const database = made.use(await createTestDatabase());
  await database.query(source);
  const folder = await mkdtemp(join(tmpdir(), "novadrive-project-"));
  made.defer(() => rm(folder, { recursive: true, force: true }));
  const projectDir = join(folder, "sql");
  await mkdir(join(projectDir, "models"), { recursive: true });
  const all = {
    "dbt_project.yml": "name: project\nprofile: project\nmodel-paths: [models]\n",
    "models/manifest.yml": manifestOf(tables),
    ...files,
  };
  for (const [path, text] of Object.entries(all)) await writeFile(join(projectDir, path), text);
  const stateDir = join(folder, "state");
  const warehouseUrl = `duckdb:${join(folder, "warehouse.duckdb")}`;
  const flags = { sourceUrl: database.url, warehouseUrl, stateDir, projectDir, retries: "0" };
  const config = loadConfig({ flags, environment: {} });
  const owned = made.move();
  return {
    database,
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
      await using opened = await openWarehouse({ url: warehouseUrl });
      return (await opened.query(sql)).rows;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
