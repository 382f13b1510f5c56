/** The same cases behind a pooler that gives each transaction another backend. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { createTestDatabase, testServerUrl } from "../../support/postgres.ts";
import { poolerMissing, startPooler } from "../../support/pooler.ts";
import { testModel } from "../../support/model/test-model.ts";

const missing = poolerMissing();
if (missing !== undefined) console.warn(`SKIPPED: the model behind a pooler: ${missing}`);

describe.skipIf(missing !== undefined)("behind a pooler of transactions", () => {
  test("one connection's statements go to several backends", async () => {
    await using db = await createTestDatabase();
    await using pooler = await startPooler(await testServerUrl());
    const client = new Client({ connectionString: pooler.through(db.url) });
    await client.connect();
    const backends = new Set<number>();
    while (backends.size < 3) {
      const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      for (const { pid } of rows) backends.add(pid);
      await sleep(10);
    }
    await client.end();
    expect(backends.size).toBe(3);
  });

  testModel("duckdb", 25, { pooled: true });
});
