/** From arguments to exit status: 0 all well, 1 something in the batch failed, 2 wrong usage or configuration. */
import { CommanderError } from "commander";
import { NovaError, toNovaError } from "../core/errors.ts";
import { redact } from "../core/redact.ts";
import { describeError } from "./output/error-text.ts";
import { styleFor } from "./output/style.ts";
import { createProgram } from "./program.ts";

/** @returns the exit status */
export async function main(argv: readonly string[]): Promise<number> {
  let status = 0;
  const program = createProgram((exit) => {
    status = exit;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return status;
  } catch (thrown) {
    // Help and version were asked for, and have been printed.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error = thrown instanceof CommanderError ? usageError(thrown) : toNovaError(thrown);
    if (argv.includes("--json"))
      process.stdout.write(`${JSON.stringify({ status: "failed", error: error.report() })}\n`);
    else process.stderr.write(`${describeError(error.report(), styleFor(process.stderr))}\n`);
    if (error.code === "INTERNAL" && thrown instanceof Error) process.stderr.write(`${redact(String(thrown.stack))}\n`);
    return error.exit;
  }
}

function usageError(error: CommanderError): NovaError {
  const message = error.message.replace(/^error: /, "");
  return new NovaError("USAGE_INVALID", `${message}.`.replace(/\.\.$/, "."), {
    remedy: "Run `novadrive --help`, or `novadrive <command> --help` for examples.",
  });
}
