/** Programs that the bench runs: one for each measurement, and the servers that these talk to. */
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { z } from "zod";

type Environment = Readonly<Record<string, string>>;

const run = promisify(execFile);

/** Runs a program of this folder to its end. @returns the JSON of its last line */
export async function measure<T>(
  script: string,
  schema: z.ZodType<T>,
  { args = [], environment = {} }: { args?: readonly string[]; environment?: Environment } = {},
): Promise<T> {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, script), ...args], {
    env: { ...process.env, ...environment },
    maxBuffer: 1 << 24,
  });
  return schema.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  /** Sends a line to its standard input. @returns the JSON line that it answers with */
  ask(line: string): Promise<unknown>;
}

/** Starts a program that says its `url` in its first line, answers lines with lines, and stops when its standard input ends. */
export async function startServer(script: string, environment: Environment = {}): Promise<RunningServer> {
  const server = spawn(process.execPath, [join(import.meta.dirname, script)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  const ended = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done) throw new Error(`${script} ended`);
    return JSON.parse(line.value);
  };
  const { url, error } = z.object({ url: z.string().optional(), error: z.string().optional() }).parse(await next());
  if (url === undefined) throw new Error(error);
  return {
    url,
    ask(line) {
      server.stdin.write(`${line}\n`);
      return next();
    },
    async [Symbol.asyncDispose]() {
      server.stdin.end();
      await ended;
    },
  };
}
