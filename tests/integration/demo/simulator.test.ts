import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Clock } from "../../../runtime/core/clock.ts";
import type { DemoDatabase } from "../../../runtime/demo/database.ts";
import { createHistory } from "../../../runtime/demo/history.ts";
import { seededRandom, type Random } from "../../../runtime/demo/random.ts";
import { startSimulator } from "../../../runtime/demo/simulator.ts";
import { never, query, startIn, temporaryFolder, until, type Folder } from "./support.ts";

/** A sleep at least this long is a long transaction's, every shorter one the pause between two events. */
const LONG_MS = 10_000;
const SITE = "novadrive demo sales site";

let folder: Folder;
let database: DemoDatabase;

beforeAll(async () => {
  folder = await temporaryFolder();
  database = await startIn(folder.path);
});

beforeEach(async () => {
  await query(
    database.ownerUrl,
    "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC",
  );
  await query(
    database.ownerUrl,
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO novadrive_loader",
  );
  await createHistory({ url: database.ownerUrl, sales: 2000, now: new Date("2026-03-05T15:00:00Z"), signal: never });
});

afterAll(async () => {
  await database.stop();
  await folder[Symbol.asyncDispose]();
});

test("keeps the business rule through thousands of events of every kind, however it is looked at", async () => {
  const said: string[] = [];
  await using simulator = startSimulator({
    url: database.ownerUrl,
    clock: new HurriedClock(),
    random: seededRandom(20),
    log: (line) => said.push(line),
    signal: never,
  });
  const total = (): number => Object.values(simulator.counts()).reduce((sum, count) => sum + count, 0);
  let looks = 0;
  await until(async () => {
    const [broken] = await query(
      database.url,
      "SELECT count(*)::integer AS number FROM vendas JOIN veiculos USING (id_veiculos) WHERE valor_pago > valor OR valor_pago < 0.95 * valor",
    );
    expect(broken).toEqual({ number: 0 });
    looks++;
    return total() >= 2000;
  });
  await simulator.stop();

  expect(looks).toBeGreaterThan(5);
  expect(said).toEqual([]);
  const counts = simulator.counts();
  for (const [kind, count] of Object.entries(counts)) if (kind !== "open") expect(count, kind).toBeGreaterThan(0);
  expect(counts.sale).toBeGreaterThan(total() / 2);
  expect(counts.open).toBe(0);

  const [site] = await query(
    database.url,
    `SELECT (SELECT count(*) FROM vendas WHERE data_atualizacao > data_inclusao AND data_atualizacao > now() - interval '1 hour') >= $1 * 0.5 AS corrected,
       (SELECT count(*) FROM clientes WHERE data_inclusao > now() - interval '1 hour') >= $2 AS clients,
       (SELECT count(*) FROM vendas JOIN clientes USING (id_clientes) WHERE vendas.id_concessionarias <> clientes.id_concessionarias)::integer AS elsewhere,
       (SELECT max(n) FROM (SELECT count(*)::integer AS n FROM veiculos GROUP BY regexp_replace(nome, ' 20..$', '')) AS t) AS model_years`,
    [counts.correctedPrice, counts.newClient],
  );
  expect(site).toEqual({ corrected: true, clients: true, elsewhere: 0, model_years: 2 });
});

test("the same seed makes the same events", async () => {
  const orders: string[][] = [];
  for (const seed of [5, 5, 6]) {
    const clock = new SteppedClock();
    const random = seededRandom(seed);
    const made: string[] = [];
    await using simulator = startSimulator({ url: database.ownerUrl, clock, random, log: () => {}, signal: never });
    for (let event = 0; event < 15; event++) {
      await until(() => clock.pausing());
      // Long transactions go on beside the stream.
      made.push(JSON.stringify({ ...simulator.counts(), open: 0 }));
      clock.release((milliseconds) => milliseconds < LONG_MS);
    }
    orders.push(made);
  }
  expect(orders[1]).toEqual(orders[0]);
  expect(orders[2]).not.toEqual(orders[0]);
});

test("rows of a long transaction carry the time of its beginning, and appear when it commits, after later ones", async () => {
  const { highest } = await highestSale();
  const clock = new SteppedClock();
  await using simulator = startSimulator({
    url: database.ownerUrl,
    clock,
    random: longFirst(),
    log: () => {},
    signal: never,
  });
  await until(() => simulator.counts().open === 1);
  expect(await highestSale()).toEqual({ highest });

  const [later] = await query<{ id: number; at: string }>(
    database.ownerUrl,
    `INSERT INTO vendas (id_veiculos, id_concessionarias, id_vendedores, id_clientes, valor_pago)
     SELECT id_veiculos, id_concessionarias, id_vendedores, id_clientes, valor_pago FROM vendas LIMIT 1
     RETURNING id_vendas AS id, data_atualizacao::text AS at`,
  );
  expect(later?.id).toBeGreaterThan(highest + 1);
  const between = [highest, later?.id];
  const hidden = "SELECT FROM vendas WHERE id_vendas > $1 AND id_vendas < $2";
  expect(await query(database.url, hidden, between)).toEqual([]);

  clock.release((milliseconds) => milliseconds >= LONG_MS);
  await until(() => simulator.counts().longTransaction === 1);
  const shown = await query(
    database.url,
    `SELECT DISTINCT data_atualizacao < $3::timestamptz AS earlier, data_inclusao = data_atualizacao AS fresh
     FROM vendas WHERE id_vendas > $1 AND id_vendas < $2`,
    [...between, later?.at],
  );
  expect(shown).toEqual([{ earlier: true, fresh: true }]);
});

