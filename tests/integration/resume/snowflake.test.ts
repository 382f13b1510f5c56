/** First loads on Snowflake's stage: what is kept there and what is removed, what is sent twice and what is not, what it costs. */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { parseManifest } from "../../../runtime/manifest/read.ts";
import { openWarehouse } from "../../../runtime/warehouse/open.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import type { SnowflakeServer } from "../../support/snowflake/server.ts";
import type { LoggedStatement } from "../../support/snowflake/statements.ts";
import { stagedFiles } from "./place.ts";
import { CHANGES, createResumeTest, FILL, manifestOf, ROWS, TABLE, tableEntry, type ResumeTest } from "./support.ts";

const MANIFEST = parseManifest("manifest.yml", manifestOf(tableEntry("t")));

async function interrupted(taken = 5): Promise<{ readonly test: ResumeTest; readonly server: SnowflakeServer }> {
  const test = await createResumeTest({ engine: "snowflake", source: TABLE + FILL, tables: tableEntry("t") });
  onTestFinished(() => test[Symbol.asyncDispose]());
  expect(await test.load({ dieAt: { moment: "taken", count: taken } })).toBeUndefined();
  const { server } = test.place;
  if (!server) throw new Error("There is no server");
  return { test, server };
}

async function prepared(test: ResumeTest, manifest = MANIFEST): Promise<void> {
  await using warehouse = await openWarehouse({ url: test.place.url });
  await test.place.makeStageTables(manifest);
  await warehouse.prepare(manifest);
}

/** Of a first load, without the name that is drawn for each. */
const ofLoads = (files: readonly string[]) => files.filter((file) => file.startsWith("first_loads/"));
const isPut = ({ sql }: LoggedStatement) => sql.startsWith("PUT ");

