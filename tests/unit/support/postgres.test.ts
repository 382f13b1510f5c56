import { Client } from "pg";
import { expect, test } from "vitest";
import { createTestDatabase } from "../../support/postgres.ts";

test("a test database is a real PostgreSQL, empty and its own", async () => {
  await using first = await createTestDatabase();
  await using second = await createTestDatabase();
  await first.query("CREATE TABLE only_here (id int); INSERT INTO only_here VALUES (1)");
  expect(await first.query("SELECT id FROM only_here")).toEqual([{ id: 1 }]);
  await expect(second.query("SELECT id FROM only_here")).rejects.toThrow(/does not exist/);
  expect(await first.query("SELECT $1::text AS given", ["é"])).toEqual([{ given: "é" }]);
});

test("a connection that is left open fails the test that leaves it", async () => {
  const db = await createTestDatabase();
  const client = new Client({ connectionString: db.urlFor({ application_name: "forgotten" }) });
  client.on("error", () => {});
  await client.connect();
  await expect(db[Symbol.asyncDispose]()).rejects.toThrow(/forgotten/);
  await client.end();
});
