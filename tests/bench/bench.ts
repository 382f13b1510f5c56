/** Measures loads against one raw COPY of the same table, in one run on one machine: `npm run bench -- --help`. */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { formatCount } from "../../runtime/core/format.ts";
import { MORE_SALES, SALES, WIDE } from "./bench-table.ts";
import { FirstLoad } from "./cases/first-load.ts";
import { Peers } from "./cases/peers.ts";
import { createSales, duckdbAt, Sales, type SalesStep } from "./cases/sales.ts";
import { SmallTables } from "./cases/small-tables.ts";
import { SnowflakeSales } from "./cases/snowflake-sales.ts";
import { Staging } from "./cases/staging.ts";
import { startServer } from "./children.ts";
import { RawCopies, type BenchCase, type BenchContext } from "./context.ts";
import { round } from "./figures.ts";
import { describeMachine } from "./machine.ts";
import { HELP, parseOptions, type BenchOptions } from "./options.ts";
import { benchReport, comparePeers, type BenchReport } from "./report.ts";
import { evaluateTargets } from "./targets.ts";
import { tablesOf } from "./tables.ts";

const STEPS: readonly SalesStep[] = ["unchanged", "cursor", "cursor-deletes", "scan", "verify"];
/** A wide row is about five times as long as one of the sales. */
const ROWS_TO_WIDE = 10;
const ROWS_TO_BIG = 4;

function casesOf(options: BenchOptions, context: BenchContext): BenchCase[] {
  const { cases, rows, snowflake, peers } = options;
  const steps = new Set(STEPS.filter((step) => cases.has(step)));
  const sales = cases.has("first") || steps.size > 0 || peers;
  return [
    ...(sales ? [new Sales({ context, steps, openWarehouse: duckdbAt })] : []),
    ...(peers ? [new Peers(context)] : []),
    ...(cases.has("staging") ? [new Staging(context)] : []),
    ...(snowflake ? [new SnowflakeSales(context, steps)] : []),
    ...(cases.has("wide") ? [new FirstLoad(context, "wide", WIDE, Math.ceil(rows / ROWS_TO_WIDE))] : []),
    ...(cases.has("tables") ? [new SmallTables(context)] : []),
    ...(cases.has("big") ? [new FirstLoad(context, "big", MORE_SALES, rows * ROWS_TO_BIG)] : []),
  ];
}

async function bench(options: BenchOptions, url: string, folder: string): Promise<BenchReport> {
  const { rows, changed, tables, runs } = options;
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const rawCopies = new RawCopies(url, say);
  const context: BenchContext = { url, folder, rows, changed, tables, rawCopies, say };
  const started = new Date().toISOString();
  const cases = casesOf(options, context);
  say(`making ${formatCount(rows)} rows …`);
  await createSales(context);
  for (const one of cases) await one.prepare();
  const load: number[] = [];
  for (let index = 0; index < runs; index += 1) {
    load.push(round(loadavg()[0] ?? 0));
    say(`run ${index + 1} of ${runs}, load average ${load.at(-1)}`);
    const place = join(folder, `run-${index}`);
    await mkdir(place);
    for (const one of cases) await one.run(place);
    await rm(place, { recursive: true });
  }
  const reports = cases.map((one) => one.report());
  const report = benchReport.parse({
    rows,
    started,
    command: ["npm run bench --", ...process.argv.slice(2)].join(" "),
    machine: await describeMachine(url),
    load_average: load,
    raw_copy: rawCopies.report(SALES.name),
    ...Object.assign({}, ...reports),
  });
  return comparePeers(report);
}

/** @returns the report of a run of its own, with a server of its own unless one is named */
async function measured(options: BenchOptions): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-bench-"));
  const server = options.url === undefined ? await startServer("../support/postgres-server.ts") : undefined;
  try {
    return await bench(options, options.url ?? server?.url ?? "", folder);
  } finally {
    await server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}

const options = parseOptions(process.argv.slice(2));
if (!options) {
  process.stdout.write(HELP);
} else {
  const report = options.from
    ? benchReport.parse(JSON.parse(await readFile(options.from, "utf8")))
    : await measured(options);
  const tables = tablesOf(report);
  if (options.json) {
    process.stderr.write(`\n${tables}`);
    process.stdout.write(`${JSON.stringify({ ...report, targets: evaluateTargets(report) })}\n`);
  } else {
    process.stdout.write(options.markdown ? tables : `\n${tables}`);
  }
}