test("stopping it rolls back what is open and leaves no connection", async () => {
  const before = await highestSale();
  const stopping = new AbortController();
  const simulator = startSimulator({
    url: database.ownerUrl,
    clock: new SteppedClock(),
    random: longFirst(),
    log: () => {},
    signal: stopping.signal,
  });
  await until(() => simulator.counts().open === 1);
  stopping.abort();
  await simulator.stopped;
  await until(
    async () =>
      (await query(database.url, "SELECT FROM pg_stat_activity WHERE application_name = $1", [SITE])).length === 0,
  );
  expect(await highestSale()).toEqual(before);
  expect(simulator.counts()).toMatchObject({ open: 0, longTransaction: 0 });
});

test("a statement that waits for a lock does not hold up the end", async () => {
  const simulator = startSimulator({
    url: database.ownerUrl,
    clock: new HurriedClock(),
    random: seededRandom(3),
    log: () => {},
    signal: never,
  });
  await until(() => simulator.counts().sale > 0);
  const locked = query(
    database.ownerUrl,
    "BEGIN; LOCK TABLE vendas, clientes, veiculos; SELECT pg_sleep(60); COMMIT",
  ).catch(() => "cancelled");
  const waiting = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'";
  await until(async () => (await query(database.url, waiting, [SITE])).length > 0);
  await simulator.stop();
  await query(
    database.ownerUrl,
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
  );
  expect(await locked).toBe("cancelled");
});

test("goes on after the server was restarted, and says so once", async () => {
  const said: string[] = [];
  await using simulator = startSimulator({
    url: database.ownerUrl,
    clock: new HurriedClock(),
    random: seededRandom(4),
    log: (line) => said.push(line),
    signal: never,
  });
  await until(() => simulator.counts().sale > 3);
  await database.stop();
  await until(() => said.length === 1);
  database = await startIn(folder.path);
  const sales = simulator.counts().sale;
  await until(() => simulator.counts().sale > sales);
  expect(said).toEqual([expect.stringContaining("cannot write"), "The sales site goes on"]);
});

async function highestSale(): Promise<{ highest: number }> {
  const [row] = await query<{ highest: number }>(database.url, "SELECT max(id_vendas) AS highest FROM vendas");
  return row ?? { highest: 0 };
}

/** Chooses the last kind of event first, which is the long transaction. */
function longFirst(): Random {
  const random = seededRandom(1);
  let first = true;
  return () => {
    if (!first) return random();
    first = false;
    return 0.9999;
  };
}

/** Pauses between events take no time, but move the clock; a long transaction waits until it has moved far enough. */
class HurriedClock implements Clock {
  #time = 0;
  #waiting: { due: number; resolve: () => void }[] = [];

  now(): Date {
    return new Date(this.#time);
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const due = this.#time + milliseconds;
    if (milliseconds >= LONG_MS) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push({ due, resolve });
        signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
        // Nothing moves the clock while the server is away.
        setTimeout(resolve, 200);
      });
      return;
    }
    this.#time = due;
    for (const waiting of this.#waiting) if (waiting.due <= due) waiting.resolve();
    this.#waiting = this.#waiting.filter((waiting) => waiting.due > due);
    await new Promise<void>((resolve) => setTimeout(resolve, 1));
    signal?.throwIfAborted();
  }
}

/** Time stands still: a sleep lasts until it is released. */
class SteppedClock implements Clock {
  #sleepers: { milliseconds: number; resolve: () => void }[] = [];

  now(): Date {
    return new Date(0);
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      this.#sleepers.push({ milliseconds, resolve });
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  }

  pausing(): boolean {
    return this.#sleepers.some(({ milliseconds }) => milliseconds < LONG_MS);
  }

  release(which: (milliseconds: number) => boolean): void {
    const [ready, rest] = [
      this.#sleepers.filter((each) => which(each.milliseconds)),
      this.#sleepers.filter((each) => !which(each.milliseconds)),
    ];
    this.#sleepers = rest;
    for (const { resolve } of ready) resolve();
  }
}
