/** The command line: its commands, and one flag for each setting of the option table. */
import { Command, Option } from "commander";
import { environmentName, flagName } from "../config/config.ts";
import { OPTIONS } from "../config/options.ts";
import { buildCommand, testCommand } from "./commands/build.ts";
import { compileCommand } from "./commands/compile.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { introspectCommand } from "./commands/introspect.ts";
import { laterCommands } from "./commands/later.ts";
import { passwordCommand } from "./commands/password.ts";
import { runCommand } from "./commands/run.ts";
import { serveCommand } from "./commands/serve.ts";
import { verifyCommand } from "./commands/verify.ts";
import { version } from "./version.ts";

/** Takes the exit status of a command that has ended by itself. */
export type ReportStatus = (status: number) => void;

/** @returns a program that throws CommanderError instead of ending the process */
export function createProgram(report: ReportStatus): Command {
  const program = new Command("novadrive")
    .description("PostgreSQL to the warehouse, exactly: loads, models and tests from one manifest.")
    .version(version())
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", EXAMPLES);
  for (const option of Object.values(OPTIONS)) {
    const help = `${option.help} (env: ${environmentName(option)}${"default" in option ? `, default: ${option.default}` : ""})`;
    program.addOption(new Option(`${flagName(option)} <${option.placeholder}>`, help));
  }
  const commands = [
    demoCommand,
    serveCommand,
    runCommand,
    verifyCommand,
    buildCommand,
    testCommand,
    compileCommand,
    introspectCommand,
    doctorCommand,
    passwordCommand,
  ];
  for (const command of commands) program.addCommand(command(report));
  for (const command of laterCommands()) program.addCommand(command, { hidden: true });
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
      .showSuggestionAfterError(true);
    command.configureHelp({ showGlobalOptions: true });
  }
  return program;
}

const EXAMPLES = `
Examples:
  $ novadrive demo                          a whole pipeline on this machine, at http://127.0.0.1:8080
  $ novadrive demo --once --sales 1000000   one batch over a million sales
  $ novadrive introspect                    how the manifest differs from the live database
  $ novadrive doctor                        whether source, warehouse and machine are fit, and what mends them
  $ novadrive run                           one batch now: load, models, tests
  $ novadrive verify                        proves that the stage tables equal the source, column by column
  $ novadrive serve                         batches on the schedule, with the status page
  $ novadrive password                      the hash that gives the status page a login

Every setting is a flag and an environment variable; the flag wins.
Exit status: 0 all well, 1 something in the batch failed, 2 wrong usage or configuration.`;
