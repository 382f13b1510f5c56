/** `novadrive run`: one batch now. */
import { Command } from "commander";
import { EventBus } from "../../core/events.ts";
import { runBatch } from "../../schedule/run-batch.ts";
import { Store } from "../../store/store.ts";
import { configOf, stopSignal } from "../invocation.ts";
import { exitStatus } from "../exit-status.ts";
import { showProgress } from "../output/progress.ts";
import { summarize } from "../output/summary.ts";
import type { ReportStatus } from "../program.ts";

interface RunFlags {
  readonly table: readonly string[];
  readonly select?: string | undefined;
  readonly fullRefresh?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export function runCommand(report: ReportStatus): Command {
  return new Command("run")
    .description("one batch now: load what changed, build the models, run the tests")
    .option(
      "--table <name>",
      "load only this table (may be given again)",
      (name: string, names: readonly string[]) => [...names, name],
      [],
    )
    .option("--select <models>", "build only these models, in dbt's selection syntax")
    .option("--full-refresh", "load every row and build every model anew")
    .option("--json", "print the result as one JSON document; logs go to standard error")
    .addHelpText(
      "after",
      `
Examples:
  $ novadrive run
  $ novadrive run --table vendas --table clientes --json
  $ novadrive run --select fct_vendas+
  $ novadrive run --full-refresh`,
    )
    .action(async (flags: RunFlags, command) => {
      const config = configOf(command);
      using signal = stopSignal();
      using store = Store.open({ folder: config.stateDir });
      const events = new EventBus();
      events.subscribe((event) => store.record(event));
      let result;
      {
        using _view = showProgress(events, process.stderr);
        result = await runBatch({
          config,
          store,
          events,
          signal,
          trigger: "command",
          tables: flags.table,
          select: flags.select,
          fullRefresh: flags.fullRefresh,
        });
      }
      process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : summarize(result, process.stdout));
      report(exitStatus(result));
    });
}
