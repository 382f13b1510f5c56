/** The way from PostgreSQL to the stage alone: extract, compress, PUT by the driver to the server that stands in for Snowflake. */
import { z } from "zod";
import { formatSeconds } from "../../runtime/core/format.ts";
import { measure, type RunningServer } from "./children.ts";
import { figure, median, round, type Timing } from "./figures.ts";

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

/** What the server used since it was asked last. */
export async function askServer(server: RunningServer): Promise<z.infer<typeof used>> {
  return used.parse(await server.ask("used"));
}

type Run = z.infer<typeof staging> & Timing & { readonly server: z.infer<typeof used> };

export interface StagingOptions {
  readonly rows: number;
  readonly server: RunningServer;
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds of the raw COPY just before. */
  readonly raw: number;
  readonly say: (text: string) => void;
}

/** What several runs gave. */
export class Staging {
  readonly #runs: Run[] = [];

  /** @throws Error if it did not stage every row */
  async run({ rows, server, environment, raw, say }: StagingOptions): Promise<void> {
    await askServer(server);
    const measured = await measure("one-staging.ts", staging, { environment });
    if (measured.rows !== rows) throw new Error(`staging: ${measured.rows} rows, not ${rows}`);
    this.#runs.push({ ...measured, raw, server: await askServer(server) });
    say(`  staging: ${formatSeconds(measured.seconds)}, peak ${Math.round(measured.peak_memory_mb)} MB`);
  }

  report() {
    const most = (values: readonly number[]) => Math.round(Math.max(...values));
    const runs = this.#runs;
    return {
      ...figure(runs),
      peak_memory_mb: most(runs.map(({ peak_memory_mb }) => peak_memory_mb)),
      bytes: median(runs.map(({ bytes }) => bytes)),
      cpu_seconds: round(median(runs.map(({ cpu_seconds }) => cpu_seconds))),
      peak_disk_mb: most(runs.map(({ peak_disk_mb }) => peak_disk_mb)),
      puts_at_once: most(runs.map(({ puts_at_once }) => puts_at_once)),
      server_cpu_seconds: round(median(runs.map(({ server }) => server.cpu_seconds))),
      server_peak_memory_mb: most(runs.map(({ server }) => server.peak_memory_mb)),
    };
  }
}
