/** `novadrive build` and `novadrive test`: the models and tests of the project, on what the warehouse holds now. */
import { Command } from "commander";
import { runModels } from "../run-models.ts";
import { configOf, stopSignal } from "../invocation.ts";
import { printResult } from "../print-result.ts";
import type { ReportStatus } from "../program.ts";

interface BuildFlags {
  readonly select?: string | undefined;
  readonly exclude?: string | undefined;
  readonly fullRefresh?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const SELECTION = [
  "--select <nodes>",
  "only these, in dbt's selection syntax: fct_vendas, +dim_veiculos, tag:x, source:stage.vendas+",
] as const;

export function buildCommand(report: ReportStatus): Command {
  return new Command("build")
    .description("build the models and run their tests, in order of dependency, without loading anything")
    .option(...SELECTION)
    .option("--exclude <nodes>", "all but these")
    .option("--full-refresh", "build incremental models anew")
    .option("--json", "print the result as one JSON document; logs go to standard error")
    .addHelpText("after", "\nExamples:\n  $ novadrive build\n  $ novadrive build --select fct_vendas+ --full-refresh")
    .action((flags: BuildFlags, command: Command) => runAndReport("both", flags, command, report));
}

export function testCommand(report: ReportStatus): Command {
  return new Command("test")
    .description("run the data tests, without building anything")
    .option(...SELECTION)
    .option("--exclude <nodes>", "all but these")
    .option("--json", "print the result as one JSON document; logs go to standard error")
    .addHelpText("after", "\nExamples:\n  $ novadrive test\n  $ novadrive test --select source:stage.vendas --json")
    .action((flags: BuildFlags, command: Command) => runAndReport("tests", flags, command, report));
}

async function runAndReport(
  what: "both" | "tests",
  flags: BuildFlags,
  command: Command,
  report: ReportStatus,
): Promise<void> {
  const { select, exclude, fullRefresh, json = false } = flags;
  using signal = stopSignal();
  const result = await runModels({ config: configOf(command), what, select, exclude, fullRefresh, signal });
  report(printResult(result, json));
}
