import { readFile, readdir } from "node:fs/promises";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import type { ExtractRequest, ExtractSummary, SourceSnapshot } from "../../../runtime/source/source.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase } from "../../support/postgres.ts";

interface Extracted extends ExtractSummary {
  /** Contents of each file, in the order of taking. */
  readonly files: readonly string[];
  readonly counted: readonly number[];
}

async function extract(
  snapshot: SourceSnapshot,
  table: ManifestTable,
  options: Partial<ExtractRequest> = {},
): Promise<Extracted> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-extract-"));
  const files: string[] = [];
  const counted: number[] = [];
  const summary = await snapshot.extract({
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
    signal: AbortSignal.timeout(30_000),
    ...options,
  });
  expect(await readdir(folder.path)).toEqual([]);
  return { ...summary, files, counted };
}

const lines = (extracted: Extracted) =>
  extracted.files
    .flatMap((file) => file.split("\n").filter(Boolean))
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));

test("rows leave as CSV in the manifest's order, with NULL and '' apart", async () => {
  await using db = await createTestDatabase();
  await db.query(`
    CREATE TABLE t (note text, id int PRIMARY KEY, sigla char(4), price numeric(10,2), raw bytea, at timestamptz, doc jsonb, ok bool);
    INSERT INTO t VALUES (E'a "quoted",\\nline', 1, 'SP', 1.50, '\\x00ff', '2024-02-29 12:00:00.123456-03', '{"a": "b,c"}', true),
                         ('', 2, '', 0, '', NULL, NULL, false), (NULL, 3, NULL, NULL, NULL, NULL, 'null', NULL)`);
  const table = manifestTable({
    name: "t",
    columns: {
      id: "integer",
      note: "text",
      sigla: "char(4)",
      price: "decimal(10,2)",
      raw: "binary",
      at: "timestamp_ltz",
      doc: "variant",
      ok: "boolean",
    },
    primaryKey: ["id"],
  });
  await using source = connectSource({ url: db.url });
  await source.preflight([table]);
  await using snapshot = await source.openSnapshot([table]);
  const { files, rows, bytes, counted } = await extract(snapshot, table);
  expect(files).toEqual([
    '1,"a ""quoted"",\nline","SP",1.50,"00ff",2024-02-29 15:00:00.123456+00,"{""a"": ""b,c""}",t\n' +
      '2,"","",0.00,"",,,f\n' +
      '3,,,,,,"null",\n',
  ]);
  expect({ rows, bytes, counted }).toEqual({ rows: 3, bytes: Buffer.byteLength(files[0] ?? ""), counted: [3] });
});

test("a large table comes in several files of about the wanted size, each row once", async () => {
  await using db = await createTestDatabase();
  await db.query(`CREATE TABLE t (id int PRIMARY KEY, filler text);
    INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 100000) i`);
  const table = manifestTable({ name: "t", columns: { id: "integer", filler: "text" }, primaryKey: ["id"] });
  await using source = connectSource({ url: db.url, readers: 3 });
  await using snapshot = await source.openSnapshot([table]);
  const format = { compression: "gzip", targetBytes: 2 << 20 } as const;
  const extracted = await extract(snapshot, table, { format });
  expect(extracted.files.length).toBeGreaterThan(4);
  for (const file of extracted.files) expect(file.length).toBeLessThan(3.5 * (1 << 20));
  expect(extracted.counted.reduce((sum, rows) => sum + rows, 0)).toBe(100_000);
  expect(new Set(lines(extracted).map((line) => line.split(",")[0])).size).toBe(100_000);
  const keys = await extract(snapshot, table, { what: "keys" });
  expect(lines(keys)).toEqual(Array.from({ length: 100_000 }, (_, index) => String(index + 1)));
});
