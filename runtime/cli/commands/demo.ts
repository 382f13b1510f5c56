/** `novadrive demo`: a whole pipeline on this machine: PostgreSQL with a living dealership, DuckDB, schedule and page. */
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { Config } from "../../config/options.ts";
import { systemClock } from "../../core/clock.ts";
import { formatCount } from "../../core/format.ts";
import type { Log } from "../../core/log.ts";
import type { BatchResult } from "../../core/result.ts";
import { startDemoDatabase, type DemoDatabase } from "../../demo/database.ts";
import { createHistory } from "../../demo/history.ts";
import { describeCounts, startSimulator } from "../../demo/simulator.ts";
import { configWithSecrets, logFor, stopSignal } from "../invocation.ts";
import type { ReportStatus } from "../program.ts";
import { printResult } from "../print-result.ts";
import { runOnce } from "../run-once.ts";
import { requireProtection, serveUntilStopped } from "../serve-process.ts";

interface DemoFlags {
  readonly once?: boolean | undefined;
  readonly sales: number;
  readonly dir: string;
  readonly json?: boolean | undefined;
}

const DEFAULT_SALES = 62_000;
const DEFAULT_FOLDER = "./.novadrive-demo";

export function demoCommand(report: ReportStatus): Command {
  return new Command("demo")
    .description(
      "a whole pipeline on this machine: a PostgreSQL with a living dealership, an embedded warehouse, the status page",
    )
    .option("--once", "run one whole batch and exit")
    .option("--sales <n>", "sales in the history, when it is made", salesCount, DEFAULT_SALES)
    .option(
      "--dir <folder>",
      "folder that holds everything, and can be deleted when the demo is stopped",
      DEFAULT_FOLDER,
    )
    .option("--json", "with --once: print the result as one JSON document; logs go to standard error")
    .addHelpText(
      "after",
      `
The schedule is every minute, unless --schedule says otherwise. Started again, the demo goes on where it was.

Examples:
  $ novadrive demo
  $ novadrive demo --port 8081 --schedule "*/5 * * * *"
  $ novadrive demo --once --sales 1000000 --dir /tmp/million`,
    )
    .action(async (flags: DemoFlags, command: Command) => {
      const folder = resolve(flags.dir);
      using signal = stopSignal();
      const settings = await configWithSecrets(command, {
        secrets: ["uiPasswordHash", "uiTlsKey"],
        signal,
        defaults: {
          schedule: "* * * * *",
          stateDir: join(folder, "state"),
          warehouseUrl: `duckdb:${join(folder, "warehouse.duckdb")}`,
          projectDir: join(import.meta.dirname, "../../../sql"),
          retryDelay: "5",
        },
      });
      const log = logFor(settings);
      const whole = { folder, sales: flags.sales, settings, log, signal };
      if (flags.once) report(printResult(await once(whole), flags.json ?? false));
      else {
        requireProtection(settings);
        report(await liveOn(whole));
      }
    });
}

interface Dealership {
  readonly folder: string;
  readonly sales: number;
  readonly settings: Config;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** PostgreSQL with its history in it. */
async function openDealership({ folder, sales, log, signal }: Dealership): Promise<DemoDatabase> {
  const say = (message: string, level: "info" | "warn" = "info") => log[level](message);
  const database = await startDemoDatabase({ folder, log: say, signal });
  try {
    const history = await createHistory({
      url: database.ownerUrl,
      sales,
      now: systemClock.now(),
      signal,
      progress: (step) => log.info(`making the dealership: ${step}`),
    });
    const found = `${formatCount(history.sales)} sales to ${formatCount(history.clients)} clients`;
    log.info(history.created ? `PostgreSQL is up, with ${found}` : `PostgreSQL is up; going on with ${found}`);
    if (!history.created && sales !== DEFAULT_SALES) {
      log.warn(`--sales is for a new dealership; delete ${folder} to make one`);
    }
    return database;
  } catch (thrown) {
    await database.stop();
    throw thrown;
  }
}

async function once(dealership: Dealership): Promise<BatchResult> {
  await using database = await openDealership(dealership);
  const { settings, signal } = dealership;
  return await runOnce({ config: { ...settings, sourceUrl: database.url }, signal });
}

/** Sales go on, batches follow them, until somebody says stop or the database ends by itself. @returns the exit status */
async function liveOn(dealership: Dealership): Promise<number> {
  const { folder, settings, log, signal } = dealership;
  await using database = await openDealership(dealership);
  const config: Config = { ...settings, sourceUrl: database.url };
  const crashed = new AbortController();
  let stopping = false;
  void database.ended.then(() => stopping || crashed.abort());
  await using simulator = startSimulator({
    url: database.ownerUrl,
    clock: systemClock,
    random: Math.random,
    log: (message, level = "info") => log[level](message),
    signal,
  });
  await serveUntilStopped({
    config,
    log,
    signal: AbortSignal.any([signal, crashed.signal]),
    runAtStart: true,
    onReady: (address) => {
      log.info(`status page at ${address}`);
      log.info(`the source, to look into: psql "$(jq -r .url ${join(folder, "postgres.json")})"`);
    },
  });
  stopping = true;
  log.info(`the sales site made ${describeCounts(simulator.counts())}`);
  if (!crashed.signal.aborted) return 0;
  log.error(`PostgreSQL ended by itself; ${join(folder, "postgres.log")} says why`);
  return 1;
}

function salesCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > 100_000_000)
    throw new InvalidArgumentError("It must be a whole number up to 100000000.");
  return count;
}
