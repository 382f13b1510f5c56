/** What `doctor` checks of the warehouse: that it opens, and then whatever the adapter knows to look for. */
import { access, constants } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { NovaError } from "../core/errors.ts";
import { failed, failedBy, warning, type Finding } from "../core/finding.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { openWarehouse, parseWarehouseUrl, type OpenWarehouseOptions } from "./open.ts";

export interface DiagnoseWarehouseOptions extends OpenWarehouseOptions {
  readonly manifest: Manifest;
  /** Where models are built. */
  readonly modelSchemas?: readonly string[] | undefined;
  /** Process of a batch that runs now: that it has the warehouse open is as it should be. */
  readonly batchProcess?: number | undefined;
}

/** Makes nothing that is not there: neither file nor schema nor table. Throws only the reason of the signal. */
export async function diagnoseWarehouse(options: DiagnoseWarehouseOptions): Promise<readonly Finding[]> {
  const { manifest, modelSchemas = [], batchProcess, ...opening } = options;
  try {
    const target = parseWarehouseUrl(opening.url);
    if (target.engine === "duckdb" && target.file !== ":memory:") {
      const missing = await diagnoseIfMissing(resolve(target.file));
      if (missing) return missing;
    }
    const warnings: Finding[] = [];
    const warn = (message: string): void => void warnings.push(...warningFinding(message));
    await using warehouse = await openWarehouse({ ...opening, warn });
    const findings = await warehouse.diagnose(manifest, modelSchemas);
    return [...warnings, ...findings];
  } catch (thrown) {
    opening.signal?.throwIfAborted();
    if (thrown instanceof NovaError && thrown.code === "WAREHOUSE_LOCKED" && batchProcess !== undefined) {
      if (thrown.details["pid"] === batchProcess) {
        return [
          warning(
            "warehouse",
            thrown.report().message,
            "Wait until the batch is over, then run `novadrive doctor` again.",
          ),
        ];
      }
    }
    return [failedBy("warehouse", thrown)];
  }
}

/** Warnings of the adapter end with what to do about them, behind a semicolon. What has no such end, its findings say better. */
function warningFinding(message: string): readonly Finding[] {
  const [detail = "", ...rest] = message.split("; ");
  if (rest.length === 0) return [];
  const remedy = rest.join("; ");
  return [warning("connection", `${detail}.`, `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}`)];
}

async function diagnoseIfMissing(file: string): Promise<readonly Finding[] | undefined> {
  if (await exists(file)) return undefined;
  let folder = dirname(file);
  while (!(await exists(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch {
    return [
      failed(
        "warehouse",
        `${file} cannot be made: this user may not write to ${folder}.`,
        "Give the user write access to it, or name another file in NOVADRIVE_WAREHOUSE_URL.",
      ),
    ];
  }
  const { diagnoseMissingFile } = await import("./duckdb/diagnose.ts");
  return diagnoseMissingFile(file, folder);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
