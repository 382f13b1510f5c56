import { Pool } from "pg";
import { expect, test } from "vitest";
import { sourceConnection } from "../../../runtime/source/connection.ts";
import { Session } from "../../../runtime/source/session.ts";
import { createTestDatabase } from "../../support/postgres.ts";

test("a transaction that fails while it begins is ended before the connection is used again", async () => {
  await using db = await createTestDatabase();
  const { config, address } = sourceConnection(db.url);
  const pool = new Pool({ ...config, max: 1 });
  try {
    const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '00000000-00000000-1'";
    await expect(Session.open({ pool, address, begin })).rejects.toMatchObject({
      code: expect.stringMatching(/^SOURCE_/),
    });
    await using session = await Session.open({ pool, address, begin: "" });
    expect(await session.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  } finally {
    await pool.end();
  }
});
