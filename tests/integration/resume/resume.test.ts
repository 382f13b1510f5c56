/** A first load that was killed goes on: the result is the same, and what was read is not read again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ENGINES } from "./place.ts";
import {
  CHANGED,
  CHANGES,
  createResumeTest,
  FILL,
  manifestOf,
  ROWS,
  TABLE,
  tableEntry,
  type ResumeTest,
} from "./support.ts";

async function noneIsLeft(test: ResumeTest): Promise<void> {
  expect(await test.place.kept()).toEqual([]);
}

describe.each(ENGINES)("into %s,", (engine) => {
  // Moment, how many files of the nine or so are in the warehouse then at least.
  const moments = [
    { moment: "opened", count: 1, files: 0 },
    { moment: "taken", count: 5, files: 5 },
    { moment: "taking", count: 6, files: 3 },
    { moment: "sealed", count: 1, files: 9 },
    { moment: "publish", count: 1, files: 9 },
  ];
  const told =
    engine === "duckdb" ? moments : moments.filter(({ moment }) => /^taken$|^taking$|^publish$/.test(moment));
  it.each(told)("killed at $moment $count, it goes on and ends equal", async ({ moment, count, files }) => {
    await using test = await createResumeTest({ engine, source: TABLE + FILL, tables: tableEntry("t") });
    expect(await test.load({ dieAt: { moment, count } })).toBeUndefined();
    await test.database.query(CHANGES);
    const loaded = await test.load();
    expect(loaded?.error).toBeUndefined();
    expect(await test.differences()).toEqual([]);
    const rowsOfFile = ROWS / 10;
    expect(loaded?.read["t"]).toBeLessThanOrEqual(ROWS - files * rowsOfFile * 0.9 + CHANGED);
    if (files > 0) expect(loaded?.log.join("\n")).toMatch(/goes on with the first load that batch 1 did not end/);
    await noneIsLeft(test);
    // A transaction of another test may hold the fence back, but not before this table was filled.
    expect((await test.load())?.read["t"]).toBeLessThanOrEqual(CHANGED);
  });

  it("killed after its publication, it is no first load any more", async () => {
    await using test = await createResumeTest({ engine, source: TABLE + FILL, tables: tableEntry("t") });
    expect(await test.load({ dieAt: { moment: "published", count: 1 } })).toBeUndefined();
    await noneIsLeft(test);
    await test.database.query(CHANGES);
    const loaded = await test.load();
    expect(loaded?.read["t"]).toBeLessThanOrEqual(CHANGED);
    expect(await test.differences()).toEqual([]);
  });

  it("killed again and again, also while it goes on, it reads each time what is left", async () => {
    await using test = await createResumeTest({ engine, source: TABLE + FILL, tables: tableEntry("t") });
    const moments = [
      { moment: "taken", count: 3 },
      { moment: "taken", count: 2 },
      { moment: "complete", count: 1 },
      { moment: "completed", count: 1 },
    ];
    for (const [round, dieAt] of moments.entries()) {
      expect(await test.load({ dieAt })).toBeUndefined();
      await test.database.query(`
      UPDATE t SET note = 'round ${round} of ' || id WHERE id % 777 = ${round};
      DELETE FROM t WHERE id % 777 = ${10 + round};
      UPDATE t SET id = -id WHERE id > 0 AND id % 777 = ${20 + round};
      UPDATE t SET id = -id WHERE id < 0 AND -id % 777 = ${19 + round};`);
    }
    const loaded = await test.load();
    expect(loaded?.error).toBeUndefined();
    expect(loaded?.read["t"]).toBeLessThan(ROWS / 10);
    expect(await test.differences()).toEqual([]);
    await noneIsLeft(test);
  });

  it("what is kept of a table that is no longer in the manifest goes", async () => {
    const other = "CREATE TABLE other (id int PRIMARY KEY, note text);";
    await using test = await createResumeTest({ engine, source: TABLE + FILL + other, tables: tableEntry("t") });
    expect(await test.load({ dieAt: { moment: "taken", count: 2 } })).toBeUndefined();
    const loaded = await test.load({ manifest: manifestOf(tableEntry("other")) });
    expect(loaded?.error).toBeUndefined();
    await noneIsLeft(test);
    expect(await test.place.incoming()).toEqual([]);
  });

  it("where the snapshot is lost, the load that is tried again in the same batch goes on", async () => {
    await using test = await createResumeTest({ engine, source: TABLE + FILL, tables: tableEntry("t") });
    const dieAt = { moment: "taken", count: 5, ends: "connections" } as const;
    const loaded = await test.load({ dieAt, retries: 3 });
    expect(loaded?.error).toBeUndefined();
    expect(loaded?.log.join("\n")).toContain("goes on with the first load that batch 1 did not end");
    expect(loaded?.read["t"]).toBeLessThanOrEqual(ROWS * 0.65);
    expect(await test.differences()).toEqual([]);
  });

  it("several tables are killed at once, and each goes on", async () => {
    const names = ["a", "b", "c"];
    const make = names.map((name) => (TABLE + FILL).replaceAll(/\bt\b/g, name)).join("");
    await using test = await createResumeTest({
      engine,
      source: make,
      tables: names.map((name) => tableEntry(name)).join(""),
    });
    expect(await test.load({ dieAt: { moment: "taken", count: 18 } })).toBeUndefined();
    await test.database.query(names.map((name) => CHANGES.replaceAll(/\bt\b/g, name)).join(""));
    const loaded = await test.load();
    expect(loaded?.error).toBeUndefined();
    const read = names.reduce((sum, name) => sum + (loaded?.read[name] ?? 0), 0);
    expect(read).toBeLessThanOrEqual(ROWS * 3 * 0.55 + 3 * CHANGED);
    expect(await test.differences()).toEqual([]);
    await noneIsLeft(test);
  });

  it("if the rows are not made those of one snapshot, the load stops: the guard is needed", async () => {
    await using test = await createResumeTest({ engine, source: TABLE + FILL, tables: tableEntry("t") });
    expect(await test.load({ dieAt: { moment: "taken", count: 5 } })).toBeUndefined();
    await test.database.query(CHANGES);
    expect((await test.load({ without: "complete" }))?.error?.code).toBe("LOAD_ROWS_LOST");
    // Nobody goes on with what came out wrong.
    await noneIsLeft(test);
    expect((await test.load())?.read["t"]).toBeGreaterThanOrEqual(ROWS);
    expect(await test.differences()).toEqual([]);
  });

  it("whatever changes between kills at random moments, it ends equal", async () => {
    const moment = fc.constantFrom("opened", "take", "taking", "taken", "complete", "completed", "sealed", "publish");
    const change = fc.constantFrom(
      "UPDATE t SET note = note || '.' WHERE id % 7 = $",
      "DELETE FROM t WHERE id % 41 = $",
      "UPDATE t SET id = -id WHERE id % 43 = $",
      "INSERT INTO t SELECT i, 'new' FROM generate_series(50000 + $ * 1000, 50100 + $ * 1000) i ON CONFLICT DO NOTHING",
      "BEGIN; UPDATE t SET note = 'gone' WHERE id % 5 = $; ROLLBACK",
      "VACUUM t",
      "BEGIN; SAVEPOINT s; UPDATE t SET note = 'saved ' || id WHERE id % 97 = $; RELEASE s; COMMIT",
    );
    const round = fc.record({
      moment,
      count: fc.integer({ min: 1, max: 6 }),
      changes: fc.array(fc.tuple(change, fc.nat(6)), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 3 }), async (rounds) => {
        const source = `${TABLE} INSERT INTO t SELECT i, i || repeat('x', 900) FROM generate_series(1, 5000) i;`;
        await using test = await createResumeTest({ engine, source, tables: tableEntry("t") });
        for (const { count, changes, ...died } of rounds) {
          await test.load({ dieAt: { moment: died.moment, count } });
          for (const [sql, number] of changes) await test.database.query(sql.replaceAll("$", String(number)));
        }
        expect((await test.load())?.error).toBeUndefined();
        expect(await test.differences()).toEqual([]);
        await noneIsLeft(test);
      }),
      { numRuns: engine === "duckdb" ? 4 : 2, seed: 6 },
    );
  });
});
