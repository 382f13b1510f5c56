/** A DuckDB warehouse in memory with a project on top of it, for tests that build models. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskRef, TaskRunner } from "../../../runtime/core/task.ts";
import type { Manifest, ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import type { IncomingPurpose, Warehouse } from "../../../runtime/warehouse/warehouse.ts";

export const TARGET = { name: "test", schema: "analytics", type: "snowflake" };

/** Cells as text, null for NULL. */
export type Row = readonly (string | null)[];

export interface TestWarehouse extends AsyncDisposable {
  readonly warehouse: Warehouse;
  /** Publishes the complete content of tables, as a batch of the loader does: unchanged rows stay as they are, missing ones are deleted. */
  publish(tables: ReadonlyMap<ManifestTable, readonly Row[]>): Promise<void>;
  /** Rows of a query, as text. */
  rows(sql: string): Promise<readonly Row[]>;
}

export async function testWarehouse(manifest: Manifest): Promise<TestWarehouse> {
  const folder = await mkdtemp(join(tmpdir(), "transform-"));
  const warehouse = await openDuckDb({ file: ":memory:" });
  await warehouse.prepare(manifest);
  let batchId = 0;
  const stage = async (table: ManifestTable, purpose: IncomingPurpose, rows: readonly Row[]) => {
    const incoming = await warehouse.openIncoming(batchId, table, purpose);
    const path = join(folder, `${table.name}-${purpose}.csv`);
    const text = rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
    await writeFile(path, text);
    await incoming.add({ path, rows: rows.length, longestRow: text.length, bytes: Buffer.byteLength(text) });
    await incoming.seal();
    return incoming;
  };
  return {
    warehouse,
    async publish(tables) {
      batchId++;
      const publications = [];
      for (const [table, rows] of tables) {
        const keyed = table.primaryKey.map((name) => table.columns.findIndex((column) => column.name === name));
        publications.push({
          table,
          action: "merge" as const,
          rows: await stage(table, "rows", rows),
          keys: await stage(
            table,
            "keys",
            rows.map((row) => keyed.map((index) => row[index] ?? null)),
          ),
          watermark: { batchId, cursor: null, cursorColumn: null, fence: {} },
        });
      }
      const batch = {
        id: batchId,
        uuid: crypto.randomUUID(),
        snapshot: new Date(Date.UTC(2025, 0, 1, 0, batchId)).toISOString(),
        startedAt: new Date(),
      };
      await warehouse.publish({ batch, tables: publications });
    },
    rows: async (sql) => (await warehouse.query(sql)).rows,
    async [Symbol.asyncDispose]() {
      await warehouse[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const cell = (value: string | null): string => (value === null ? "" : `"${value.replaceAll('"', '""')}"`);

export interface RecordedTasks extends TaskRunner {
  readonly started: readonly TaskRef[];
  readonly logged: readonly string[];
}

/** Runs tasks at once, and remembers them. */
export function recordingTasks(signal: AbortSignal = new AbortController().signal): RecordedTasks {
  const started: TaskRef[] = [];
  const logged: string[] = [];
  return {
    signal,
    started,
    logged,
    restartable: (work) => work(),
    run: (task, work) => {
      started.push(task);
      return work({ signal, attempt: 1, progress: () => undefined, log: (message) => logged.push(message) });
    },
  };
}