it("puts no file again, copies each once, and lets the warehouse sleep while files come", async () => {
  const { test, server } = await interrupted();
  const before = ofLoads(await stagedFiles(server));
  expect(before.length).toBeGreaterThanOrEqual(5);
  const start = server.log.length;
  expect((await test.load())?.error).toBeUndefined();
  const sent = server.log.slice(start);
  const puts = sent.filter(isPut);
  expect(puts.length).toBeLessThanOrEqual(11 - before.length);
  for (const { sql } of server.log.filter(isPut)) {
    expect(sql).toMatch(/ SOURCE_COMPRESSION = GZIP AUTO_COMPRESS = FALSE OVERWRITE = TRUE$/);
  }
  const copies = sent.filter(({ sql }) => sql.startsWith("COPY "));
  expect(copies.map(({ sql }) => /first_loads\/\w+\/(\d+)\//.exec(sql)?.[1])).toEqual(["2", "1"]);
  const first = sent.findIndex(isPut);
  const last = sent.findLastIndex(isPut);
  expect(sent.slice(first, last).filter(({ needsWarehouse }) => needsWarehouse)).toEqual([]);
  expect(await test.differences()).toEqual([]);
  expect(await stagedFiles(server)).toEqual([]);
});

it("prepare keeps what can be gone on with, and removes what else dead batches have left", async () => {
  const { test, server } = await interrupted(3);
  const kept = ofLoads(await stagedFiles(server));
  await using warehouse = await openWarehouse({ url: test.place.url });
  await leave(warehouse, test, 7);
  const one = (await server.stagedFiles("PIPELINE", "INCOMING")).find(({ name }) => name === kept[0]);
  const forgotten = one?.path.replace(/(?<=first_loads\/)\w+/, "0123456789abcdef") ?? "";
  await mkdir(dirname(forgotten), { recursive: true });
  await copyFile(one?.path ?? "", forgotten);
  expect((await stagedFiles(server)).length).toBe(kept.length + 2);
  await prepared(test);
  expect(await stagedFiles(server)).toEqual(kept);
  expect(await test.place.incoming()).toEqual([]);
  const start = server.log.length;
  await prepared(test);
  expect(server.log.slice(start).filter(({ sql }) => sql.startsWith("REMOVE "))).toEqual([]);
  expect((await test.load())?.log.join("\n")).toContain("goes on with the first load");
});

/** A batch that dies when it has put a file on the stage and made a table. */
async function leave(warehouse: Warehouse, test: ResumeTest, batchId: number): Promise<void> {
  const [table] = MANIFEST.tables;
  if (!table) throw new Error("There is no table");
  const rows = await warehouse.openIncoming(batchId, table, "rows");
  const path = join(import.meta.dirname, "support.ts");
  await rows.add({ path, rows: 1, longestRow: 1, bytes: 1 });
  await expect(rows.seal()).rejects.toThrow();
  expect((await test.place.incoming()).length).toBeGreaterThan(0);
}

it("prepare removes what is left of a table that was published since, and of one that is not in the manifest", async () => {
  const { test, server } = await interrupted(3);
  await server.sql(`INSERT INTO "PIPELINE"."WATERMARKS" ("TABLE_NAME", "BATCH_ID", "FENCE") VALUES ('t', 1, '{}')`);
  await prepared(test);
  expect(await stagedFiles(server)).toEqual([]);
  expect(await test.place.kept()).toEqual([]);

  const other = await interrupted(3);
  await other.test.database.query("CREATE TABLE other (id int PRIMARY KEY, note text)");
  await prepared(other.test, parseManifest("manifest.yml", manifestOf(tableEntry("other"))));
  expect(await other.test.place.kept()).toEqual([]);
});

it("what a file held that is lost from the stage is read again", async () => {
  const { test, server } = await interrupted();
  const [lost] = await server.stagedFiles("PIPELINE", "INCOMING");
  await rm(lost?.path ?? "");
  const loaded = await test.load();
  expect(loaded?.error).toBeUndefined();
  expect(loaded?.log.join("\n")).toContain("goes on with the first load");
  expect(loaded?.read["t"]).toBeLessThan(ROWS);
  expect(await test.differences()).toEqual([]);
});

it("a file that is lost after it was counted on stops the load, and the next one begins anew", async () => {
  const { test, server } = await interrupted();
  server.misbehave({ fault: "stage-files-lost", matches: ({ sql }) => sql.startsWith("COPY ") });
  expect((await test.load())?.error?.code).toBe("LOAD_ROWS_LOST");
  expect(await test.place.rows("t")).toEqual([]);
  expect(await test.place.kept()).toEqual([]);
  expect((await test.load())?.read["t"]).toBe(ROWS);
  expect(await test.differences()).toEqual([]);
});

it("what the warehouse refuses is not gone on with, since it would be refused again", async () => {
  const { test, server } = await interrupted();
  server.misbehave({
    fault: "error",
    code: "100038",
    sqlState: "22018",
    message: "Numeric value 'x' is not recognized",
    matches: ({ sql }) => sql.startsWith("COPY "),
  });
  expect((await test.load())?.error?.code).toBe("WAREHOUSE_VALUE_INVALID");
  expect(await test.place.kept()).toEqual([]);
  expect((await test.load())?.read["t"]).toBe(ROWS);
  expect(await test.differences()).toEqual([]);
});

const SERVER_ERROR = {
  fault: "error",
  code: "000603",
  sqlState: "XX000",
  message: "SQL execution internal error",
} as const;

it.each([
  ["the opening is noted", /^MERGE INTO "PIPELINE"."FIRST_LOADS"/, { fault: "restart" }],
  ["a file is sent", /^PUT /, { fault: "master-expired" }],
  ["earlier rows are taken", /^INSERT .* WHERE NOT EXISTS/, { fault: "restart" }],
  ["vanished rows go", /^MERGE .* WHEN MATCHED THEN DELETE$/, SERVER_ERROR],
  ["the notes are forgotten", /^DELETE FROM "PIPELINE"."FIRST_LOADS"/, { fault: "transaction-killed" }],
  ["the files are removed", /^REMOVE .*first_loads/, SERVER_ERROR],
] as const)("where something goes wrong when %s, the next batch ends equal", async (_, at, fault) => {
  const { test, server } = await interrupted();
  await test.database.query(CHANGES);
  const active = server.misbehave({ ...fault, matches: ({ sql }) => at.test(sql) });
  await test.load();
  expect(active.hits).toBe(1);
  await test.database.query("UPDATE t SET note = 'later' WHERE id % 1000 = 7; DELETE FROM t WHERE id % 1000 = 8");
  expect((await test.load())?.error).toBeUndefined();
  expect(await test.differences()).toEqual([]);
  expect(await test.place.kept()).toEqual([]);
});

it("of two processes that would go on with the same load, one stops", async () => {
  const { test } = await interrupted(3);
  await using one = await openWarehouse({ url: test.place.url });
  await using two = await openWarehouse({ url: test.place.url });
  const [table] = MANIFEST.tables;
  if (!table) throw new Error("There is no table");
  const request = { batchId: 2, table, goesOn: true, fence: {} };
  expect((await one.firstLoads?.read(table))?.batchId).toBe(1);
  expect((await two.firstLoads?.read(table))?.batchId).toBe(1);
  await one.firstLoads?.open(request);
  await expect(two.firstLoads?.open(request)).rejects.toMatchObject({ code: "BATCH_RUNNING" });
});

it("begins anew where the table was truncated, without the files of before", async () => {
  const { test, server } = await interrupted();
  const before = new Set(ofLoads(await stagedFiles(server)));
  await test.database.query("TRUNCATE t; INSERT INTO t SELECT i, repeat('z', 900) FROM generate_series(1, 3000) i");
  expect(await test.load({ dieAt: { moment: "taken", count: 2 } })).toBeUndefined();
  const now = ofLoads(await stagedFiles(server));
  expect(now.length).toBeGreaterThan(0);
  expect(now.filter((file) => before.has(file))).toEqual([]);
  expect((await test.load())?.error).toBeUndefined();
  expect(await test.differences()).toEqual([]);
  expect(await test.place.kept()).toEqual([]);
});
