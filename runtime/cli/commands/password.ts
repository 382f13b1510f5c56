/** `novadrive password`: the hash that makes the status page ask for a login. */
import { Command } from "commander";
import { hashPassword, LONGEST_PASSWORD } from "../../config/password-hash.ts";
import { NovaError } from "../../core/errors.ts";
import { askHidden, readOneLine } from "../ask-password.ts";
import { stopSignal } from "../invocation.ts";
import type { ReportStatus } from "../program.ts";

/** No rules of composition beside it: https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver */
const SHORTEST = 12;

export function passwordCommand(report: ReportStatus): Command {
  return new Command("password")
    .description("make the hash of the password that the status page asks for; it alone goes to standard output")
    .option("--stdin", "read the password from standard input, one line, instead of asking for it twice")
    .addHelpText(
      "after",
      `
The password itself is kept nowhere. It needs ${SHORTEST} characters or more, of any kind.

Examples:
  $ export NOVADRIVE_UI_PASSWORD_HASH="$(novadrive password)"
  $ novadrive password | aws secretsmanager put-secret-value --secret-id <name> --secret-string file:///dev/stdin
  $ export NOVADRIVE_UI_PASSWORD_HASH='aws-secretsmanager:<name>?region=<region>'`,
    )
    .action(async ({ stdin = false }: { stdin?: boolean }) => {
      using signal = stopSignal();
      const password = stdin ? await readOneLine(process.stdin) : await askTwice(signal);
      checkLength(password);
      process.stdout.write(`${await hashPassword(password)}\n`);
      report(0);
    });
}

async function askTwice(signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new NovaError("USAGE_INVALID", "There is no terminal to ask for a password on.", {
      remedy: "Run it on a terminal, or pipe the password into `novadrive password --stdin`.",
    });
  }
  const questions = ["Password of the operator (not shown): ", "The same again: "];
  const [first = "", second] = await askHidden(questions, { input: process.stdin, output: process.stderr, signal });
  if (first === second) return first;
  throw new NovaError("USAGE_INVALID", "The two passwords differ.", { remedy: "Run `novadrive password` again." });
}

function checkLength(password: string): void {
  const length = Array.from(password).length;
  if (length >= SHORTEST && password.length <= LONGEST_PASSWORD) return;
  throw new NovaError(
    "USAGE_INVALID",
    length < SHORTEST
      ? `The password has ${length} characters; it needs ${SHORTEST} or more.`
      : `The password is longer than ${LONGEST_PASSWORD} characters.`,
    { remedy: "Choose another, such as five words that do not belong together." },
  );
}
