/** Measures the load against one raw COPY of the same table, in one run on one machine: `npm run bench -- [--rows N] [--runs N] [--json]`. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { formatCount, formatSeconds } from "../../runtime/core/format.ts";
import { Batches } from "./batches.ts";
import { measure, startServer } from "./children.ts";
import { createSales } from "./data.ts";
import { median, round } from "./figures.ts";
import { writeProject } from "./project.ts";
import { Staging } from "./staging.ts";

const HELP = `Usage: npm run bench -- [options]

  --rows <n>     rows of the table (default 5000000)
  --changed <n>  rows changed before the incremental batch (default 10000)
  --runs <n>     runs of each measurement; the medians are reported (default 3)
  --url <url>    PostgreSQL to use, as a superuser (default: one of its own)
  --snowflake    whole batches into the stand-in for Snowflake too
  --json         one JSON document on standard output

Everything is held against one COPY … TO STDOUT of the whole table, read and thrown away, which is measured right before it. Reported:

  raw_copy         that COPY: seconds, runs
  first_load       whole batches into DuckDB: everything,
  changed_<n>      n changed rows,
  unchanged        nothing; seconds, ratio (median of each run's own), runs
  verify           every row and column of both sides, after these batches: the same, and peak_memory_mb
  peak_memory_mb   of the processes that ran these batches
  staging          extract, gzip and PUT by the driver to a server on this machine that stands in for Snowflake and writes nothing but the
                   statements' replies (the driver copies the files): seconds, ratio, runs, peak_memory_mb and cpu_seconds of the process that
                   stages, bytes staged, peak_disk_mb of files waiting, puts_at_once, server_cpu_seconds, server_peak_memory_mb
  snowflake        with --snowflake: the same batches into that server. Its own time is in the seconds (COPY and MERGE are
                   DuckDB's there), so these say nothing of Snowflake; statements and bytes_staged do
`;

const { values: flags } = parseArgs({
  options: {
    rows: { type: "string", default: "5000000" },
    changed: { type: "string", default: "10000" },
    runs: { type: "string", default: "3" },
    url: { type: "string" },
    snowflake: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

interface BenchOptions {
  readonly url: string;
  readonly folder: string;
  readonly rows: number;
  readonly changed: number;
  readonly runs: number;
  readonly snowflake: boolean;
}

async function bench({ url, folder, rows, changed, runs, snowflake }: BenchOptions) {
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say(`making ${formatCount(rows)} rows …`);
  await createSales(url, rows);
  const project = join(folder, "project");
  await writeProject(project);
  const raws: number[] = [];
  const yardstick = async (): Promise<number> => {
    const { seconds } = await measure("raw-copy.ts", z.object({ seconds: z.number() }), { args: [url, "vendas"] });
    raws.push(seconds);
    say(`  raw COPY: ${formatSeconds(seconds)}`);
    return seconds;
  };
  const [duckdb, staging, standIn] = [new Batches(), new Staging(), new Batches()];
  for (let index = 0; index < runs; index++) {
    say(`run ${index + 1} of ${runs}, load average ${loadavg()[0]?.toFixed(1)}`);
    const place = join(folder, `run-${index}`);
    await mkdir(place);
    const environment = (warehouse: string, name: string) => ({
      NOVADRIVE_SOURCE_URL: url,
      NOVADRIVE_WAREHOUSE_URL: warehouse,
      NOVADRIVE_STATE_DIR: join(place, name),
      NOVADRIVE_PROJECT_DIR: project,
    });
    const toDuckdb = environment(`duckdb:${join(place, "warehouse.duckdb")}`, "duckdb");
    await duckdb.run({ url, rows, changed, environment: toDuckdb, raw: await yardstick(), say });
    await using server = await startServer("snowflake-server.ts", { BENCH_PROJECT: project, BENCH_PLACE: place });
    await staging.run({
      rows,
      server,
      environment: environment(server.url, "staging"),
      raw: await yardstick(),
      say,
    });
    if (snowflake) {
      say("  into the stand-in for Snowflake:");
      const toServer = environment(server.url, "snowflake");
      await standIn.run({ url, rows, changed, environment: toServer, raw: await yardstick(), say });
    }
    await rm(place, { recursive: true });
  }
  return {
    rows,
    machine: {
      cpus: cpus().length,
      model: cpus()[0]?.model.trim(),
      memory_gb: Math.round(totalmem() / 1e9),
      node: process.version,
    },
    raw_copy: { seconds: round(median(raws)), runs: raws.map(round) },
    ...duckdb.report(changed),
    peak_memory_mb: duckdb.peakMemoryMb,
    staging: staging.report(),
    ...(snowflake && {
      snowflake: {
        against: "a stand-in on this machine, whose own time is in the seconds",
        ...standIn.report(changed),
        peak_memory_mb: standIn.peakMemoryMb,
      },
    }),
  };
}

if (flags.help) {
  process.stdout.write(HELP);
} else {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-bench-"));
  const { snowflake } = flags;
  const sizes = { rows: Number(flags.rows), changed: Number(flags.changed), runs: Number(flags.runs), snowflake };
  const started = flags.url ? undefined : await startServer("../support/postgres-server.ts");
  try {
    const report = await bench({ url: flags.url ?? started?.url ?? "", folder, ...sizes });
    process.stdout.write(`${JSON.stringify(report, null, flags.json ? undefined : 2)}\n`);
  } finally {
    await started?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}
