/** Tests of the test: with a guard taken away, and with it what would repair behind it, a pinned case is no longer equal. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import type { Guards } from "../../../runtime/source/guards.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import { connectModel, loadModel, tablesOf } from "../../support/model/load.ts";
import { differences, readInBatchSnapshot, readStage, type Contents } from "../../support/model/oracle.ts";
import type { Batch, Case, Write } from "../../support/model/steps.ts";
import { MODEL_TABLES, type TableName } from "../../support/model/tables.ts";
import { World } from "../../support/model/world.ts";
import { createTestDatabase, testServerUrl } from "../../support/postgres.ts";
import { startTestSnowflake } from "../../support/test-snowflake.ts";

interface Without {
  readonly guards?: Partial<Guards>;
  readonly weaken?: (warehouse: Warehouse) => Warehouse;
}

/** What is not equal in any of the cases; empty if all is. */
async function problems(cases: readonly Case[], without: Without = {}): Promise<string> {
  await using world = await World.create({ serverUrl: await testServerUrl(), engine: "duckdb", ...without });
  const found: string[] = [];
  for (const one of cases) await world.run(one).catch((thrown: unknown) => found.push(String(thrown)));
  return found.join("\n");
}

const batch = (changes: Partial<Batch> = {}): Batch => ({ do: "batch", how: "plain", during: [], ...changes });
const put = (t: TableName, s: number, k: number): Write => ({ do: "put", s, t, k, v: 5 });

/** Row 5 is written before row 6, and committed while the batch opens. */
const committedInBetween = (t: TableName): Case => ({
  tables: [t],
  steps: [
    batch(),
    { do: "begin", s: 0 },
    put(t, 0, 5),
    put(t, 1, 6),
    batch({ during: [{ when: "fences", write: { do: "commit", s: 0 } }] }),
  ],
});

test("the order of fence and snapshot: looked at afterwards, a transaction that ends in between is lost", async () => {
  expect(await problems([committedInBetween("pointed")])).toBe("");
  expect(await problems([committedInBetween("pointed")], { guards: { activity: "after" } })).toContain("pointed lacks");
});

test("the row-version fence: taken from the next transaction instead of the oldest, it loses one that is open", async () => {
  const open: Case = {
    tables: ["scanned"],
    steps: [
      batch(),
      { do: "begin", s: 0 },
      put("scanned", 0, 5),
      put("scanned", 1, 6),
      batch(),
      { do: "commit", s: 0 },
    ],
  };
  expect(await problems([open])).toBe("");
  expect(await problems([open], { guards: { version: "next" } })).toContain("scanned lacks");
});

test("the keys: without them a row that was deleted stays", async () => {
  const deleted: Case = {
    tables: ["scanned"],
    steps: [batch(), { do: "delete", s: 0, t: "scanned", k: 2, v: 1 }, batch()],
  };
  expect(await problems([deleted])).toBe("");
  const weaken = (warehouse: Warehouse): Warehouse => ({
    ...warehouse,
    publish: ({ batch: published, tables }, options) =>
      warehouse.publish({ batch: published, tables: tables.map((table) => ({ ...table, keys: undefined })) }, options),
  });
  expect(await problems([deleted], { weaken })).toContain("scanned has");
});

/** A change of two tables, and a batch with it that fails at each of its points in turn. */
const interrupted = (at: number): Case => ({
  tables: ["scanned", "replaced"],
  steps: [batch(), put("scanned", 0, 5), put("replaced", 0, 5), batch({ fault: { at, what: "error", delay: 0 } })],
});
/** The points around the publication; what is switched off below shows at two of them. */
const LAST_POINTS = [16, 17, 18, 19, 20, 21, 22];

const interruptedAnywhere = (without?: Without): Promise<string> => problems(LAST_POINTS.map(interrupted), without);

test("the single transaction: with one for each table, a failure in between leaves tables of two instants", async () => {
  expect(await interruptedAnywhere()).toBe("");
  const weaken = (warehouse: Warehouse): Warehouse => ({
    ...warehouse,
    async publish({ batch: published, tables }, options) {
      const results = [];
      for (const [index, table] of tables.entries()) {
        const numbered = { ...published, id: published.id + index, uuid: crypto.randomUUID() };
        results.push(...(await warehouse.publish({ batch: numbered, tables: [table] }, options)));
      }
      return results;
    },
  });
  expect(await interruptedAnywhere({ weaken })).toMatch(/(replaced|scanned) lacks/);
});

