/** What `doctor` checks of a DuckDB warehouse: version, file, disk, and what the next batch will do to the stage tables. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { checkDiskSpace } from "../../core/disk-space.ts";
import { failed, failedBy, ok, warning, type Finding } from "../../core/finding.ts";
import { formatBytes } from "../../core/format.ts";
import type { Manifest, ManifestTable } from "../../manifest/manifest.ts";
import type { Session } from "./engine.ts";
import { relationFacts } from "./catalogue.ts";
import { planChange } from "./prepare.ts";
import { hasBookkeeping, lastBatchId } from "./sql/bookkeeping.ts";
import { leftColumns } from "./sql/stage.ts";

/** Runs `work` in a session; what the engine throws comes out as NovaError. `doing` completes "while …". */
export type UseSession = <T>(doing: string, work: (session: Session) => Promise<T>) => Promise<T>;

export async function diagnose(use: UseSession, manifest: Manifest): Promise<readonly Finding[]> {
  const findings = [
    ...(await caught("warehouse", () => use("asking for the version", checkFile))),
    ...(await caught("batches", () => use("reading the last batch", checkBatches))),
  ];
  for (const table of manifest.tables) {
    const check = `stage ${table.name}`;
    const found = await caught(check, () => use(`comparing ${table.name}`, (session) => checkTable(session, table)));
    findings.push(...found);
  }
  return findings;
}

/** A file that is not there yet, where opening would make it. */
export async function diagnoseMissingFile(file: string, folder: string): Promise<readonly Finding[]> {
  return [ok("warehouse", `${file} will be made by the first batch.`), await diskBeside(folder)];
}

async function caught(check: string, work: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await work();
  } catch (thrown) {
    return [failedBy(check, thrown)];
  }
}

async function checkFile(session: Session): Promise<readonly Finding[]> {
  const { rows } = await session.run(
    "SELECT version(), path FROM duckdb_databases() WHERE database_name = current_database()",
  );
  const [version, path] = rows[0] ?? [];
  if (typeof path !== "string") return [ok("warehouse", `DuckDB ${String(version)}, in memory.`)];
  const { size } = await stat(path);
  return [
    ok("warehouse", `DuckDB ${String(version)}; ${path}, ${formatBytes(size)}, is not in use elsewhere.`),
    await diskBeside(dirname(path)),
  ];
}

function diskBeside(folder: string): Promise<Finding> {
  return checkDiskSpace({
    check: "disk",
    folder,
    remedy: "Free space there, or name a file on a larger disk in NOVADRIVE_WAREHOUSE_URL.",
  });
}

async function checkBatches(session: Session): Promise<readonly Finding[]> {
  const [found] = (await session.run(hasBookkeeping())).rows;
  const [last] = Number(found?.[0]) < 2 ? [] : (await session.run(lastBatchId())).rows;
  const id = Number(last?.[0] ?? 0);
  return [ok("batches", id === 0 ? "None was published yet." : `The last one that was published is ${id}.`)];
}

async function checkTable(session: Session, table: ManifestTable): Promise<readonly Finding[]> {
  const check = `stage ${table.name}`;
  const [live] = await relationFacts(session, [table]);
  const { statements, differences, left } = await planChange(session, table, live);
  if (differences.length > 0) {
    return differences.map((difference) => {
      // Each says what differs, a colon, and what to do.
      const colon = difference.indexOf(": ");
      return failed(check, `${difference.slice(0, colon)}.`, `${difference.slice(colon + 2)}.`);
    });
  }
  const warnings = leftColumns(table, left).map(({ message, remedy }) => warning(check, message, remedy));
  const [first] = statements;
  if (warnings.length > 0 && first === undefined) return warnings;
  if (first === undefined) return [ok(check, "Agrees with the manifest.")];
  const creates = first.startsWith("CREATE TABLE");
  const changes = statements.filter((statement) => statement.startsWith("ALTER TABLE"));
  return [
    ...warnings,
    ok(check, creates ? "Will be made by the next batch." : `The next batch will run ${changes.join("; ")}.`),
  ];
}
