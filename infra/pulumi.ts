/** What the npm scripts run in place of `pulumi`: the same command, once the guard has looked at it. */
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { examine, type Answer } from "./destroy-guard.ts";

const environment = {
  ...process.env,
  // The program checks its own settings, and tells all that is wrong in one message; Pulumi's check would stop at the first.
  PULUMI_OPTION_SKIP_CONFIG_VALIDATION: "true",
};

function ask(question: readonly string[]): Answer {
  const { status, stdout, stderr, error } = spawnSync("pulumi", question, {
    encoding: "utf8",
    env: environment,
    // The state of some thousand resources has some megabytes.
    maxBuffer: 1024 ** 3,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return error ? { status: null, stdout: "", stderr: wordsFor(error) } : { status, stdout, stderr };
}

function wordsFor(error: NodeJS.ErrnoException): string {
  if (error.code !== "ENOENT") return error.message;
  return "There is no pulumi on PATH: install it (https://www.pulumi.com/docs/install/).";
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

const args = process.argv.slice(2);
const { refusal } = examine(args, ask);
if (refusal === undefined) {
  const child = spawn("pulumi", args, { stdio: "inherit", env: environment });
  // At a Ctrl-C the terminal tells Pulumi itself, which takes its time to stop between two steps; it must not be left alone.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => fail(wordsFor(error)));
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
} else {
  fail(refusal);
}
