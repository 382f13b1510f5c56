/** The bench's own data: `vendas` in the shape that the dealership has it, made inside PostgreSQL. */
import pg from "pg";

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Nine columns, timestamps with microseconds, an index on the cursor; vacuumed, so that hint bits are no part of what is measured. */
export async function createSales(url: string, rows: number): Promise<void> {
  await withClient(url, async (client) => {
    await client.query("DROP TABLE IF EXISTS vendas");
    await client.query(`CREATE TABLE vendas (
      id_vendas int PRIMARY KEY, id_veiculos int NOT NULL, id_concessionarias int NOT NULL, id_vendedores int NOT NULL,
      id_clientes int NOT NULL, valor_pago numeric(10,2) NOT NULL, data_venda timestamptz, data_inclusao timestamptz,
      data_atualizacao timestamptz)`);
    await client.query(
      `INSERT INTO vendas
       SELECT i, 1 + i % 10, 1 + i % 27, 1 + i % 135, 60000 + i % 40000, (250000 + (i::bigint * 7919) % 35000000 / 100.0)::numeric(10,2), t, t, t
       FROM generate_series(1, $1::int) i,
       LATERAL (SELECT timestamptz '2023-01-01' + make_interval(secs => i * 17.123457)) AS at(t)`,
      [rows],
    );
    await client.query("CREATE INDEX ON vendas (data_atualizacao)");
    await client.query("VACUUM (ANALYZE) vendas");
  });
}

/** Corrects the price of rows that are spread over the table. */
export async function changeSales(url: string, rows: number, changed: number): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(
      "UPDATE vendas SET valor_pago = valor_pago - 1, data_atualizacao = clock_timestamp() WHERE id_vendas % $1 = 0 AND id_vendas <= $1::int * $2::int",
      [Math.max(1, Math.floor(rows / changed)), changed],
    );
  });
}
