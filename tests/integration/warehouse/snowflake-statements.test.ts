/** Which statements the server that stands in for Snowflake takes. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startSnowflakeServer } from "../../support/snowflake/server.ts";
import { statementsIn } from "../../support/snowflake/shapes.ts";
import { TEST_USER, TestClient, type Rows } from "../../support/snowflake/test-client.ts";

describe("the closed set", () => {
  it("takes what is written down, and of other SQL only the user's", async () => {
    const shapes = await mkdtemp(join(tmpdir(), "novadrive-shapes-"));
    onTestFinished(() => rm(shapes, { recursive: true }));
    await writeFile(
      join(shapes, "a.sql"),
      '-- link\n\nSELECT "A" FROM "STAGE"."T";\n\nCREATE OR REPLACE TRANSIENT TABLE "ANALYTICS"."T" COPY GRANTS AS\nselect 1;\n',
    );
    await using closed = await startSnowflakeServer({ users: [TEST_USER], shapes });
    await using own = await TestClient.connect(closed);
    await closed.createTable("STAGE", "SALES", [
      { name: "ID", type: { kind: "number", precision: 38, scale: 0 }, nullable: false },
    ]);
    expect(await own.run('SELECT "ID" FROM "STAGE"."SALES"')).toEqual([]);
    const unknown = { code: "001003", message: expect.stringContaining("does not know the shape of this statement") };
    await expect(own.run('SELECT "ID" FROM "STAGE"."SALES" LIMIT 1')).rejects.toMatchObject(unknown);
    const model = (sql: string): Promise<Rows> => own.run(sql, { tag: { step: "model" } });
    await model(
      'CREATE OR REPLACE TRANSIENT TABLE "ANALYTICS"."M" COPY GRANTS AS\nselect count(*) as n from stage.sales',
    );
    await expect(model('CREATE OR REPLACE TABLE "ANALYTICS"."M" AS\nselect 1 as n')).rejects.toMatchObject(unknown);
    await expect(model("select 1 as n")).rejects.toMatchObject(unknown);
    for (const step of ["hook", "query"]) {
      expect(await own.run("select n + 1 as m from analytics.m", { tag: { step } })).toEqual([{ M: "1" }]);
    }
  });
});

describe("the adapter's statements", () => {
  it("need the warehouse exactly where their snapshots say so", async () => {
    const statements = join(import.meta.dirname, "../../unit/warehouse/snowflake/statements");
    const said: (readonly [sql: string, needsWarehouse: boolean])[] = [];
    for (const file of readdirSync(statements)) {
      for (const block of readFileSync(join(statements, file), "utf8").split(/;\n/)) {
        const [sql] = statementsIn(block);
        if (sql !== undefined && !sql.startsWith("PUT")) said.push([sql, !block.includes("-- needs no warehouse")]);
      }
    }
    await using server = await startSnowflakeServer({ users: [TEST_USER] });
    await using own = await TestClient.connect(server);
    const before = server.log.length;
    for (const [sql] of said) await own.run(sql).catch(() => undefined);
    const judged = server.log.slice(before).map(({ sql, needsWarehouse }) => [sql, needsWarehouse]);
    expect(judged).toEqual(said);
  });
});
