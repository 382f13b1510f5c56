/** `novadrive doctor`: whether everything is fit for a batch, and what mends what is not. */
import { resolve } from "node:path";
import { Command } from "commander";
import { readConfig, requireSourceUrl } from "../../config/config.ts";
import type { Config } from "../../config/options.ts";
import { systemClock } from "../../core/clock.ts";
import { NovaError } from "../../core/errors.ts";
import { failed, failedBy } from "../../core/finding.ts";
import { findRunningBatch } from "../../schedule/batch-lock.ts";
import { cacheFolder } from "../../schedule/build-models.ts";
import { diagnoseSource } from "../../source/diagnose.ts";
import { diagnoseWarehouse } from "../../warehouse/diagnose.ts";
import { checkArea, type Area, type AreaFindings } from "../doctor/area.ts";
import { checkMachine, type MachineChecks } from "../doctor/machine.ts";
import { checkManifest, checkProject } from "../doctor/project.ts";
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
      const style = styleFor(process.stdout);
      const checking = areasOf(readConfig(settingsOf(command))).map((area) =>
        checkArea(area, { seconds: LIMIT_SECONDS, clock: systemClock, signal }),
      );
      // One that fails before its turn to be printed is no unhandled failure.
      for (const area of checking) area.catch(() => undefined);
      try {
        const done: AreaFindings[] = [];
        for (const area of checking) {
          done.push(await area);
          if (!json) process.stdout.write(`${describeArea(await area, style)}\n`);
        }
        const result = doctorResult(done);
        process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${describeTotal(done, style)}\n`);
        if (done.some(({ abandoned }) => abandoned)) endSoon();
        report(result.ok ? 0 : 1);
      } catch (thrown) {
        await Promise.allSettled(checking);
        if (!signal.aborted) throw thrown;
        endSoon();
        throw new NovaError("BATCH_CANCELLED", "The checks were told to stop before their end.", {
          remedy: "Run `novadrive doctor` again.",
          cause: thrown,
        });
      }
    });
}

/** A connection that hangs would keep the process alive; one that closes in time lets it end by itself. */
function endSoon(): void {
  setTimeout(() => process.exit(), CLOSING_TIME).unref();
}

function areasOf({ config, problems }: MachineChecks): readonly Area[] {
  const { manifest, findings } = checkManifest(config);
  const isWrong = (option: MachineChecks["problems"][number]["option"]) =>
    problems.some((problem) => problem.option === option);
  return [
    { name: "machine", check: (context) => checkMachine({ config, problems }, context) },
    {
      name: "project",
      check: async (context) => {
        context.report(...findings);
        await checkProject(config, context);
      },
    },
    {
      name: "source",
      check: async ({ report, signal }) => {
        if (isWrong("sourceUrl")) return report(notChecked("NOVADRIVE_SOURCE_URL"));
        let url: string;
        try {
          url = requireSourceUrl(config);
        } catch (thrown) {
          return report(failedBy("connection", thrown));
        }
        await diagnoseSource({ url, tables: manifest?.tables ?? [], clock: systemClock, report, signal });
      },
    },
    {
      name: "warehouse",
      check: async ({ report, signal }) => {
        if (isWrong("warehouseUrl")) return report(notChecked("NOVADRIVE_WAREHOUSE_URL"));
        report(
          ...(await diagnoseWarehouse({
            url: config.warehouseUrl,
            cacheFolder: cacheFolder(config),
            manifest: manifest ?? { file: "", tables: [] },
            batchProcess: runningBatch(config),
            signal,
          })),
        );
      },
    },
  ];
}

function runningBatch({ stateDir }: Config): number | undefined {
  try {
    return findRunningBatch(resolve(stateDir))?.pid;
  } catch {
    // The machine's finding says so.
    return undefined;
  }
}

const notChecked = (setting: string) =>
  failed("connection", `${setting} is not valid, so nothing was asked.`, "Correct it as the settings' finding says.");
