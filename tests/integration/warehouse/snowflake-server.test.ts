/** The server that stands in for Snowflake, through the unmodified driver. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSnowflakeServer, type SnowflakeServer } from "../../support/snowflake/server.ts";
import { TEST_USER, TestClient } from "../../support/snowflake/test-client.ts";

let server: SnowflakeServer;
let client: TestClient;

beforeAll(async () => {
  server = await startSnowflakeServer({ users: [TEST_USER] });
  client = await TestClient.connect(server);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

it("answers a query", async () => {
  expect(await client.run("SELECT 1 AS a, 'x' AS \"b\"")).toEqual([{ A: "1", b: "x" }]);
});
