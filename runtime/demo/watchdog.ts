/** Stops the server when this process dies without having done so itself, even by kill -9. */
import { once } from "node:events";
import { spawn } from "node:child_process";

/**
 * Waits at a pipe whose other end closes with this process. A line on it means that all is well. Otherwise the server gets SIGINT
 * (end the clients, roll back, shut down), but only if postmaster.pid still names it: it may have been stopped by the next demo, and its
 * number given to another process. The shell does all of it by itself, so nothing else need be installed; it takes about 1 MB.
 */
const SCRIPT = `IFS= read -r line && exit 0; IFS= read -r pid < "$1" && [ "$pid" = "$2" ] && kill -INT "$2"`;

export interface Watchdog {
  /** To be called when the server has stopped. */
  release(): Promise<void>;
}

export interface WatchdogOptions {
  readonly postmasterPidFile: string;
  readonly pid: number;
}

/** On Windows there is none: a server that was left behind is stopped at the next start. */
export function startWatchdog({ postmasterPidFile, pid }: WatchdogOptions): Watchdog {
  if (process.platform === "win32") return { release: async () => {} };
  // Detached, because a Ctrl-C in the terminal goes to every process of its group.
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "novadrive-demo-watchdog", postmasterPidFile, String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    cwd: "/",
    env: {},
  });
  const ended = once(shell, "close").catch(() => {});
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  shell.unref();
  if ("unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
  return {
    async release() {
      if (shell.exitCode !== null || shell.signalCode !== null || shell.pid === undefined) return;
      shell.ref();
      shell.stdin.end("all is well\n");
      await ended;
    },
  };
}
