/** PgBouncer in front of the tests' server, pooling transactions: each may get another backend, as behind the poolers of rented PostgreSQL. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { claimable } from "../../runtime/demo/free-port.ts";

export interface Pooler extends AsyncDisposable {
  /** The same database as seen through it. */
  through(url: string): string;
}

/** Why there is none; undefined if there is. */
export function poolerMissing(): string | undefined {
  try {
    execFileSync("pgbouncer", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "there is no pgbouncer on PATH (apt-get install pgbouncer)";
  }
}

/** Whoever comes is let in as the superuser of `serverUrl`. */
export async function startPooler(serverUrl: string): Promise<Pooler> {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-pooler-"));
  const server = new URL(serverUrl);
  const port = await claimable(0);
  if (port === undefined) throw new Error("No free port on 127.0.0.1");
  const file = join(folder, "pgbouncer.ini");
  const settings = [
    "[databases]",
    `* = host=${server.hostname} port=${server.port} user=${server.username} password=${server.password}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = any",
    "pool_mode = transaction",
    // The one that was used longest ago is taken, so that nobody meets the same backend twice in a row.
    "server_round_robin = 1",
    "default_pool_size = 6",
    "min_pool_size = 3",
  ];
  await writeFile(file, `${settings.join("\n")}\n`);
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  if (user.length > 0) execFileSync("chmod", ["-R", "a+rX", folder]);
  const pooler = spawn("pgbouncer", ["-q", ...user, file], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = once(pooler, "exit");
  const dispose = async () => {
    pooler.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  while (!(await answers(port))) {
    if (pooler.exitCode !== null) {
      await dispose();
      throw new Error(`pgbouncer ended with ${pooler.exitCode}`);
    }
    await sleep(20);
  }
  return {
    through(url) {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${port}`;
      return changed.href;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  return await new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).then((found) => {
    socket.destroy();
    return found === true;
  });
}
