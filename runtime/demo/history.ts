/** Fills the demo's PostgreSQL with three years of sales, by set-based SQL that runs inside the server. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Client } from "pg";
import { COMPANIES, DISTRICTS, FIRST_NAMES, STATES, STREETS, SURNAMES, VEHICLES } from "./dealership.ts";

const STEPS = ["schema", "functions", "reference", "clients", "sales", "indexes"] as const;
type HistoryStep = (typeof STEPS)[number];

export interface HistoryOptions {
  /** As the owner of the tables. */
  readonly url: string;
  /** Default 62,000. */
  readonly sales?: number | undefined;
  /** The history ends at the last midnight in São Paulo before it; only its day matters. */
  readonly now: Date;
  readonly signal: AbortSignal;
  /** Told before each step. */
  readonly progress?: ((step: HistoryStep) => void) | undefined;
}

export interface History {
  /** False when the history was there already, perhaps with another number of sales. */
  readonly created: boolean;
  /** Rows now in each table. */
  readonly sales: number;
  readonly clients: number;
}

/**
 * Makes schema and rows unless they are there. One transaction: the history is complete or absent, however the process ends. The same day
 * and number of sales give the same rows.
 */
export async function createHistory(options: HistoryOptions): Promise<History> {
  const { url, sales = 62_000, now, signal, progress } = options;
  if (!Number.isSafeInteger(sales) || sales < 0) throw new RangeError(`Not a number of sales: ${sales}`);
  signal.throwIfAborted();
  const client = new Client({ connectionString: url, application_name: "novadrive demo history" });
  client.on("error", () => {});
  await client.connect();
  const cancel = (): void => void cancelBackend(url, client).catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock(hashtext('novadrive demo history'))");
    const found = await client.query<{ found: boolean }>("SELECT to_regclass('public.vendas') IS NOT NULL AS found");
    const created = found.rows[0]?.found !== true;
    if (created) {
      await client.query(
        "SELECT set_config('demo.sales', $1, true), set_config('demo.now', $2, true), set_config('demo.facts', $3, true)",
        [String(sales), now.toISOString(), facts()],
      );
      for (const step of STEPS) {
        signal.throwIfAborted();
        progress?.(step);
        await client.query(await readFile(path.join(import.meta.dirname, "history", `${step}.sql`), "utf8"));
      }
    }
    const rows = await client.query<{ sales: string; clients: string }>(
      "SELECT (SELECT count(*) FROM vendas) AS sales, (SELECT count(*) FROM clientes) AS clients",
    );
    await client.query("COMMIT");
    return { created, sales: Number(rows.rows[0]?.sales), clients: Number(rows.rows[0]?.clients) };
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown;
  } finally {
    signal.removeEventListener("abort", cancel);
    await client.end().catch(() => {});
  }
}

function facts(): string {
  return JSON.stringify({
    vehicles: VEHICLES,
    states: STATES,
    firstNames: FIRST_NAMES,
    surnames: SURNAMES,
    streets: STREETS,
    districts: DISTRICTS,
    companies: COMPANIES,
  });
}

/** A server in the middle of a long statement does not see that its client went away. */
async function cancelBackend(url: string, client: Client & { processID?: number | null }): Promise<void> {
  const other = new Client({ connectionString: url, application_name: "novadrive demo history" });
  other.on("error", () => {});
  await other.connect();
  try {
    await other.query("SELECT pg_cancel_backend($1)", [client.processID]);
  } finally {
    await other.end();
  }
}
