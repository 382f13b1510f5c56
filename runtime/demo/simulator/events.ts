/**
 * What happens at a sales site, each as statements inside a transaction that the caller opens and commits.
 *
 * The rule that a sale is paid between 95 % and 100 % of its vehicle's list price holds at every commit. A sale, or a correction of one,
 * reads the list price with FOR SHARE, so that it cannot change before the commit; a change of price takes the vehicle FOR UPDATE and then
 * looks at what was paid, so that no sale can slip in between.
 */
import type { ClientBase } from "pg";
import { FIRM, VEHICLES } from "../dealership.ts";
import { between, pickWeighted, type Random } from "../random.ts";
import { inventAddress, inventName } from "./people.ts";

/** One transaction's work. @returns false when there was nothing to do it to */
export type SiteEvent = (client: ClientBase, random: Random) => Promise<boolean>;

interface ListedVehicle {
  readonly id: number;
  /** Name without the model year. */
  readonly line: string;
}

/** A new model year takes the place of the rows of the same name before it. */
const PRICE_LIST = `
  SELECT DISTINCT ON (line) id_veiculos AS id, line
  FROM (SELECT id_veiculos, regexp_replace(nome, ' 20[0-9]{2}$', '') AS line FROM veiculos) AS vehicle
  ORDER BY line, id_veiculos DESC`;

/** In whole cents, rounded up: the share is at least 96.5 % and at most 99 %, so it cannot leave the rule. */
const PAID = "ceil(valor * $1::integer / 10000) / 100";

async function pickVehicle(client: ClientBase, random: Random): Promise<number | undefined> {
  const listed = await client.query<ListedVehicle>(PRICE_LIST);
  const share = ({ line }: ListedVehicle): number => VEHICLES.find(({ name }) => name === line)?.weight ?? 5;
  return listed.rows.length === 0 ? undefined : pickWeighted(random, listed.rows, share).id;
}

