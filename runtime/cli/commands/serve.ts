/** `novadrive serve`: the production process. */
import { Command } from "commander";
import { requireSourceUrl } from "../../config/config.ts";
import { configWithSecrets, logFor, stopSignal } from "../invocation.ts";
import type { ReportStatus } from "../program.ts";
import { serveUntilStopped } from "../serve-process.ts";

export function serveCommand(report: ReportStatus): Command {
  return new Command("serve")
    .description("batches on the schedule, and the status page; ends on SIGTERM or Ctrl-C")
    .option("--run-now", "run a batch at once instead of waiting for the schedule")
    .addHelpText(
      "after",
      `
Examples:
  $ NOVADRIVE_SOURCE_URL=postgres://loader@db/shop novadrive serve
  $ novadrive serve --schedule "*/15 * * * *" --timezone America/Sao_Paulo`,
    )
    .action(async (flags: { runNow?: boolean }, command: Command) => {
      using signal = stopSignal();
      const config = await configWithSecrets(command, { secrets: ["sourceUrl", "uiPasswordHash", "uiTlsKey"], signal });
      requireSourceUrl(config);
      const log = logFor(config);
      await serveUntilStopped({
        config,
        log,
        signal,
        runAtStart: flags.runNow ?? false,
        onReady: (address) => log.info(`status page at ${address}`),
      });
      report(0);
    });
}
