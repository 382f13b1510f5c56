/** Runs the `novadrive` command as a person would: a process with arguments, environment, output and exit status. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const ENTRY = join(import.meta.dirname, "../../runtime/cli/novadrive.js");

export interface CommandResult {
  /** null if a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
}

/** A process that is still running; disposed of with SIGKILL if a test forgets it. */
export interface RunningCommand extends AsyncDisposable {
  readonly process: ChildProcess;
  /** Resolves with the match once the output so far, or what follows, matches. Rejects if the process ends before. */
  output(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<CommandResult>;
}

export function startCommand(args: readonly string[], { environment = {}, cwd }: CommandOptions = {}): RunningCommand {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("NOVADRIVE_") && name !== "FORCE_COLOR"),
  );
  const child = spawn(process.execPath, [ENTRY, ...args], {
    cwd,
    env: { ...inherited, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, "close").then(([status, signal]): CommandResult => ({ status, signal, ...text }));
  return {
    process: child,
    ended,
    output: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(text.stdout + text.stderr);
          if (!match) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        void ended.then(({ status }) =>
          reject(new Error(`Ended with ${status} before ${pattern}:\n${text.stdout}${text.stderr}`)),
        );
      }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await ended;
    },
  };
}

export async function runCommand(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  await using command = startCommand(args, options);
  return await command.ended;
}
