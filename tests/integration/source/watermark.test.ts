import { Client } from "pg";
import { expect, test } from "vitest";
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { connectSource, type SourceOptions } from "../../../runtime/source/postgres.ts";
import type { TablePosition } from "../../../runtime/source/source.ts";
import { extract } from "../../support/extract.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const sales = (cursor: string, type: string) =>
  manifestTable({
    name: "sales",
    columns: { id: "integer", [cursor]: type },
    primaryKey: ["id"],
    sync: { mode: "incremental", cursor, detect: "cursor" },
  });
const SALES = sales("changed", "timestamp_ltz");

async function salesDatabase(type = "timestamptz"): Promise<TestDatabase> {
  const db = await createTestDatabase();
  await db.query(`CREATE TABLE sales (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, changed ${type})`);
  return db;
}

interface Looking extends Partial<SourceOptions> {
  readonly table?: ManifestTable;
  /** The cursor of a batch before. */
  readonly previous?: string | null;
}

/** The cursor that a batch leaves. */
async function watermark(
  db: TestDatabase,
  { table = SALES, previous = null, ...options }: Looking = {},
): Promise<string | null> {
  await using source = connectSource({ url: db.url, ...options });
  let before: TablePosition | undefined;
  if (previous !== null) {
    await using earlier = await source.openSnapshot([table]);
    before = { ...(await earlier.position({ table, previous: undefined, since: undefined })), cursor: previous };
  }
  await using snapshot = await source.openSnapshot([table]);
  return (await snapshot.position({ table, previous: before, since: undefined })).cursor;
}

