/** `novadrive verify`: proves that every stage table equals its source, column by column. */
import { Command } from "commander";
import { EventBus } from "../../core/events.ts";
import { runVerification } from "../../schedule/run-verification.ts";
import { Store } from "../../store/store.ts";
import { configWithSecrets, stopSignal } from "../invocation.ts";
import { showProgress } from "../output/progress.ts";
import { describeVerification } from "../output/verification.ts";
import type { ReportStatus } from "../program.ts";

interface VerifyFlags {
  readonly table: readonly string[];
  readonly repair?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export function verifyCommand(report: ReportStatus): Command {
  return new Command("verify")
    .description("prove that every stage table equals its source, column by column; reads both sides, writes nothing")
    .option(
      "--table <name>",
      "verify only this table (may be given again)",
      (name: string, names: readonly string[]) => [...names, name],
      [],
    )
    .option("--repair", "load the tables that differ anew, in a batch of its own, and verify again")
    .option("--json", "print the result as one JSON document; logs go to standard error")
    .addHelpText(
      "after",
      `
Rows that the source has changed since the last batch are not compared.

Examples:
  $ novadrive verify
  $ novadrive verify --table vendas --json
  $ novadrive verify --repair`,
    )
    .action(async ({ table, repair = false, json = false }: VerifyFlags, command: Command) => {
      using signal = stopSignal();
      const config = await configWithSecrets(command, { secrets: ["sourceUrl"], signal });
      const result = await verify();
      process.stdout.write(json ? `${JSON.stringify(result)}\n` : describeVerification(result, process.stdout));
      report(result.equal ? 0 : 1);

      async function verify() {
        using store = Store.open({ folder: config.stateDir });
        const events = new EventBus();
        // A repair is a batch, and stands in the history as every batch; what the verification itself does, does not.
        events.subscribe((event) => event.batchId > 0 && store.record(event));
        using _view = showProgress(events, process.stderr, config.logLevel);
        return await runVerification({ config, store, events, signal, tables: table, repair });
      }
    });
}
