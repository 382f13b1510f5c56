/** Run as a process of its own by tests that kill it: starts the demo's database, prints the server's process id, and stays. */
import { startDemoDatabase } from "../../../runtime/demo/database.ts";

const database = await startDemoDatabase({
  folder: process.argv[2] ?? "",
  log: () => {},
  signal: new AbortController().signal,
});
process.stdout.write(`${database.pid}\n`);
setInterval(() => {}, 1000);
