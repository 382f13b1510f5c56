/** `novadrive run`: one batch now. */
import { Command } from "commander";
import { configWithSecrets, stopSignal } from "../invocation.ts";
import { printResult } from "../print-result.ts";
import type { ReportStatus } from "../program.ts";
import { runOnce } from "../run-once.ts";

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
    .action(async ({ table, select, fullRefresh, json = false }: RunFlags, command: Command) => {
      using signal = stopSignal();
      const config = await configWithSecrets(command, { secrets: ["sourceUrl"], signal });
      const result = await runOnce({ config, signal, tables: table, select, fullRefresh });
      report(printResult(result, json));
    });
}
