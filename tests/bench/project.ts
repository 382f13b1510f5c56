/** The bench's projects: a manifest of some of its tables, and no models. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { keyOf, type BenchTable } from "./bench-table.ts";

/** How the tables are kept in step; see the manifest. */
export type Sync = Readonly<Record<string, string>>;

/** Every change and every deleted row is found in each batch, by one scan of the table. */
export const BY_SCAN: Sync = { detect: "scan", deletes: "hard", delete_check: "batch" };
/** Changes by the cursor's index, and every deleted row by the keys: what a large table has unless told. */
export const BY_CURSOR: Sync = { detect: "cursor", deletes: "hard", delete_check: "batch" };
/** Changes by the cursor's index; deleted rows are left to the next verification. */
export const BY_CURSOR_DEFERRED: Sync = { detect: "cursor", deletes: "hard", delete_check: "verify" };

export function manifestFile(project: string): string {
  return join(project, "models/manifest.yml");
}

export async function writeProject(project: string, tables: readonly BenchTable[], sync: Sync): Promise<void> {
  const manifest = {
    version: 2,
    sources: [{ name: "stage", schema: "stage", tables: tables.map((table) => entry(table, sync)) }],
  };
  await mkdir(join(project, "models"), { recursive: true });
  await writeFile(manifestFile(project), stringify(manifest));
  await writeFile(join(project, "dbt_project.yml"), "name: bench\nversion: '1.0'\nprofile: bench\n");
}

function entry(table: BenchTable, sync: Sync) {
  return {
    name: table.name,
    config: { meta: { primary_key: [keyOf(table)], sync: { mode: "incremental", cursor: table.cursor, ...sync } } },
    columns: table.columns.map(({ name, dataType, required }) => ({
      name,
      data_type: dataType,
      ...(required && { constraints: [{ type: "not_null" }] }),
    })),
  };
}
