/** The server that stands in for Snowflake, in a process of its own: what it needs of processor and memory is told apart from the load's. */
import { createInterface } from "node:readline";
import { join } from "node:path";
import { readManifest } from "../../runtime/manifest/read.ts";
import { startTestSnowflake } from "../support/test-snowflake.ts";
import { manifestFile } from "./project.ts";

const { BENCH_PROJECT: project, BENCH_PLACE: place } = process.env;
if (!project || !place) throw new Error("BENCH_PROJECT and BENCH_PLACE are not set");

await using snowflake = await startTestSnowflake({ file: join(place, "snowflake.duckdb") });
await snowflake.server.createStageTables(readManifest(manifestFile(project)));
process.stdout.write(`${JSON.stringify({ url: snowflake.url })}\n`);

let statements = snowflake.server.log.length;
let processor = process.cpuUsage();
/** Each line asks for what was used since the one before. */
for await (const _line of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage(processor);
  const answer = {
    statements: snowflake.server.log.length - statements,
    cpu_seconds: (user + system) / 1e6,
    peak_memory_mb: process.resourceUsage().maxRSS / 1024,
  };
  statements = snowflake.server.log.length;
  processor = process.cpuUsage();
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
