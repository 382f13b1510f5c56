/** Runs an extract into memory, for tests. */
import { mkdtempDisposable, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";
import type { ExtractRequest, ExtractSummary, SourceSnapshot } from "../../runtime/source/source.ts";

export interface Extracted extends ExtractSummary {
  /** Contents of each file, in the order of taking. */
  readonly files: readonly string[];
  readonly counted: readonly number[];
  /** NULL is null. */
  readonly records: readonly (readonly (string | null)[])[];
}

/** @throws Error if a file is left behind, whether or not the extract succeeded */
export async function extract(
  snapshot: SourceSnapshot,
  table: ManifestTable,
  options: Partial<ExtractRequest> = {},
): Promise<Extracted> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-extract-"));
  const files: string[] = [];
  const counted: number[] = [];
  const [outcome] = await Promise.allSettled([
    snapshot.extract({
      table,
      what: "rows",
      format: { compression: "none", targetBytes: 64 << 20 },
      folder: folder.path,
      take: async ({ path, rows }) => {
        const content = await readFile(path);
        files.push((path.endsWith(".gz") ? gunzipSync(content) : content).toString());
        counted.push(rows);
      },
      progress: () => {},
      signal: AbortSignal.timeout(60_000),
      ...options,
    }),
  ]);
  const left = await readdir(folder.path);
  if (left.length > 0) throw new Error(`Files left behind: ${left.join(", ")}`);
  if (outcome.status === "rejected") throw outcome.reason;
  return { ...outcome.value, files, counted, records: files.flatMap(parseCsv) };
}

/** CSV as PostgreSQL writes it: an unquoted empty field is NULL. */
export function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^,\n]*))([,\n])/gy;
  for (let match = field.exec(text); match; match = field.exec(text)) {
    row.push(match[1]?.replaceAll('""', '"') ?? (match[2] === "" ? null : (match[2] ?? null)));
    if (match[3] === "\n") {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}
