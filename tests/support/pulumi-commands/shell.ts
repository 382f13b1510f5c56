/** Runs a command as a person types it: by bash, and on a terminal where something is asked for that is not shown. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface ShellOptions {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** For files of its own. */
  readonly scratch: string;
  /** What comes on standard input. */
  readonly input?: string | undefined;
  /** Question and answer, in their order; the command then runs on a terminal. */
  readonly dialogue?: readonly (readonly [question: string, answer: string])[] | undefined;
}

export interface ShellResult {
  readonly status: number | null;
  /** Of both kinds, in the order of their coming. */
  readonly output: string;
}

export async function shell(command: string, options: ShellOptions): Promise<ShellResult> {
  const { cwd, environment, scratch, input = "", dialogue } = options;
  const script = join(scratch, "command.sh");
  writeFileSync(script, `set -euo pipefail\n${command}\n`);
  const bash = ["bash", script];
  const [program = "", ...args] = dialogue ? ["script", "-qefc", bash.join(" "), "/dev/null"] : bash;
  const child = spawn(program, args, { cwd, env: environment, stdio: "pipe" });
  // A command that reads nothing may have ended before its input came.
  child.stdin.on("error", () => {});
  let output = "";
  const questions = [...(dialogue ?? [])];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      const [question, answer] = questions[0] ?? [];
      if (question === undefined || !output.includes(question)) return;
      questions.shift();
      child.stdin.write(`${answer}\n`);
    });
  }
  if (!dialogue) child.stdin.end(input);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, output };
}
