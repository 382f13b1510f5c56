/**
 * The program that owns the tests' PostgreSQL: starts it, says where it is in one line of JSON, and stops it when standard input ends.
 *
 * Standard input ends when the process that started this one is gone, for whatever reason (kill -9 included), so no server outlives its tests.
 */
import { startOwnPostgres } from "./own-postgres.ts";

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

const parentGone = new Promise((resolve) => {
  process.stdin.once("end", resolve).once("close", resolve).resume();
});
process.stdout.on("error", () => {});
// The terminal's Ctrl-C is for vitest, whose end ends the standard input.
process.on("SIGINT", () => {});

try {
  const { url, stop } = await startOwnPostgres(SETTINGS);
  process.stdout.write(`${JSON.stringify({ url })}\n`);
  await parentGone;
  await stop();
} catch (thrown) {
  process.stdout.write(`${JSON.stringify({ error: thrown instanceof Error ? thrown.message : String(thrown) })}\n`);
}
process.exit(0);
