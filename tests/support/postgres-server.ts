/**
 * The program that owns the tests' PostgreSQL: starts it, says where it is in one line of JSON, and stops it when standard input ends.
 *
 * Standard input ends when the process that started this one is gone, for whatever reason (kill -9 included), so no server outlives its tests.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../runtime/core/clock.ts";
import { locateBinaries } from "../../runtime/demo/binaries.ts";
import { claimable } from "../../runtime/demo/free-port.ts";
import { initialise, start } from "../../runtime/demo/postgres-server.ts";
import { chooseLauncher } from "../../runtime/demo/service-account.ts";

const SETTINGS = {
  cluster_name: "novadrive-tests",
  max_connections: "100",
  max_prepared_transactions: "10",
  // Speed instead of durability: the data is worth nothing after the run.
  fsync: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "4GB",
  // A batch waits until what its snapshot shows is written, at most three times as long: 0.6 s by default.
  wal_writer_delay: "10ms",
};
const PASSWORD = "hush";

/** @returns URL of the superuser, and what stops the server and removes all of it */
async function startServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-test-postgres-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const binaries = await locateBinaries();
    const dataFolder = join(folder, "postgres");
    const launcher = await chooseLauncher({ folder, dataFolder, program: binaries.postgres });
    const logFile = join(folder, "postgres.log");
    const place = { dataFolder, logFile, binaries, launcher, settings: SETTINGS, clock: systemClock };
    const signal = new AbortController().signal;
    await initialise({ ...place, superuser: "postgres", password: PASSWORD, signal });
    const port = await claimable(0);
    if (port === undefined) throw new Error("No free port on 127.0.0.1");
    const server = await start(place, port, signal);
    const stop = async () => {
      await server.stop();
      await remove();
    };
    return { url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`, stop };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

const parentGone = new Promise((resolve) => {
  process.stdin.once("end", resolve).once("close", resolve).resume();
});
process.stdout.on("error", () => {});
// The terminal's Ctrl-C is for vitest, whose end ends the standard input.
process.on("SIGINT", () => {});

try {
  const { url, stop } = await startServer();
  process.stdout.write(`${JSON.stringify({ url })}\n`);
  await parentGone;
  await stop();
} catch (thrown) {
  process.stdout.write(`${JSON.stringify({ error: thrown instanceof Error ? thrown.message : String(thrown) })}\n`);
}
process.exit(0);
