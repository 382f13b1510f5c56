/** A table whose changes are found in another way than before although its settings are the same: by its cursor, which may miss some. */
import { formatBytes, formatCount } from "../core/format.ts";
import type { Warning } from "../core/warning.ts";
import { cursorsOf, type ManifestTable } from "../manifest/manifest.ts";
import { LARGE } from "../source/detection.ts";
import type { TablePosition } from "../source/source.ts";
import { isSyncedAs } from "./scope.ts";

/**
 * Told by the batch that takes the first fence of the cursor, and by no later one; if it is not published, by the next one again. The other way
 * round nothing can be missed, so nothing is told.
 *
 * @param previous of the last published batch
 * @param position that this one leaves
 */
export function otherDetection(
  table: ManifestTable,
  previous: TablePosition,
  position: TablePosition,
): Warning | undefined {
  const { name, sync } = table;
  const wasScanned = previous.cursorColumn === null && previous.fence["version"] !== undefined;
  const chosen = sync.detect === undefined && isSyncedAs(table, previous);
  if (!chosen || !wasScanned || position.cursorColumn === null) return undefined;
  const columns = cursorsOf(sync);
  const limit = `${formatCount(LARGE.rows)} rows or ${formatBytes(LARGE.bytes)}`;
  return {
    kind: "detection_changed",
    table: name,
    columns,
    message: `Up to now ${name} was scanned for changes; from the next batch on they are found by its cursor ${columns.join(", ")}, as in all tables of more than ${limit} whose cursor has an index: rows that change without moving the cursor are found by verification only.`,
    remedy: `In the manifest, under sync of ${name}, write detect: scan to have it scanned as before, or detect: cursor to settle that it is not.`,
  };
}