test("the single transaction: with the watermarks before the rows, a failure in between loses the rows for good", async () => {
  const weaken = (warehouse: Warehouse): Warehouse => ({
    ...warehouse,
    async publish({ batch: published, tables }, options) {
      const without = [];
      for (const publication of tables.filter(({ table }) => table.primaryKey.length > 0)) {
        const rows = await warehouse.openIncoming(published.id + 1000, publication.table, "rows");
        await rows.seal(options);
        without.push({ ...publication, action: "merge" as const, rows, keys: undefined });
      }
      await warehouse.publish({ batch: { ...published, uuid: crypto.randomUUID() }, tables: without }, options);
      return await warehouse.publish({ batch: { ...published, id: published.id + 1 }, tables }, options);
    },
  });
  expect(await interruptedAnywhere({ weaken })).toContain("scanned lacks");
});

/** Two machines load into one database: the slow one has read before the fast one, and publishes after it. */
async function overtaken(
  weaken?: (warehouse: Warehouse) => Warehouse,
): Promise<{ error: string | undefined; problems: readonly string[] }> {
  const tables: readonly TableName[] = ["scanned", "parted"];
  await using db = await createTestDatabase();
  await db.query(tables.map((name) => MODEL_TABLES[name].create).join(";"));
  const folder = await mkdtemp(join(tmpdir(), "novadrive-guards-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await using snowflake = await startTestSnowflake();
  await snowflake.server.createStageTables({ file: "manifest.yml", tables: tablesOf(tables, "plain") });
  await using slow = await snowflake.open();
  await using fast = await snowflake.open();
  const quiet = async () => {};
  await using quick = connectModel(db.url, quiet);
  const common = { tables, how: "plain", folder } as const;
  expect((await loadModel({ ...common, source: quick, warehouse: fast, batchId: 1, at: quiet })).error).toBeUndefined();
  const oracle = new Client({ connectionString: db.url });
  await oracle.connect();
  try {
    let shown: Contents | undefined;
    const at = async (moment: string | undefined) => {
      if (moment === "shown") shown = await readInBatchSnapshot(oracle, tables);
      if (moment !== "staged") return;
      await db.query(
        "BEGIN; UPDATE scanned SET value = 9 WHERE id = 1; INSERT INTO parted VALUES (5, 0, 9, 'later'); COMMIT",
      );
      // It would remove what the slow one has staged.
      const unprepared = (warehouse: Warehouse): Warehouse => ({ ...warehouse, prepare: async () => [] });
      const between = await loadModel({
        weaken: unprepared,
        ...common,
        folder: join(folder, "fast"),
        source: quick,
        warehouse: fast,
        batchId: 2,
        at: quiet,
      });
      expect(between.error).toBeUndefined();
    };
    await using source = connectModel(db.url, at);
    await db.query("UPDATE scanned SET value = 8 WHERE id = 2");
    await db.query("UPDATE parted SET value = 8 WHERE id = 2");
    const { error } = await loadModel({ ...common, source, warehouse: slow, weaken, batchId: 2, at });
    const stage = await readStage(fast, tables);
    const none = { unseen: new Set<string>(), kept: new Set<string>() };
    return { error: error?.code, problems: shown && error === undefined ? differences(shown, stage, none) : [] };
  } finally {
    await oracle.end();
  }
}

test("the guard row: without it a batch that was overtaken mixes two instants", async () => {
  expect(await overtaken()).toEqual({ error: "BATCH_RUNNING", problems: [] });
  const weaken = (warehouse: Warehouse): Warehouse => ({
    ...warehouse,
    // As if nobody had looked what was published in between.
    async publish(publication, options) {
      const { lastBatchId } = await warehouse.readState();
      return await warehouse.publish({ ...publication, batch: { ...publication.batch, id: lastBatchId + 1 } }, options);
    },
  });
  const { error, problems: found } = await overtaken(weaken);
  expect(error).toBeUndefined();
  // Of one transaction of the source, one table shows what was written, and the other does not.
  expect(found.join("\n")).toContain('scanned has ["1","9"');
});
