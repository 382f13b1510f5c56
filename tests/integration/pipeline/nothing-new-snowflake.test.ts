/** Nothing new costs nothing, by the log of the server that stands in for Snowflake. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { runModels } from "../../../runtime/cli/run-models.ts";
import { readManifest } from "../../../runtime/manifest/read.ts";
import { createShop } from "../../support/shop.ts";
import { startTestSnowflake } from "../../support/test-snowflake.ts";

it("a batch that finds nothing new does not even log in, and only tables with something new are staged", async () => {
  await using snowflake = await startTestSnowflake();
  const { server } = snowflake;
  await using shop = await createShop({ warehouseUrl: snowflake.url });
  await server.createStageTables(readManifest(join(shop.projectDir, "models/manifest.yml")));
  const first = await shop.run();
  expect(first.error).toBeUndefined();
  expect(first.status).toBe("success");
  expect(first.usage?.statements).toBe(server.log.length);
  expect(first.usage?.credits).toBeGreaterThan(0);
  expect(first.usage?.bytes_staged).toBeGreaterThan(0);

  const statements = server.log.length;
  const login = server.misbehaviour.add(
    { fault: "status", status: 403, endpoint: "/session/v1/login-request", times: Infinity },
    0,
  );
  expect(await shop.run()).toMatchObject({
    batch_id: 2,
    status: "success",
    usage: { statements: 0, warehouse_seconds: 0, bytes_staged: 0, rows_staged: 0, credits: 0 },
  });
  expect(server.log.length).toBe(statements);
  expect(login.hits).toBe(0);
  login.remove();

  await shop.database.query("UPDATE rates SET rate = 6 WHERE currency = 'BRL'");
  expect(await shop.run()).toMatchObject({ batch_id: 3, status: "success", usage: { rows_staged: 2 } });
  const subjects = server.log.slice(statements).filter(({ sql }) => /^(PUT|COPY|MERGE)/.test(sql));
  expect(subjects.some(({ sql }) => sql.includes("RATES"))).toBe(true);
  expect(subjects.filter(({ sql }) => /ORDERS|VISITS/.test(sql))).toEqual([]);

  // What `build` made of the models, the next batch finds out for itself; `test` changes nothing.
  const { signal } = new AbortController();
  expect(await runModels({ config: shop.config, what: "tests", signal })).toMatchObject({ status: "success" });
  expect((await shop.run()).usage?.statements).toBe(0);
  const built = await runModels({ config: shop.config, what: "both", signal });
  expect(built).toMatchObject({ status: "success", usage: { rows_staged: 0 } });
  expect(built.usage?.statements).toBeGreaterThan(0);
  expect((await shop.run()).models).toMatchObject([{ status: "success" }]);
  expect((await shop.run()).usage?.statements).toBe(0);
});
