/** A publication whose outcome could not be found out is tried again: it is found by its UUID, and not taken for another process's. */
import { gzipSync } from "node:zlib";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Clock } from "../../../runtime/core/clock.ts";
import { openSnowflake } from "../../../runtime/warehouse/snowflake/open-snowflake.ts";
import { parseSnowflakeUrl } from "../../../runtime/warehouse/snowflake/warehouse-url.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { startTestSnowflake } from "../../support/test-snowflake.ts";

/** The half minute of looking up is over at once. */
const HURRIED: Clock = { now: () => new Date(), sleep: () => Promise.resolve() };

it.each([
  ["took effect", "drop-after", 0],
  ["never came through", "drop-before", 1],
] as const)("finds out at the next attempt that its COMMIT %s", async (_, fault, publishedBySecond) => {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-publish-again-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await using snowflake = await startTestSnowflake();
  const { server } = snowflake;
  const table = manifestTable({ name: "sales", columns: { id: "integer not null" }, primaryKey: ["id"] });
  const manifest = { file: "manifest.yml", tables: [table] };
  await server.createStageTables(manifest);
  await using warehouse = openSnowflake({ target: parseSnowflakeUrl(snowflake.url), clock: HURRIED });
  await warehouse.prepare(manifest);
  const path = join(folder, "sales.csv.gz");
  await writeFile(path, gzipSync("1\n2\n"));
  const rows = await warehouse.openIncoming(1, table, "rows");
  await rows.add({ path, rows: 2, longestRow: 2, bytes: 24 });
  await rows.seal();
  const batch = {
    id: 1,
    uuid: "5f0c6f0e-6d0e-4f0a-9d54-0d3c2c7a1b11",
    snapshot: "2025-01-02T03:04:05.678901Z",
    startedAt: new Date(Date.UTC(2025, 0, 2)),
  };
  const watermark = { batchId: 1, cursor: null, cursorColumn: null, fence: {} };
  const publish = () => warehouse.publish({ batch, tables: [{ table, action: "merge", rows, watermark }] });
  const isCommit = ({ sql }: { sql: string }): boolean => sql === "COMMIT";
  server.misbehave({ fault, matches: isCommit });
  server.misbehave({ fault: "master-expired", matches: isCommit });
  const deaf = server.misbehave({
    fault: "error",
    code: "000630",
    sqlState: "57014",
    message: "Statement reached its timeout and was canceled.",
    matches: ({ sql }) =>
      /^SHOW TRANSACTIONS|^SELECT COUNT.*BATCHES/.test(sql) && server.log.some((one) => isCommit(one)),
    times: 6,
  });
  await expect(publish()).rejects.toMatchObject({
    code: "WAREHOUSE_UNREACHABLE",
    message: expect.stringContaining("cannot be asked whether it was"),
  });
  expect(deaf.hits).toBe(6);
  const commits = () => server.log.filter(isCommit).length;
  const before = commits();
  expect(await publish()).toEqual([{ name: "sales", rows: 2, inserted: 2, updated: 0, deleted: 0 }]);
  expect(commits() - before).toBe(publishedBySecond);
  expect((await warehouse.query("select id, _batch_id from stage.sales order by 1")).rows).toEqual([
    ["1", "1"],
    ["2", "1"],
  ]);
  expect((await warehouse.query("select count(*) from pipeline.batches")).rows).toEqual([["1"]]);
});
