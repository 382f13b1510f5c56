/** What the figures were measured on. */
import { cpus, totalmem } from "node:os";
import { version } from "@duckdb/node-api";
import { withClient } from "./data.ts";
import type { BenchReport } from "./report.ts";

export async function describeMachine(url: string): Promise<BenchReport["machine"]> {
  const postgresql = await withClient(url, async (client) => {
    const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version') AS version");
    return rows[0]?.version ?? "";
  });
  return {
    cpus: cpus().length,
    model: cpus()[0]?.model.trim() ?? "",
    memory_gb: Math.round(totalmem() / 1e9),
    node: process.version,
    postgresql,
    duckdb: version(),
  };
}
