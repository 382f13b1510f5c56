/** The way from PostgreSQL to the stage alone: extract, compress, PUT by the driver to the server that stands in for Snowflake. */
import { join } from "node:path";
import { z } from "zod";
import { formatSeconds } from "../../../runtime/core/format.ts";
import { SALES } from "../bench-table.ts";
import { measure, startServer, type RunningServer } from "../children.ts";
import { environmentOf, type BenchCase, type BenchContext } from "../context.ts";
import { figure, median, round, type Timing } from "../figures.ts";
import { prepareSales, salesProject } from "./sales.ts";

const staging = z.object({
  seconds: z.number(),
  rows: z.number(),
  bytes: z.number(),
  cpu_seconds: z.number(),
  peak_memory_mb: z.number(),
  peak_disk_mb: z.number(),
  puts_at_once: z.number(),
});

const used = z.object({ statements: z.number(), cpu_seconds: z.number(), peak_memory_mb: z.number() });

type Run = z.infer<typeof staging> & Timing & { readonly server: z.infer<typeof used> };

/** The server that stands in for Snowflake. */
export async function startSnowflake(context: BenchContext, place: string): Promise<RunningServer> {
  return await startServer("snowflake-server.ts", { BENCH_PROJECT: salesProject(context, "scan"), BENCH_PLACE: place });
}

/** What several runs gave. */
export class Staging implements BenchCase {
  readonly #context: BenchContext;
  readonly #runs: Run[] = [];

  constructor(context: BenchContext) {
    this.#context = context;
  }

  async prepare(): Promise<void> {
    await prepareSales(this.#context);
  }

  /** @throws Error if it did not stage every row */
  async run(place: string): Promise<void> {
    const { url, folder, rows, rawCopies, say } = this.#context;
    await using server = await startSnowflake(this.#context, place);
    const environment = environmentOf({
      url,
      folder,
      warehouse: server.url,
      state: join(place, "staging"),
      project: salesProject(this.#context, "scan"),
    });
    const raw = await rawCopies.measure(SALES.name);
    await usedBy(server);
    const measured = await measure("one-staging.ts", staging, { environment });
    if (measured.rows !== rows) throw new Error(`staging: ${measured.rows} rows, not ${rows}`);
    this.#runs.push({ ...measured, raw, server: await usedBy(server) });
    say(`  staging: ${formatSeconds(measured.seconds)}, peak ${Math.round(measured.peak_memory_mb)} MB`);
  }

  report() {
    const most = (values: readonly number[]) => Math.round(Math.max(...values));
    const runs = this.#runs;
    const staged = {
      ...figure(runs),
      bytes: median(runs.map(({ bytes }) => bytes)),
      cpu_seconds: round(median(runs.map(({ cpu_seconds }) => cpu_seconds))),
      peak_disk_mb: most(runs.map(({ peak_disk_mb }) => peak_disk_mb)),
      puts_at_once: most(runs.map(({ puts_at_once }) => puts_at_once)),
      server_cpu_seconds: round(median(runs.map(({ server }) => server.cpu_seconds))),
      server_peak_memory_mb: most(runs.map(({ server }) => server.peak_memory_mb)),
    };
    return { staging: staged };
  }
}

/** What the server used since it was asked last. */
const usedBy = async (server: RunningServer) => used.parse(await server.ask("used"));
