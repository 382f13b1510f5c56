/** Makes the warehouse ready for a batch. */
import { NovaError } from "../../core/errors.ts";
import { identifier } from "../../core/sql.ts";
import type { Warning } from "../../core/warning.ts";
import { stageColumns, type Manifest, type ManifestTable } from "../../manifest/manifest.ts";
import { relationFacts, type ColumnFacts, type RelationFacts } from "./catalogue.ts";
import type { Session } from "./engine.ts";
import { clearIncoming } from "./first-loads.ts";
import { createBookkeeping, forgetWatermark } from "./sql/bookkeeping.ts";
import { createSchema } from "./sql/materialize.ts";
import {
  changeStageTable,
  createStageTable,
  findNulls,
  leftColumns,
  type LiveColumn,
  type StageChange,
} from "./sql/stage.ts";

/** One transaction: either the warehouse fits the manifest afterwards, or nothing has changed. @throws NovaError WAREHOUSE_SCHEMA_MISMATCH */
export async function prepare(session: Session, manifest: Manifest): Promise<readonly Warning[]> {
  return await session.transaction(async () => {
    for (const statement of createBookkeeping()) await session.run(statement);
    for (const schema of new Set(manifest.tables.map((table) => table.schema))) await session.run(createSchema(schema));
    const differences: string[] = [];
    const warnings: Warning[] = [];
    const live = await relationFacts(session, manifest.tables);
    for (const [index, table] of manifest.tables.entries()) {
      const change = await planChange(session, table, live[index]);
      differences.push(...change.differences);
      warnings.push(...leftColumns(table, change.left));
      if (differences.length > 0) continue;
      for (const statement of change.statements) await session.run(statement);
    }
    if (differences.length > 0) throw mismatch(differences);
    await clearIncoming(session, manifest.tables);
    return warnings;
  });
}

/** What brings the stage table of the manifest's table in line with it, and what nothing can. Only reads. */
export async function planChange(
  session: Session,
  table: ManifestTable,
  live: RelationFacts | undefined,
): Promise<StageChange> {
  if (!live)
    return { statements: [...createStageTable(table), forgetWatermark(table.name)], differences: [], left: [] };
  const name = identifier(table.schema, table.name);
  if (live.kind === "view") {
    return {
      statements: [],
      left: [],
      differences: [`${name} is a view, where the table ${table.name} belongs: run DROP VIEW ${name}`],
    };
  }
  return changeStageTable(table, await withNulls(session, table, live.columns));
}

async function withNulls(
  session: Session,
  table: ManifestTable,
  live: readonly ColumnFacts[],
): Promise<readonly LiveColumn[]> {
  const required = new Set(
    stageColumns(table)
      .filter((column) => !column.nullable)
      .map((column) => column.name.toLowerCase()),
  );
  const asked = live.filter((column) => column.nullable && required.has(column.name.toLowerCase()));
  if (asked.length === 0) return live;
  const columns = asked.map((column) => column.name);
  const [nulls = []] = (await session.run(findNulls(table, columns))).rows;
  return live.map((column) => {
    const index = columns.indexOf(column.name);
    return index === -1 ? column : { ...column, hasNulls: nulls[index] === true };
  });
}

function mismatch(differences: readonly string[]): NovaError {
  const count = differences.length === 1 ? "one place" : `${differences.length} places`;
  return new NovaError(
    "WAREHOUSE_SCHEMA_MISMATCH",
    `The warehouse differs from the manifest in ${count}, and the loader will not change that by itself:\n${differences.map((line) => `  - ${line}`).join("\n")}`,
    { remedy: "Do what each line says, then run again.", details: { differences } },
  );
}
