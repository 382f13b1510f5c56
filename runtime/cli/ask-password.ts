/** Asks for a password on the terminal, and shows nothing of what is typed. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { NovaError } from "../core/errors.ts";

export interface AskOptions {
  readonly input: NodeJS.ReadableStream;
  /** Where questions stand; not standard output, which belongs to the result. */
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/**
 * @returns one answer for each question
 * @throws NovaError USAGE_INVALID if there is none (Ctrl-C, Ctrl-D, the end of the input), or the reason of `signal`
 */
export async function askHidden(
  questions: readonly string[],
  { input, output, signal }: AskOptions,
): Promise<readonly string[]> {
  // What is typed comes back through readline's output, so that is where it ends.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  using lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0, signal });
  // In raw mode Ctrl-C is a key like others, and no signal.
  lines.once("SIGINT", () => lines.close());
  // Keeps what was typed before it was asked for.
  const typed = lines[Symbol.asyncIterator]();
  const answers: string[] = [];
  for (const question of questions) {
    output.write(question);
    const answer = await typed.next();
    output.write("\n");
    signal.throwIfAborted();
    if (answer.done) throw new NovaError("USAGE_INVALID", "No password was given.");
    answers.push(answer.value);
  }
  return answers;
}

/** The first line. @throws NovaError USAGE_INVALID if there is none */
export async function readOneLine(input: NodeJS.ReadableStream): Promise<string> {
  using lines = createInterface({ input });
  for await (const line of lines) return line;
  throw new NovaError("USAGE_INVALID", "Standard input ended before there was a line in it.", {
    remedy: "Pipe the password into `novadrive password --stdin`, or run it on a terminal without --stdin.",
  });
}