/** A place in the table by chance, half of the time among the last few hundred rows; rows that others hold are passed over. */
async function pickSale(client: ClientBase, random: Random): Promise<{ id: number; vehicle: number } | undefined> {
  const recent = random() < 0.5;
  const found = await client.query<{ id: number; vehicle: number }>(
    `SELECT id_vendas AS id, id_veiculos AS vehicle FROM vendas
     WHERE id_vendas >= (
       SELECT CASE WHEN $2::boolean THEN greatest(max(id_vendas) - floor($1::float8 * 300), 1) ELSE ceil($1::float8 * max(id_vendas)) END FROM vendas
     )
     ORDER BY id_vendas LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [random(), recent],
  );
  return found.rows[0];
}

export const registerClient: SiteEvent = async (client, random) => (await insertClient(client, random)) !== undefined;

async function insertClient(client: ClientBase, random: Random): Promise<number | undefined> {
  const added = await client.query<{ id: number }>(
    `INSERT INTO clientes (cliente, endereco, id_concessionarias)
     SELECT $1, $2, id_concessionarias FROM concessionarias ORDER BY id_concessionarias
     OFFSET (SELECT floor($3::float8 * count(*)) FROM concessionarias) LIMIT 1
     RETURNING id_clientes AS id`,
    [inventName(random), inventAddress(random), random()],
  );
  return added.rows[0]?.id;
}

/** A third of the buyers is entered together with the sale. */
export const sell: SiteEvent = async (client, random) => {
  const vehicle = await pickVehicle(client, random);
  const buyer = random() < 0.35 ? await insertClient(client, random) : undefined;
  const added = await client.query(
    `INSERT INTO vendas (id_veiculos, id_concessionarias, id_vendedores, id_clientes, valor_pago, data_venda)
     SELECT id_veiculos, id_concessionarias, id_vendedores, id_clientes, ${PAID}, now()
     FROM (SELECT id_veiculos, valor FROM veiculos WHERE id_veiculos = $2 FOR SHARE) AS vehicle,
       (
         SELECT id_clientes, id_concessionarias FROM clientes
         WHERE id_clientes >= coalesce($3::integer, (SELECT ceil($4::float8 * max(id_clientes)) FROM clientes))
         ORDER BY id_clientes LIMIT 1
       ) AS buyer,
       LATERAL (
         SELECT id_vendedores FROM vendedores WHERE id_concessionarias = buyer.id_concessionarias
         ORDER BY hashint8extended(id_vendedores, $5::bigint) LIMIT 1
       ) AS seller`,
    [between(random, FIRM.from, FIRM.to), vehicle, buyer, random(), between(random, 0, 1_000_000)],
  );
  return added.rowCount === 1;
};

export const correctPrice: SiteEvent = async (client, random) => {
  const sale = await pickSale(client, random);
  if (!sale) return false;
  const changed = await client.query(
    `UPDATE vendas SET valor_pago = ${PAID}, data_atualizacao = now()
     FROM (SELECT valor FROM veiculos WHERE id_veiculos = $2 FOR SHARE) AS vehicle
     WHERE id_vendas = $3`,
    [between(random, FIRM.from, FIRM.to), sale.vehicle, sale.id],
  );
  return changed.rowCount === 1;
};

export const cancelSale: SiteEvent = async (client, random) => {
  const sale = await pickSale(client, random);
  if (!sale) return false;
  await client.query("DELETE FROM vendas WHERE id_vendas = $1", [sale.id]);
  return true;
};

export const moveClient: SiteEvent = async (client, random) => {
  const changed = await client.query(
    `UPDATE clientes SET endereco = $1, data_atualizacao = now()
     WHERE id_clientes = (
       SELECT id_clientes FROM clientes WHERE id_clientes >= (SELECT ceil($2::float8 * max(id_clientes)) FROM clientes)
       ORDER BY id_clientes LIMIT 1 FOR UPDATE SKIP LOCKED
     )`,
    [inventAddress(random), random()],
  );
  return changed.rowCount === 1;
};

interface PriceRange {
  /** Decimal text. */
  readonly lowest: string;
  readonly highest: string;
  readonly open: boolean;
}

/**
 * A new list price p must satisfy max(paid) <= p <= min(paid) / 0.95 for the sales that exist. A vehicle that was sold over the whole range
 * of the rule cannot change at all: then a new model year with the new price comes onto the list, and the old row stays for its sales. The
 * sales of this simulator lie between 96.5 % and 99 %, so for prices so far from a to b (each within the limits of its day, hence
 * 0.99 b <= a and b <= 1.0157 a) the next one may lie from 0.99 b to 1.0157 a, a range never narrower than 1 %. So each line needs one new
 * model year at most, however long the simulator runs.
 */
export const changePrice: SiteEvent = async (client, random) => {
  const vehicle = await pickVehicle(client, random);
  const held = await client.query("SELECT FROM veiculos WHERE id_veiculos = $1 FOR UPDATE SKIP LOCKED", [vehicle]);
  if (held.rowCount === 0) return false;
  // A statement of its own, because its snapshot must show the sales that were committed before the lock was granted.
  const found = await client.query<PriceRange>(
    `SELECT lowest::text, highest::text, highest - lowest >= valor * 0.005 AS open
     FROM (
       SELECT valor, coalesce(max(valor_pago), valor * 0.99) AS lowest, coalesce(trunc(min(valor_pago) / 0.95, 2), valor * 1.01) AS highest
       FROM veiculos LEFT JOIN vendas USING (id_veiculos) WHERE id_veiculos = $1 GROUP BY valor
     ) AS range`,
    [vehicle],
  );
  const range = found.rows[0];
  return range?.open ? await reprice(client, random, vehicle, range) : await launchModelYear(client, random, vehicle);
};

async function reprice(
  client: ClientBase,
  random: Random,
  vehicle: number | undefined,
  range: PriceRange,
): Promise<boolean> {
  const changed = await client.query(
    `UPDATE veiculos SET valor = wanted, data_atualizacao = now()
     FROM (SELECT greatest($2::numeric, least($3::numeric, round($2::numeric + ($3::numeric - $2::numeric) * $4::numeric, -1))) AS wanted) AS price
     WHERE id_veiculos = $1 AND valor <> wanted`,
    [vehicle, range.lowest, range.highest, random()],
  );
  return changed.rowCount === 1;
}

async function launchModelYear(client: ClientBase, random: Random, vehicle: number | undefined): Promise<boolean> {
  const launched = await client.query(
    `INSERT INTO veiculos (nome, tipo, valor)
     SELECT line || ' ' || coalesce(year + 1, extract(year FROM now())::integer + 1), tipo, round(valor * $2::numeric, -2)
     FROM veiculos, LATERAL (
       SELECT regexp_replace(nome, ' 20[0-9]{2}$', '') AS line, substring(nome FROM ' (20[0-9]{2})$')::integer AS year
     ) AS model
     WHERE id_veiculos = $1`,
    [vehicle, 1.01 + random() * 0.03],
  );
  return launched.rowCount === 1;
}
