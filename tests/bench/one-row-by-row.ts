/**
 * What a hand-written script does: reads rows by a cursor, and inserts them one by one, with bound values, into a new DuckDB file, in one
 * transaction. Prints the seconds, what the copy holds, and the process's peak memory: `one-row-by-row.ts <url> <file> <rows>`.
 */
import { DuckDBInstance } from "@duckdb/node-api";
import { SALES } from "./bench-table.ts";
import { withClient } from "./data.ts";

const [url, file, count] = process.argv.slice(2);
if (!url || !file || !count) throw new Error("usage: one-row-by-row.ts <url> <file> <rows>");

const names = SALES.columns.map(({ name }) => name);
const types = SALES.columns.map(({ dataType }) => (dataType === "timestamp_ltz" ? "timestamptz" : dataType));
const FETCHED = 1000;

const startedAt = performance.now();
const instance = await DuckDBInstance.create(file);
const connection = await instance.connect();
await connection.run(`CREATE TABLE copy (${names.map((name, index) => `${name} ${types[index]}`).join(", ")})`);
await withClient(url, async (client) => {
  await client.query("BEGIN");
  // As text, so that no microsecond and no cent is lost in JavaScript's own types.
  const columns = names.map((name) => `${name}::text`).join(", ");
  await client.query(
    `DECLARE sales NO SCROLL CURSOR FOR SELECT ${columns} FROM ${SALES.name} ORDER BY ${SALES.name}.${names[0]} LIMIT ${Number(count)}`,
  );
  await connection.run("BEGIN");
  const insert = await connection.prepare(`INSERT INTO copy VALUES (${names.map((_, i) => `$${i + 1}`).join(", ")})`);
  for (;;) {
    const { rows } = await client.query<(string | null)[]>({ text: `FETCH ${FETCHED} FROM sales`, rowMode: "array" });
    if (rows.length === 0) break;
    for (const row of rows) {
      insert.bind(row);
      await insert.run();
    }
  }
  await connection.run("COMMIT");
});
const seconds = (performance.now() - startedAt) / 1000;

const reader = await connection.runAndReadAll("SELECT count(*), sum(valor_pago)::varchar FROM copy");
const [[rows, sum] = []] = reader.getRowsJson();
connection.closeSync();
instance.closeSync();
const peak_memory_mb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ seconds, rows: Number(rows), sum, peak_memory_mb })}\n`);
