/** The server that a data folder's postmaster.pid speaks of: whether it lives, and whether it is ready. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface Postmaster {
  readonly pid: number;
  /** Accepts connections. */
  readonly ready: boolean;
}

/**
 * @returns undefined when no server runs there. A process id alone proves nothing: after a restart of the machine or the container it may
 *   be another process, which must not be stopped and which would keep PostgreSQL from starting. So its command line must name the folder.
 */
export async function findPostmaster(dataFolder: string): Promise<Postmaster | undefined> {
  const text = await readFile(pidFileOf(dataFolder), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  if (!(await isServerOf(pid, lines[1] ?? dataFolder))) return undefined;
  return { pid, ready: lines[7]?.trim() === "ready" };
}

export function pidFileOf(dataFolder: string): string {
  return path.join(dataFolder, "postmaster.pid");
}

/** Answers no for a process that is gone, or dead and not yet collected by its parent. */
async function isServerOf(pid: number, dataFolder: string): Promise<boolean> {
  if (process.platform === "win32") {
    const shown = await execute("tasklist", ["/FI", `PID eq ${pid}`, "/FO", "CSV", "/NH"]).catch(() => undefined);
    return shown?.stdout.includes("postgres.exe") ?? false;
  }
  const command =
    process.platform === "linux"
      ? (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ")
      : ((await execute("ps", ["-ww", "-o", "command=", "-p", String(pid)]).catch(() => undefined))?.stdout ?? "");
  return `${command.trim()} `.includes(`postgres -D ${dataFolder} `);
}
