/** `novadrive doctor`: whether everything is fit for a batch, and what mends what is not. */
import { Command } from "commander";
import { readConfig } from "../../config/config.ts";
import { systemClock } from "../../core/clock.ts";
import { NovaError } from "../../core/errors.ts";
import { checkArea, type AreaFindings } from "../doctor/area.ts";
import { doctorAreas } from "../doctor/areas.ts";
import { settingsOf, stopSignal } from "../invocation.ts";
import { describeArea, describeTotal, doctorResult } from "../output/findings.ts";
import { styleFor } from "../output/style.ts";
import type { ReportStatus } from "../program.ts";

/** For each area; they are checked at the same time. */
const LIMIT_SECONDS = 30;
/** What an area that was left behind gets to close its connections, in milliseconds. */
const CLOSING_TIME = 2_000;

export function doctorCommand(report: ReportStatus): Command {
  return new Command("doctor")
    .description("check this machine, the project, the source and the warehouse; each failure comes with what mends it")
    .option("--json", "print the findings as one JSON document")
    .addHelpText(
      "after",
      `
Changes nothing, and resumes no warehouse that is billed by use.

Examples:
  $ novadrive doctor
  $ novadrive doctor --json | jq -r '.checks[] | select(.status != "ok") | .remedy'

Exit status: 0 nothing failed (there may be warnings), 1 something failed, 2 wrong usage.`,
    )
    .action(async ({ json = false }: { json?: boolean }, command: Command) => {
      using signal = stopSignal();
      const limits = { seconds: LIMIT_SECONDS, clock: systemClock, signal };
      const checking = doctorAreas(readConfig(settingsOf(command))).map((area) => checkArea(area, limits));
      const areas = await shown(checking, json ? undefined : process.stdout).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown;
        endSoon();
        throw new NovaError("BATCH_CANCELLED", "The checks were told to stop before their end.", {
          remedy: "Run `novadrive doctor` again.",
          cause: thrown,
        });
      });
      const result = doctorResult(areas);
      process.stdout.write(
        json ? `${JSON.stringify(result)}\n` : `${describeTotal(areas, styleFor(process.stdout))}\n`,
      );
      if (areas.some(({ abandoned }) => abandoned)) endSoon();
      report(result.ok ? 0 : 1);
    });
}

/** All areas, each written as soon as it and those before it are there. */
async function shown(
  checking: readonly Promise<AreaFindings>[],
  stream: NodeJS.WriteStream | undefined,
): Promise<readonly AreaFindings[]> {
  const all = Promise.all(checking);
  // One that fails before its turn is no unhandled failure.
  all.catch(() => undefined);
  if (stream) {
    for (const area of checking) stream.write(`${describeArea(await area, styleFor(stream))}\n`);
  }
  return await all;
}

/** A connection that hangs would keep the process alive; one that closes in time lets it end by itself. */
function endSoon(): void {
  setTimeout(() => process.exit(), CLOSING_TIME).unref();
}
