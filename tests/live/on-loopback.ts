/**
 * Runs the live suites against the server that stands in for Snowflake, in a process of its own: `npm run test:live:loopback`.
 * It proves that the suites themselves work, before an account is used for them.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { startTestSnowflake } from "../support/test-snowflake.ts";

const root = join(import.meta.dirname, "../..");
await using snowflake = await startTestSnowflake();
const child = spawn("npm", ["run", "-s", "test:live", "--", ...process.argv.slice(2)], {
  cwd: root,
  env: { ...process.env, SNOWFLAKE_TEST_URL: snowflake.url },
  stdio: "inherit",
});
const [status]: unknown[] = await once(child, "close");
const left = snowflake.server.sessions.length;
if (left > 0) process.stderr.write(`${left} sessions were left open.\n`);
process.exitCode = status === 0 && left === 0 ? 0 : 1;
