import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHistory } from "../../../runtime/demo/history.ts";
import type { DemoDatabase } from "../../../runtime/demo/database.ts";
import { never, query, startIn, temporaryFolder, type Folder } from "./support.ts";

const TABLES = ["veiculos", "estados", "cidades", "concessionarias", "vendedores", "clientes", "vendas"] as const;
const NOW = new Date("2026-03-05T15:00:00Z");
/** The first instant of that day in São Paulo. */
const END = "2026-03-05T00:00:00-03:00";

let folder: Folder;
let database: DemoDatabase;

beforeAll(async () => {
  folder = await temporaryFolder();
  database = await startIn(folder.path);
});

afterAll(async () => {
  await database.stop();
  await folder[Symbol.asyncDispose]();
});

describe("the history of 62,000 sales", () => {
  beforeAll(async () => {
    const history = await createHistory({ url: database.ownerUrl, now: NOW, signal: never });
    expect(history).toEqual({ created: true, sales: 62_000, clients: 60_140 });
  });

  afterAll(dropAll);

  test("has the tables, columns, types and nullability of the contract", async () => {
    const columns = await query<{ line: string }>(
      database.url,
      `SELECT attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN '' ELSE ' null' END AS line
       FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
       WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
         AND attname NOT IN ('data_inclusao', 'data_atualizacao')
       ORDER BY array_position($1::text[], relname::text), attnum`,
      [TABLES],
    );
    expect(columns.map(({ line }) => line)).toEqual([
      "veiculos.id_veiculos integer",
      "veiculos.nome character varying(255)",
      "veiculos.tipo character varying(100)",
      "veiculos.valor numeric(10,2)",
      "estados.id_estados integer",
      "estados.estado character varying(100)",
      "estados.sigla character(2)",
      "cidades.id_cidades integer",
      "cidades.cidade character varying(255)",
      "cidades.id_estados integer",
      "concessionarias.id_concessionarias integer",
      "concessionarias.concessionaria character varying(255)",
      "concessionarias.id_cidades integer",
      "vendedores.id_vendedores integer",
      "vendedores.nome character varying(255)",
      "vendedores.id_concessionarias integer",
      "clientes.id_clientes integer",
      "clientes.cliente character varying(255)",
      "clientes.endereco text",
      "clientes.id_concessionarias integer",
      "vendas.id_vendas integer",
      "vendas.id_veiculos integer",
      "vendas.id_concessionarias integer",
      "vendas.id_vendedores integer",
      "vendas.id_clientes integer",
      "vendas.valor_pago numeric(10,2)",
      "vendas.data_venda timestamp with time zone null",
    ]);
    const moments = await query(
      database.url,
      `SELECT DISTINCT format_type(atttypid, atttypmod) AS type, attnotnull AS required, count(*) OVER ()::integer AS number
       FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
       WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attname IN ('data_inclusao', 'data_atualizacao')`,
    );
    expect(moments).toEqual([{ type: "timestamp with time zone", required: false, number: 2 * TABLES.length }]);
    const [keys] = await query(
      database.url,
      "SELECT count(*) FILTER (WHERE contype = 'p')::integer AS primary, count(*) FILTER (WHERE contype = 'f')::integer AS foreign FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    );
    expect(keys).toEqual({ primary: 7, foreign: 8 });
  });

  test("has a dealership in the capital of each of the 27 states, with 4 to 6 sellers", async () => {
    const [counts] = await query(
      database.url,
      `SELECT (SELECT count(*)::integer FROM veiculos) AS vehicles, (SELECT count(*)::integer FROM estados) AS states,
         (SELECT count(*)::integer FROM cidades) AS cities, (SELECT count(*)::integer FROM concessionarias) AS dealerships,
         (SELECT min(n)::integer FROM (SELECT count(*) AS n FROM vendedores GROUP BY id_concessionarias) AS t) AS least,
         (SELECT max(n)::integer FROM (SELECT count(*) AS n FROM vendedores GROUP BY id_concessionarias) AS t) AS most`,
    );
    expect(counts).toEqual({ vehicles: 10, states: 27, cities: 27, dealerships: 27, least: 4, most: 6 });
    const [odd] = await query(
      database.url,
      `SELECT count(*)::integer AS number FROM concessionarias JOIN cidades USING (id_cidades)
       WHERE lower(trim(concessionaria)) <> 'concessionária novadrive motors ' || lower(cidade)`,
    );
    expect(odd).toEqual({ number: 0 });
  });

  test("has no sale above the list price or below 95 % of it, some at each end, and cents", async () => {
    const [range] = await query(
      database.url,
      `SELECT count(*) FILTER (WHERE valor_pago > valor OR valor_pago < 0.95 * valor)::integer AS outside,
         count(*) FILTER (WHERE valor_pago = valor) > 0 AS top, count(*) FILTER (WHERE valor_pago = 0.95 * valor) > 0 AS bottom,
         count(*) FILTER (WHERE valor_pago <> round(valor_pago)) > 30000 AS cents
       FROM vendas JOIN veiculos USING (id_veiculos)`,
    );
    expect(range).toEqual({ outside: 0, top: true, bottom: true, cents: true });
  });

  test("makes sense in time: all in the past, nothing sold before it, its buyer or its seller was there", async () => {
    const [wrong] = await query(
      database.url,
      `SELECT count(*) FILTER (WHERE data_venda < veiculos.data_inclusao)::integer AS before_vehicle,
         count(*) FILTER (WHERE data_venda < clientes.data_inclusao)::integer AS before_client,
         count(*) FILTER (WHERE data_venda < vendedores.data_inclusao)::integer AS before_seller,
         count(*) FILTER (WHERE vendas.data_inclusao < data_venda OR vendas.data_atualizacao < vendas.data_inclusao)::integer AS disordered,
         count(*) FILTER (WHERE greatest(vendas.data_inclusao, vendas.data_atualizacao, clientes.data_atualizacao) >= $1)::integer AS future,
         count(*) FILTER (WHERE data_venda < $1::timestamptz - interval '1096 days')::integer AS too_old,
         count(*) FILTER (WHERE extract(hour FROM data_venda AT TIME ZONE 'America/Sao_Paulo') NOT BETWEEN 8 AND 18)::integer AS at_night,
         count(*) FILTER (WHERE vendas.id_concessionarias <> clientes.id_concessionarias OR vendas.id_concessionarias <> vendedores.id_concessionarias)::integer AS elsewhere,
         count(*) FILTER (WHERE vendas.data_atualizacao IS NULL)::integer AS never_touched,
         count(*) FILTER (WHERE vendas.data_atualizacao > vendas.data_inclusao) > 1000 AS corrected,
         count(*) FILTER (WHERE extract(microseconds FROM data_venda)::integer % 1000 <> 0) > 60000 AS microseconds
       FROM vendas JOIN veiculos USING (id_veiculos) JOIN clientes USING (id_clientes) JOIN vendedores USING (id_vendedores)`,
      [END],
    );
    expect(wrong).toEqual({
      before_vehicle: 0,
      before_client: 0,
      before_seller: 0,
      disordered: 0,
      future: 0,
      too_old: 0,
      at_night: 0,
      elsewhere: 0,
      never_touched: 12,
      corrected: true,
      microseconds: true,
    });
  });

  test("has names as people type them, and something for each of the explorations", async () => {
    const [kinds] = await query(
      database.url,
      `SELECT bool_or(cliente LIKE '%''%') AS apostrophe, bool_or(cliente LIKE '%,%') AS comma, bool_or(cliente LIKE '%"%') AS quote,
         bool_or(cliente <> trim(cliente)) AS blanks, bool_or(cliente = upper(cliente)) AS upper, bool_or(cliente = lower(cliente)) AS lower,
         bool_or(cliente ~ '[áéíóúâêôãõçü]') AS accents, bool_or(endereco LIKE E'%\\n%') AS lines, bool_or(endereco LIKE '%\\\\%') AS backslash,
         bool_or(endereco = '') AS empty
       FROM clientes`,
    );
    expect(new Set(Object.values(kinds ?? {}))).toEqual(new Set([true]));
    const [found] = await query(
      database.url,
      `SELECT (SELECT count(*) FROM veiculos WHERE tipo = 'SUV Compacta' AND valor < 300000) > 0 AS cheap,
         (SELECT count(*) FROM veiculos WHERE data_inclusao > $1::timestamptz - interval '2 months') > 0 AS recent,
         (SELECT count(*) FROM vendas JOIN veiculos USING (id_veiculos) WHERE tipo = 'SUV Premium Híbrida' OR valor > 600000) > 0 AS dear,
         (SELECT count(*) FROM (SELECT FROM vendas GROUP BY id_concessionarias HAVING count(*) > 500) AS t) BETWEEN 10 AND 26 AS busy,
         (SELECT count(DISTINCT id_veiculos) FROM vendas) = 10 AS sold,
         (SELECT max(id_vendas) BETWEEN 60000 AND 69999 FROM vendas) AND (SELECT max(id_clientes) BETWEEN 60000 AND 69999 FROM clientes) AS ids`,
      [END],
    );
    expect(found).toEqual({ cheap: true, recent: true, dear: true, busy: true, sold: true, ids: true });
  });

  test("lets the sales site go on: the next ids are free", async () => {
    for (const table of TABLES) {
      const [next] = await query<{ free: boolean }>(
        database.ownerUrl,
        `SELECT nextval(pg_get_serial_sequence('${table}', 'id_${table}')) > max(id_${table}) AS free FROM ${table}`,
      );
      expect(next, table).toEqual({ free: true });
    }
  });

  test("stays as it is when asked for again", async () => {
    const steps: string[] = [];
    const again = await createHistory({
      url: database.ownerUrl,
      sales: 5,
      now: NOW,
      signal: never,
      progress: (step) => steps.push(step),
    });
    expect(again).toEqual({ created: false, sales: 62_000, clients: 60_140 });
    expect(steps).toEqual([]);
  });
});

describe("a history", () => {
  test("is the same for the same day and number of sales, and another for another day", async () => {
    const sums: string[] = [];
    for (const now of ["2026-03-05T03:00:00Z", "2026-03-06T02:59:59Z", "2026-03-06T03:00:00Z"]) {
      await createHistory({ url: database.ownerUrl, sales: 3000, now: new Date(now), signal: never });
      sums.push(await checksum());
      await dropAll();
    }
    expect(sums[1]).toBe(sums[0]);
    expect(sums[2]).not.toBe(sums[0]);
  });

  test.each([0, 1, 2])("of %i sales is possible", async (sales) => {
    expect(await createHistory({ url: database.ownerUrl, sales, now: NOW, signal: never })).toMatchObject({
      created: true,
      sales,
    });
    await dropAll();
  });

  test("that is stopped in the middle leaves nothing, and can be made afterwards", async () => {
    const stopping = new AbortController();
    const made = createHistory({
      url: database.ownerUrl,
      sales: 50_000_000,
      now: NOW,
      signal: stopping.signal,
      progress: (step) => step === "clients" && setTimeout(() => stopping.abort(new Error("enough")), 100),
    });
    await expect(made).rejects.toThrow("enough");
    expect(await query(database.url, "SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toEqual([]);
    const active =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'";
    expect(await query(database.url, active)).toEqual([]);
    expect(await createHistory({ url: database.ownerUrl, sales: 10, now: NOW, signal: never })).toMatchObject({
      created: true,
    });
    await dropAll();
  });
});

async function dropAll(): Promise<void> {
  await query(database.ownerUrl, `DROP TABLE ${TABLES.join(", ")}`);
}

/** Over all rows of all tables, in the order in which they lie. */
async function checksum(): Promise<string> {
  const each = TABLES.map((table) => `(SELECT md5(string_agg(t::text, E'\\n')) FROM ${table} AS t)`);
  const [row] = await query<{ sum: string }>(database.url, `SELECT ${each.join(" || ")} AS sum`);
  return row?.sum ?? "";
}
