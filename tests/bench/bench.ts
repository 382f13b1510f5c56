/** Measures the load against one raw COPY of the same table, in one run on one machine: `npm run bench -- [--rows N] [--runs N] [--json]`. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs, promisify } from "node:util";
import { formatCount, formatSeconds } from "../../runtime/core/format.ts";
import { changeSales, createSales } from "./data.ts";

const HELP = `Usage: npm run bench -- [options]

  --rows <n>     rows of the table (default 5000000)
  --changed <n>  rows changed before the incremental batch (default 10000)
  --runs <n>     runs of each measurement; the medians are reported (default 3)
  --url <url>    PostgreSQL to use, as a superuser (default: one of its own)
  --json         one JSON document on standard output
`;

const { values: flags } = parseArgs({
  options: {
    rows: { type: "string", default: "5000000" },
    changed: { type: "string", default: "10000" },
    runs: { type: "string", default: "3" },
    url: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const MANIFEST = `version: 2
sources:
  - name: stage
    schema: stage
    config: {meta: {sync: {mode: incremental, cursor: data_atualizacao, deletes: hard}}}
    tables:
      - name: vendas
        config: {meta: {primary_key: [id_vendas]}}
        columns:
          - {name: id_vendas, data_type: integer, constraints: [{type: not_null}]}
          - {name: id_veiculos, data_type: integer, constraints: [{type: not_null}]}
          - {name: id_concessionarias, data_type: integer, constraints: [{type: not_null}]}
          - {name: id_vendedores, data_type: integer, constraints: [{type: not_null}]}
          - {name: id_clientes, data_type: integer, constraints: [{type: not_null}]}
          - {name: valor_pago, data_type: "decimal(10,2)", constraints: [{type: not_null}]}
          - {name: data_venda, data_type: timestamp_ltz}
          - {name: data_inclusao, data_type: timestamp_ltz}
          - {name: data_atualizacao, data_type: timestamp_ltz}
`;

interface Measurement {
  readonly seconds: number;
  readonly peakMemoryMb?: number;
  readonly table?: {
    readonly rows_read: number;
    readonly inserted: number;
    readonly updated: number;
    readonly deleted: number;
  };
}

const run = promisify(execFile);

async function measure(
  script: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Measurement> {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, script), ...args], {
    env: { ...process.env, ...environment },
    maxBuffer: 1 << 24,
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Measurement;
}

async function startServer(): Promise<{ url: string; server: ChildProcess }> {
  const server = spawn(process.execPath, [join(import.meta.dirname, "../support/postgres-server.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (!server.stdout) throw new Error("No output of the server's program");
  for await (const line of createInterface({ input: server.stdout })) {
    const answer = JSON.parse(line) as { url?: string; error?: string };
    if (answer.url) return { url: answer.url, server };
    throw new Error(answer.error);
  }
  throw new Error("The program that starts PostgreSQL ended");
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** All measurements; the raw COPY is taken before each first load, so that a machine that slows down slows both. */
async function bench(
  url: string,
  folder: string,
  { rows, changed, runs }: { rows: number; changed: number; runs: number },
) {
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say(`making ${formatCount(rows)} rows …`);
  await createSales(url, rows);
  const project = join(folder, "project");
  await mkdir(join(project, "models"), { recursive: true });
  await writeFile(join(project, "models/manifest.yml"), MANIFEST);
  await writeFile(join(project, "dbt_project.yml"), "name: bench\nversion: '1.0'\nprofile: bench\n");
  const raw: number[] = [];
  const batches: Record<"first" | "changed" | "unchanged", number[]> = { first: [], changed: [], unchanged: [] };
  let peak = 0;
  for (let index = 0; index < runs; index++) {
    const place = join(folder, `run-${index}`);
    await mkdir(place);
    const environment = {
      NOVADRIVE_SOURCE_URL: url,
      NOVADRIVE_WAREHOUSE_URL: `duckdb:${join(place, "warehouse.duckdb")}`,
      NOVADRIVE_STATE_DIR: join(place, "state"),
      NOVADRIVE_PROJECT_DIR: project,
    };
    const batch = async (kind: keyof typeof batches, expected: Partial<NonNullable<Measurement["table"]>>) => {
      const measured = await measure("one-batch.ts", [], environment);
      for (const [key, value] of Object.entries(expected)) {
        const found = measured.table?.[key as keyof typeof expected];
        if (found !== value) throw new Error(`${kind}: ${key} is ${found}, not ${value}`);
      }
      batches[kind].push(measured.seconds);
      peak = Math.max(peak, measured.peakMemoryMb ?? 0);
      say(`  ${kind}: ${formatSeconds(measured.seconds)}, peak ${Math.round(measured.peakMemoryMb ?? 0)} MB`);
    };
    raw.push((await measure("raw-copy.ts", [url, "vendas"])).seconds);
    say(`run ${index + 1} of ${runs}: raw COPY ${formatSeconds(raw.at(-1) ?? 0)}`);
    await batch("first", { inserted: rows });
    await changeSales(url, rows, changed);
    await batch("changed", { updated: Math.min(changed, rows), inserted: 0, deleted: 0 });
    await batch("unchanged", { updated: 0, inserted: 0, deleted: 0 });
    await rm(place, { recursive: true });
  }
  const yardstick = median(raw);
  const figure = (values: readonly number[]) => ({
    seconds: round(median(values)),
    ratio: round(median(values) / yardstick),
    runs: values.map(round),
  });
  return {
    rows,
    machine: {
      cpus: cpus().length,
      model: cpus()[0]?.model.trim(),
      memory_gb: Math.round(totalmem() / 1e9),
      node: process.version,
    },
    raw_copy: { seconds: round(yardstick), runs: raw.map(round) },
    first_load: figure(batches.first),
    [`changed_${changed}`]: figure(batches.changed),
    unchanged: figure(batches.unchanged),
    peak_memory_mb: Math.round(peak),
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

if (flags.help) {
  process.stdout.write(HELP);
} else {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-bench-"));
  const started = flags.url ? undefined : await startServer();
  try {
    const sizes = { rows: Number(flags.rows), changed: Number(flags.changed), runs: Number(flags.runs) };
    const report = await bench(flags.url ?? started?.url ?? "", folder, sizes);
    process.stdout.write(`${JSON.stringify(report, null, flags.json ? undefined : 2)}\n`);
  } finally {
    started?.server.stdin?.end();
    await rm(folder, { recursive: true, force: true });
  }
}
