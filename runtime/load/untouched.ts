/** Tables of which the source itself says that nothing at all has happened to them: no row of theirs is looked at. */
import type { TableResult } from "../core/result.ts";
import type { TaskContext } from "../core/task.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import type { SourceSnapshot } from "../source/source.ts";
import type { PipelineState } from "../warehouse/warehouse.ts";
import { rowsMirrored } from "./digests.ts";
import { loadScope } from "./scope.ts";

export interface UntouchedOptions {
  readonly snapshot: SourceSnapshot;
  readonly tables: readonly ManifestTable[];
  /** What is published. */
  readonly state: PipelineState;
  /** By table: a later state of the source that had nothing new for it. */
  readonly seen?: ReadonlyMap<string, string> | undefined;
  readonly context?: Pick<TaskContext, "log"> | undefined;
}

/** Their results by name. */
export function findUntouched({ snapshot, tables, state, seen, context }: UntouchedOptions): Map<string, TableResult> {
  const untouched = new Map<string, TableResult>();
  for (const table of tables) {
    const watermark = state.watermarks.get(table.name);
    if (!watermark) continue;
    const scope = loadScope(snapshot, table, watermark, seen?.get(table.name));
    if (!scope.untouched) continue;
    untouched.set(table.name, nothingNew(table, { rows: rowsMirrored(table, watermark, scope.since), seconds: 0 }));
  }
  if (untouched.size > 0) {
    const which = untouched.size === tables.length ? "the source" : `${untouched.size} of ${tables.length} tables`;
    context?.log(`nothing has happened in ${which} since batch ${state.lastBatchId}`);
  }
  return untouched;
}

export function nothingNew(
  { name, sync: { mode } }: ManifestTable,
  { rows, seconds }: { readonly rows: number | undefined; readonly seconds: number },
): TableResult {
  const counts = { rows_read: 0, inserted: 0, updated: 0, deleted: 0, ...(rows !== undefined && { rows_total: rows }) };
  return { name, mode, ...counts, bytes: 0, seconds, status: "success" };
}

/** In the order of the tables. */
export function inOrder(tables: readonly ManifestTable[], results: readonly TableResult[]): TableResult[] {
  const byName = new Map(results.map((result) => [result.name, result]));
  return tables.flatMap(({ name }) => byName.get(name) ?? []);
}
