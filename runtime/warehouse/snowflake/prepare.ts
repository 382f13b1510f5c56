/** Makes the warehouse ready for a batch, without a statement that needs it to run, unless a first load is there that did not end. */
import { mapConcurrently } from "../../core/concurrency.ts";
import { NovaError } from "../../core/errors.ts";
import type { Warning } from "../../core/warning.ts";
import type { Manifest, ManifestTable } from "../../manifest/manifest.ts";
import { isMissing } from "./missing.ts";
import type { StatementOptions } from "../warehouse.ts";
import { removeLeftovers } from "./leftovers.ts";
import { named } from "./rows.ts";
import { describeStageTable, showWarehouses } from "./sql/catalogue.ts";
import { createStage, PIPELINE_TABLES, showPipelineTables } from "./sql/pipeline.ts";
import { compareStageTable, leftColumns, type LiveColumn } from "./stage-check.ts";
import type { SnowflakeSession, SnowflakeSessions, Statement, StatementResult } from "./statement.ts";
import type { UsageMeter } from "./usage.ts";

export interface PrepareOptions {
  readonly sessions: SnowflakeSessions;
  readonly usage: UsageMeter;
  readonly manifest: Manifest;
  /** Statements at the same time. */
  readonly parallel: number;
  readonly warehouse: string;
  readonly statement: StatementOptions;
}

/** @throws NovaError WAREHOUSE_SCHEMA_MISMATCH */
export async function prepare(options: PrepareOptions): Promise<readonly Warning[]> {
  const warnings = await checkStageTables(options);
  await options.sessions.use(async (session) => {
    await readWarehouse(session, options);
    await makeRoom((statement) => session.run(statement, options.statement), options.manifest);
  });
  return warnings;
}

async function checkStageTables(options: PrepareOptions): Promise<readonly Warning[]> {
  const { sessions, manifest, parallel, statement } = options;
  const concurrency = { limit: parallel, signal: statement.signal ?? new AbortController().signal };
  const compared = await mapConcurrently(manifest.tables, concurrency, async (table, signal) => {
    const live = await sessions.use((session) => describeTable(session, table, { signal }));
    return { table, ...compareStageTable(table, live) };
  });
  const differences = compared.flatMap((comparison) => comparison.differences);
  if (differences.length > 0) {
    throw new NovaError(
      "WAREHOUSE_SCHEMA_MISMATCH",
      `The stage tables differ from the manifest: ${differences.join("; ")}.`,
      { remedy: "Run `pulumi up`, which makes the tables what the manifest says.", details: { differences } },
    );
  }
  return compared.flatMap(({ table, extra }) => leftColumns(table, extra));
}

async function describeTable(
  session: SnowflakeSession,
  table: ManifestTable,
  options: StatementOptions,
): Promise<readonly LiveColumn[] | undefined> {
  try {
    const columns = named(await session.run(describeStageTable(table), options), "name", "type", "null?");
    return columns.map(({ name, type, "null?": nullable }) => ({
      name: name ?? "",
      type: type ?? "",
      nullable: nullable === "Y",
    }));
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

async function readWarehouse(
  session: SnowflakeSession,
  { warehouse, usage, statement }: PrepareOptions,
): Promise<void> {
  const found = named(await session.run(showWarehouses(warehouse), statement), "name", "size", "auto_suspend").find(
    ({ name }) => name === warehouse,
  );
  if (!found) return;
  // 0 and NULL: https://docs.snowflake.com/en/sql-reference/sql/create-warehouse (AUTO_SUSPEND)
  const seconds = Number(found.auto_suspend ?? 0);
  usage.setWarehouse({ size: found.size ?? "", autoSuspendSeconds: seconds === 0 ? null : seconds });
}

/** What dead batches left behind goes; what they could not make is made. */
async function makeRoom(run: (statement: Statement) => Promise<StatementResult>, manifest: Manifest): Promise<void> {
  const tables = named(await run(showPipelineTables()), "name").map(({ name }) => name ?? "");
  for (const [table, create] of Object.entries(PIPELINE_TABLES)) {
    if (!tables.includes(table)) await run(create);
  }
  await run(createStage());
  await removeLeftovers(run, tables, manifest);
}
