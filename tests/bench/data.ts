/** Makes the bench's tables inside PostgreSQL, and changes them. */
import pg from "pg";
import { identifier } from "../../runtime/core/sql.ts";
import { keyOf, SALES, type BenchTable } from "./bench-table.ts";

/** Runs statements on a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Rows `from`, `from + step` … `to`. */
interface Series {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** Timestamps have microseconds. */
const insertSql = (table: BenchTable): string =>
  `INSERT INTO ${identifier(table.name)} SELECT ${table.columns.map(({ value }) => value).join(", ")}
   FROM generate_series($1::int, $2::int, $3::int) i,
   LATERAL (SELECT timestamptz '2023-01-01' + make_interval(secs => i * 17.123457)) AS at(t)`;

const insert = (client: pg.Client, table: BenchTable, { from, to, step }: Series) =>
  client.query(insertSql(table), [from, to, step]);

/** With an index on the cursor; vacuumed, so that hint bits are no part of what is measured. */
export async function createTable(url: string, table: BenchTable, rows: number): Promise<void> {
  const name = identifier(table.name);
  const columns = table.columns.map(
    ({ name: column, source, required }) => `${identifier(column)} ${source}${required ? " NOT NULL" : ""}`,
  );
  await withClient(url, async (client) => {
    await client.query(`DROP TABLE IF EXISTS ${name}`);
    await client.query(`CREATE TABLE ${name} (${columns.join(", ")}, PRIMARY KEY (${identifier(keyOf(table))}))`);
    await insert(client, table, { from: 1, to: rows, step: 1 });
    await client.query(`CREATE INDEX ON ${name} (${identifier(table.cursor)})`);
    await client.query(`VACUUM (ANALYZE) ${name}`);
  });
}

/** So that a batch finds another snapshot than the one before, and nothing new in its own tables. */
export async function writeElsewhere(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query("CREATE TABLE IF NOT EXISTS elsewhere (at timestamptz)");
    await client.query("INSERT INTO elsewhere VALUES (clock_timestamp())");
  });
}

/** Of so many changed rows one is deleted, where rows are deleted. */
const CHANGED_TO_DELETED = 100;

export interface Changes {
  readonly rows: number;
  readonly changed: number;
}

/** Rows that are spread over the table. */
function spread({ rows, changed }: Changes) {
  const step = Math.max(1, Math.floor(rows / changed));
  return { step, to: step * Math.min(changed, rows), gone: step * CHANGED_TO_DELETED };
}

/** Corrects the price of rows of the sales; with `deletes`, one in a hundred of them is deleted instead. @returns how many */
export async function changeSales(
  url: string,
  { deletes, ...changes }: Changes & { readonly deletes: boolean },
): Promise<{ readonly updated: number; readonly deleted: number }> {
  const { step, to, gone } = spread(changes);
  return await withClient(url, async (client) => {
    const deleted = deletes
      ? await client.query(`DELETE FROM ${SALES.name} WHERE id_vendas % $1 = 0 AND id_vendas <= $2`, [gone, to])
      : undefined;
    const updated = await client.query(
      `UPDATE ${SALES.name} SET valor_pago = valor_pago - 1, data_atualizacao = clock_timestamp()
       WHERE id_vendas % $1 = 0 AND id_vendas <= $2`,
      [step, to],
    );
    return { updated: updated.rowCount ?? 0, deleted: deleted?.rowCount ?? 0 };
  });
}

/** After `changeSales`: the next run begins with as many rows. */
export async function putBackSales(url: string, changes: Changes): Promise<void> {
  const { to, gone } = spread(changes);
  await withClient(url, (client) => insert(client, SALES, { from: gone, to, step: gone }));
}

/** What a copy of the sales, or of the first `sample` of them, is checked against. */
export async function sumOfSales(
  url: string,
  sample?: number,
): Promise<{ readonly rows: number; readonly price: string }> {
  return await withClient(url, async (client) => {
    const { rows } = await client.query<{ rows: string; price: string }>(
      `SELECT count(*) AS rows, sum(valor_pago) AS price FROM (SELECT valor_pago FROM ${SALES.name} ORDER BY id_vendas LIMIT $1) AS sales`,
      [sample ?? null],
    );
    return { rows: Number(rows[0]?.rows), price: rows[0]?.price ?? "0" };
  });
}