async function openTransaction(db: TestDatabase, sql: string) {
  const client = new Client({ connectionString: db.url });
  client.on("error", () => {});
  await client.connect();
  await client.query(`BEGIN; ${sql}`);
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

test("the watermark is the highest cursor, to the microsecond; null for an empty table", async () => {
  await using db = await salesDatabase();
  expect(await watermark(db)).toBeNull();
  await db.query(
    "INSERT INTO sales (changed) VALUES ('2024-05-01 10:00:00.123456-03'), ('2024-04-01 00:00+00'), (NULL)",
  );
  expect(await watermark(db)).toBe("2024-05-01 13:00:00.123456+00");
});

test("looking for it keeps no page from VACUUM FREEZE while the batch goes on", async () => {
  await using db = await salesDatabase();
  // By an index of more than a page or so, only the end of which is looked at.
  await db.query(
    "CREATE INDEX ON sales (changed); INSERT INTO sales (changed) SELECT now() FROM generate_series(1, 2000)",
  );
  await db.query("ANALYZE sales");
  await using source = connectSource({ url: db.url });
  await using snapshot = await source.openSnapshot([SALES]);
  await snapshot.position({ table: SALES, previous: undefined, since: undefined });
  const vacuum = new Client({ connectionString: db.url });
  await vacuum.connect();
  try {
    await vacuum.query("SET statement_timeout = '5s'");
    await vacuum.query("VACUUM (FREEZE) sales");
  } finally {
    await vacuum.end();
  }
});

test("it never falls behind the one before, not even when the newest rows are deleted", async () => {
  await using db = await salesDatabase();
  const previous = "2024-06-01 00:00:00.5+00";
  expect(await watermark(db, { previous })).toBe(previous);
  await db.query("INSERT INTO sales (changed) VALUES ('2024-05-01 10:00+00')");
  expect(await watermark(db, { previous })).toBe(previous);
});

test("it stays some seconds behind the clock, so that rows from the future are read again", async () => {
  await using db = await salesDatabase();
  await db.query("INSERT INTO sales (changed) VALUES (now() + interval '1 hour'), ('infinity')");
  const [row] = await db.query<{ behind: boolean }>(
    "SELECT $1::timestamptz BETWEEN clock_timestamp() - interval '20 seconds' AND clock_timestamp() - interval '5 seconds' AS behind",
    [await watermark(db)],
  );
  expect(row?.behind).toBe(true);
});

test("it does not pass the start of a transaction that is still open", async () => {
  await using db = await salesDatabase();
  await using open = await openTransaction(db, "INSERT INTO sales (changed) VALUES (now())");
  const [start] = (await open.client.query<{ start: string }>("SELECT now()::text AS start")).rows;
  await db.query("INSERT INTO sales (changed) VALUES (clock_timestamp())");
  const [row] = await db.query<{ before: boolean }>("SELECT $1::timestamptz < $2::timestamptz AS before", [
    await watermark(db),
    start?.start,
  ]);
  expect(row?.before).toBe(true);
});

test("rows of transactions that commit late are read, by 20 writers against 20 batches", async () => {
  await using db = await createTestDatabase();
  await db.query("CREATE TABLE sales (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, changed timestamptz)");
  // A sale's cursor is its transaction's start, and some transactions take their time.
  const stop = new AbortController();
  const writers = Array.from({ length: 20 }, async (_, index) => {
    const client = new Client({ connectionString: db.url });
    await client.connect();
    while (!stop.signal.aborted) {
      await client.query("BEGIN; INSERT INTO sales (changed) VALUES (now())");
      await new Promise((resolve) => setTimeout(resolve, (index % 5) * 15));
      await client.query("COMMIT");
    }
    await client.end();
  });
  // Most of the five seconds of margin are taken off: the test is to see what the fence does, not the margin.
  await using source = connectSource({ url: db.url, guards: { margin: 0.3 } });
  const seen: { shown: Set<number>; watermark: string | null }[] = [];
  const byId = {
    ...SALES,
    sync: { mode: "append", cursor: "id", detect: "cursor", deletes: "ignore" },
  } satisfies ManifestTable;
  const positions = new Map<ManifestTable, TablePosition>();
  try {
    for (let batch = 0; batch < 20; batch++) {
      for (const table of [SALES, byId]) {
        await using snapshot = await source.openSnapshot([table]);
        const position = await snapshot.position({ table, previous: positions.get(table), since: undefined });
        positions.set(table, position);
        const mark = position.cursor;
        const shown = await shownIds(snapshot, table);
        seen.push({ shown, watermark: mark });
      }
    }
  } finally {
    stop.abort();
    await Promise.all(writers);
  }
  let moved = 0;
  for (const [index, { shown, watermark: mark }] of seen.entries()) {
    if (mark === null) continue;
    moved += 1;
    const rule = index % 2 === 0 ? "changed < $1::timestamptz" : "id <= $1::int";
    const before = await db.query<{ id: number }>(`SELECT id FROM sales WHERE ${rule}`, [mark]);
    expect(before.filter(({ id }) => !shown.has(id))).toEqual([]);
  }
  expect(moved).toBeGreaterThan(15);
});

async function shownIds(
  snapshot: Awaited<ReturnType<ReturnType<typeof connectSource>["openSnapshot"]>>,
  table: ManifestTable,
): Promise<Set<number>> {
  const { records } = await extract(snapshot, table, { what: "keys" });
  return new Set(records.map(([id]) => Number(id)));
}

test("a prepared transaction, whose start nobody tells, holds it where it is; a warning says so", async () => {
  await using db = await salesDatabase();
  await db.query("INSERT INTO sales (changed) VALUES ('2024-05-01 10:00+00')");
  const prepared = `p_${db.name}`;
  await db.query(`BEGIN; INSERT INTO sales (changed) VALUES ('2024-04-01'); PREPARE TRANSACTION '${prepared}'`);
  const warnings: string[] = [];
  try {
    expect(await watermark(db, { warn: (message) => warnings.push(message) })).toBeNull();
    expect(await watermark(db, { previous: "2024-01-01 00:00:00+00" })).toBe("2024-01-01 00:00:00+00");
    expect(warnings).toEqual([expect.stringContaining("a prepared transaction is open")]);
  } finally {
    await db.query(`ROLLBACK PREPARED '${prepared}'`);
  }
  expect(await watermark(db)).toBe("2024-05-01 10:00:00+00");
});

test("without the privilege to see activity it follows what was not open when the batch before looked", async () => {
  await using db = await salesDatabase();
  const role = `blind_${db.name}`;
  await db.query(`INSERT INTO sales (changed) VALUES ('2024-05-01 10:00+00');
    CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT SELECT ON sales TO ${role}`);
  const warnings: string[] = [];
  const url = db.urlFor({ user: role, password: "p" });
  await using source = connectSource({ url, warn: (message) => warnings.push(message), guards: { margin: 0 } });
  let position: TablePosition | undefined;
  const batch = async (): Promise<{ cursor: string | null; t0: string }> => {
    await using snapshot = await source.openSnapshot([SALES]);
    position = await snapshot.position({ table: SALES, previous: position, since: undefined });
    return { cursor: position.cursor, t0: position.fence["t0"] ?? "" };
  };
  const highest = async () =>
    await db.query("INSERT INTO sales (changed) VALUES (clock_timestamp() + interval '1 hour')");
  try {
    {
      await using _old = await openTransaction(db, "INSERT INTO sales (changed) VALUES ('2024-04-01 00:00+00')");
      expect((await batch()).cursor).toBeNull();
      expect((await batch()).cursor).toBeNull();
      expect(warnings).toEqual([
        expect.stringContaining("GRANT pg_read_all_stats"),
        expect.stringContaining("GRANT pg_read_all_stats"),
      ]);
    }
    await highest();
    const free = await batch();
    expect(free.cursor).toBe(free.t0.replace(/0+\+/, "+"));
    await using _young = await openTransaction(db, "INSERT INTO sales (changed) VALUES (now())");
    for (const _ of [1, 2]) expect((await batch()).cursor).toBe(free.cursor);
    await db.query(`GRANT pg_read_all_stats TO ${role}`);
    const seen = await batch();
    expect((seen.cursor ?? "") > (free.cursor ?? "")).toBe(true);
    expect(warnings).toHaveLength(2);
  } finally {
    await db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test("a number as the cursor follows a sequence as far as an open transaction may not have drawn a lower one", async () => {
  await using db = await salesDatabase();
  const table = { ...SALES, sync: { mode: "append", cursor: "id", detect: "cursor", deletes: "ignore" } } as const;
  await using source = connectSource({ url: db.url, guards: { margin: 0 } });
  let position: TablePosition | undefined;
  const batch = async (): Promise<string | null> => {
    await using snapshot = await source.openSnapshot([table]);
    position = await snapshot.position({ table, previous: position, since: undefined });
    return position.cursor;
  };
  const insert = "INSERT INTO sales (changed) VALUES (now())";
  await db.query(insert);
  expect(await batch()).toBe("1");
  await db.query(insert);
  {
    await using _open = await openTransaction(db, insert);
    await db.query(insert);
    expect(await batch()).toBe("1");
    expect(await batch()).toBe("1");
  }
  expect(await batch()).toBe("4");
});

test("a number waits for the margin, as a time does: what one batch has seen is settled at a later one", async () => {
  await using db = await salesDatabase();
  const table = { ...SALES, sync: { mode: "append", cursor: "id", detect: "cursor", deletes: "ignore" } } as const;
  await db.query("INSERT INTO sales (changed) VALUES (now())");
  expect(await watermark(db, { table })).toBeNull();
});

test.each([
  ["timestamp", "timestamp_ntz"],
  ["date", "date"],
])("a %s knows no time zone, so the watermark stays behind every clock on earth", async (type, dataType) => {
  await using db = await salesDatabase(type);
  await db.query(`INSERT INTO sales (changed) VALUES ('2024-05-01')`);
  const old = await watermark(db, { table: sales("changed", dataType) });
  expect(old).toBe(type === "date" ? "2024-05-01" : "2024-05-01 00:00:00");
  await db.query(`INSERT INTO sales (changed) VALUES (now() AT TIME ZONE 'Pacific/Kiritimati')`);
  const [row] = await db.query<{ behind: boolean }>(
    `SELECT $1::${type} <= (now() AT TIME ZONE 'Etc/GMT+12')::${type} AS behind`,
    [await watermark(db, { table: sales("changed", dataType) })],
  );
  expect(row?.behind).toBe(true);
});
