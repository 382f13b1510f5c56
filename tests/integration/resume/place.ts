/** The warehouse that a first load goes into, and what is left in it of loads that did not end. */
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Manifest } from "../../../runtime/manifest/manifest.ts";
import type { SnowflakeServer } from "../../support/snowflake/server.ts";
import { startTestSnowflake } from "../../support/test-snowflake.ts";

export const ENGINES = ["duckdb", "snowflake"] as const;
export type Engine = (typeof ENGINES)[number];

export interface Place extends AsyncDisposable {
  readonly url: string;
  /** What the infrastructure program would do. */
  makeStageTables(manifest: Manifest): Promise<void>;
  /** Id and note, as texts. */
  rows(table: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Notes, rows and files of first loads. */
  kept(): Promise<readonly string[]>;
  /** Tables that take rows in. */
  incoming(): Promise<readonly string[]>;
  readonly server?: SnowflakeServer | undefined;
}

export function openPlace(engine: Engine, folder: string): Promise<Place> {
  return engine === "duckdb" ? inDuckDb(folder) : inSnowflake();
}

async function inDuckDb(folder: string): Promise<Place> {
  const file = join(folder, "warehouse.duckdb");
  // Without the warehouse's translator, which takes longer to start than all the rest.
  const ask = async (sql: string): Promise<(string | null)[][]> => {
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    try {
      return texts((await connection.runAndReadAll(sql)).getRows());
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  };
  return {
    url: `duckdb:${file}`,
    makeStageTables: async () => {},
    rows: (table) => ask(`SELECT CAST(id AS VARCHAR), note FROM stage.${table}`),
    kept: async () =>
      (
        await ask("SELECT table_name FROM pipeline.first_loads UNION ALL SELECT note FROM pipeline.first_load_files")
      ).map(([name]) => String(name)),
    incoming: async () =>
      (await ask("SELECT table_name FROM information_schema.tables WHERE table_schema = 'pipeline_incoming'")).map(
        String,
      ),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function inSnowflake(): Promise<Place> {
  const snowflake = await startTestSnowflake();
  const { server } = snowflake;
  const ask = async (sql: string) => texts(await server.sql(sql));
  return {
    url: snowflake.url,
    server,
    makeStageTables: (manifest) => server.createStageTables(manifest),
    rows: (table) => ask(`SELECT CAST("ID" AS VARCHAR), "NOTE" FROM "STAGE".${JSON.stringify(table.toUpperCase())}`),
    async kept() {
      const loads = await ask('SELECT "TABLE_NAME" FROM "PIPELINE"."FIRST_LOADS"');
      return [
        ...loads.map(([name]) => String(name)),
        ...(await stagedFiles(server)).filter((file) => file.startsWith("first_loads/")),
      ];
    },
    incoming: async () =>
      (
        await ask(
          "SELECT table_name FROM information_schema.tables WHERE table_schema = 'PIPELINE' AND table_name LIKE 'INCOMING%'",
        )
      ).map(([name]) => String(name)),
    [Symbol.asyncDispose]: () => snowflake[Symbol.asyncDispose](),
  };
}

/** Paths on the stage of incoming files. */
export async function stagedFiles(server: SnowflakeServer): Promise<readonly string[]> {
  return (await server.stagedFiles("PIPELINE", "INCOMING")).map(({ name }) => name);
}

/** Each value has to be a text, or NULL. */
const texts = (rows: readonly (readonly unknown[])[]): (string | null)[][] =>
  rows.map((row) =>
    row.map((value) => {
      if (value !== null && typeof value !== "string") throw new Error(`Not a text: ${typeof value}`);
      return value;
    }),
  );
