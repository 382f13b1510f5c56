import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { expect, test } from "vitest";
import { systemClock, type Clock } from "../../../runtime/core/clock.ts";
import type { Finding } from "../../../runtime/core/finding.ts";
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { diagnoseSource } from "../../../runtime/source/diagnose.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const SALES = manifestTable({
  name: "sales",
  columns: { id: "integer", price: "decimal(10,2) not null", changed: "timestamp_ltz" },
  primaryKey: ["id"],
  sync: { mode: "incremental", cursor: "changed" },
});
const SALES_SQL = "CREATE TABLE sales (id int PRIMARY KEY, price numeric(10,2) NOT NULL, changed timestamptz)";

async function findings(
  url: string,
  tables: readonly ManifestTable[] = [SALES],
  clock: Clock = systemClock,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const { signal } = new AbortController();
  await diagnoseSource({ url, tables, clock, signal, report: (...more) => void found.push(...more) });
  return found;
}

const wrong = (found: readonly Finding[]) => found.filter(({ status }) => status !== "ok");

test("a source that is fit is fit in every respect", async () => {
  await using db = await createTestDatabase();
  await db.query(`${SALES_SQL}; CREATE INDEX ON sales (changed)`);
  const found = await findings(db.url);
  expect(wrong(found).filter(({ check }) => check !== "encryption")).toEqual([]);
  expect(found.map(({ check }) => check)).toEqual([
    "connection",
    "encryption",
    "encoding",
    "primary",
    "open transactions",
    "prepared transactions",
    "clock",
    "table sales",
  ]);
  expect(found.at(-1)?.detail).toBe("public.sales: 3 columns; incremental; key id; cursor changed.");
});

test("each table has its own findings, whatever is wrong with the others", async () => {
  await using db = await createTestDatabase();
  await db.query(
    `CREATE TABLE sales (id int, price float NOT NULL, note text); CREATE TABLE good (id int PRIMARY KEY)`,
  );
  const good = manifestTable({ name: "good", columns: { id: "integer" }, primaryKey: ["id"] });
  const gone = manifestTable({ name: "gone", columns: { id: "integer" } });
  const found = (await findings(db.url, [gone, SALES, good])).filter(({ check }) => check.startsWith("table "));
  expect(found.map(({ check, status }) => [check, status])).toEqual([
    ["table gone", "failed"],
    ["table sales", "failed"],
    ["table sales", "failed"],
    ["table sales", "failed"],
    ["table sales", "warning"],
    ["table good", "ok"],
  ]);
});

test("a user without privileges gets the statements that grant them, and they do", async () => {
  await using db = await createTestDatabase();
  const role = `doctor_${db.name}`;
  await db.query(`CREATE SCHEMA shop; CREATE TABLE shop.sales (id int PRIMARY KEY, price numeric(10,2) NOT NULL, changed timestamptz);
    CREATE ROLE ${role} LOGIN PASSWORD 'hush'`);
  try {
    const url = db.urlFor({ user: role, password: "hush" });
    const tables = [{ ...SALES, sourceSchema: "shop" }];
    const before = wrong(await findings(url, tables)).filter(({ check }) => check !== "encryption");
    expect(before.map(({ status, remedy }) => [status, remedy])).toEqual([
      ["warning", `GRANT pg_read_all_stats TO "${role}";`],
      ["failed", `GRANT USAGE ON SCHEMA "shop" TO "${role}";`],
      ["failed", `GRANT SELECT ON "shop"."sales" TO "${role}";`],
    ]);
    await db.query(before.map(({ remedy }) => remedy).join("\n"));
    expect(wrong(await findings(url, tables)).filter(({ check }) => check !== "encryption")).toEqual([]);
  } finally {
    await db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test("indexes count if they begin with the cursor and cover every row; views are not asked for one", async () => {
  await using db = await createTestDatabase();
  await db.query(`${SALES_SQL}; CREATE VIEW seen AS SELECT * FROM sales`);
  const detail = async () => (await findings(db.url)).at(-1)?.detail;
  expect(await detail()).toContain("no index");
  await db.query("CREATE INDEX ON sales (id, changed); CREATE INDEX ON sales (changed) WHERE changed IS NOT NULL");
  expect(await detail()).toContain("no index");
  await db.query("CREATE INDEX ON sales (changed, id)");
  expect(await detail()).not.toContain("no index");
  const seen = { ...SALES, name: "seen", sourceTable: "seen" };
  expect((await findings(db.url, [seen])).at(-1)).toMatchObject({ check: "table seen", status: "ok" });
});

test("the size of a table counts, that of all its partitions together", async () => {
  await using db = await createTestDatabase();
  await db.query(`CREATE TABLE sales (id int, price numeric(10,2) NOT NULL, changed timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE sales_1 PARTITION OF sales FOR VALUES FROM (0) TO (10);
    CREATE TABLE sales_2 PARTITION OF sales FOR VALUES FROM (10) TO (20);
    UPDATE pg_class SET relpages = 40000 WHERE relname IN ('sales_1', 'sales_2')`);
  expect((await findings(db.url)).at(-1)).toMatchObject({
    status: "warning",
    detail: expect.stringContaining("655 MB"),
    remedy: 'CREATE INDEX ON "public"."sales" ("changed");',
  });
});

test("a partitioned table is judged by the index of the whole", async () => {
  await using db = await createTestDatabase();
  await db.query(`CREATE TABLE sales (id int, price numeric(10,2) NOT NULL, changed timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE sales_1 PARTITION OF sales FOR VALUES FROM (0) TO (10)`);
  expect((await findings(db.url)).at(-1)?.detail).toContain("no index");
  await db.query("CREATE INDEX ON sales (changed)");
  expect((await findings(db.url)).at(-1)).toMatchObject({
    status: "ok",
    detail: expect.not.stringContaining("no index"),
  });
});

test("an open prepared transaction is named", async (context) => {
  await using db = await createTestDatabase();
  const [setting] = await db.query<{ most: number }>(
    "SELECT current_setting('max_prepared_transactions')::int AS most",
  );
  if (setting?.most === 0) context.skip("the server of TEST_PG_URL allows no prepared transactions");
  await db.query(SALES_SQL);
  const gid = `gid_${db.name}`;
  await db.query(`BEGIN; INSERT INTO sales VALUES (1, 1, now()); PREPARE TRANSACTION '${gid}'`);
  try {
    const prepared = (await findings(db.url)).find(({ check }) => check === "prepared transactions");
    expect(prepared).toMatchObject({ status: "warning", detail: expect.stringContaining(gid) });
    expect(prepared?.remedy).toContain(`ROLLBACK PREPARED '${gid}'`);
  } finally {
    await db.query(`ROLLBACK PREPARED '${gid}'`);
  }
});

test("a clock that differs is told", async () => {
  await using db = await createTestDatabase();
  const late: Clock = { ...systemClock, now: () => new Date(Date.now() - 3_600_000) };
  const clock = (await findings(db.url, [], late)).find(({ check }) => check === "clock");
  expect(clock).toMatchObject({
    status: "warning",
    detail: expect.stringMatching(/3(599|600)\.\d s behind the source/),
  });
});

test("a lock on a table does not hold the doctor up", async () => {
  await using db = await createTestDatabase();
  await db.query(SALES_SQL);
  const holder = await db.pool.connect();
  try {
    await holder.query("BEGIN; LOCK TABLE sales IN ACCESS EXCLUSIVE MODE");
    expect((await findings(db.url)).at(-1)).toMatchObject({ check: "table sales", status: "ok" });
  } finally {
    await holder.query("ROLLBACK");
    holder.release();
  }
});

test("a refused login is one finding, without the password", async () => {
  await using db = await createTestDatabase();
  const found = await findings(db.urlFor({ user: "nobody_here", password: "s3cret-word" }));
  expect(found).toMatchObject([{ check: "connection", status: "failed" }]);
  expect(JSON.stringify(found)).not.toContain("s3cret-word");
});

test("a URL that cannot be used is one finding, without the password", async () => {
  const found = await findings("postgres://me:s3cret-word@db.example.com/x?sslmode=prefer");
  expect(found).toMatchObject([{ check: "connection", status: "failed", remedy: expect.stringContaining("sslmode") }]);
  expect(JSON.stringify(found)).not.toContain("s3cret-word");
});

test("a server that never answers is left when the signal says so", async () => {
  const server = createServer();
  const controller = new AbortController();
  const connected = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `postgres://me:x@127.0.0.1:${port}/x`;
  const report = () => expect.unreachable();
  const running = diagnoseSource({ url, tables: [], clock: systemClock, report, signal: controller.signal });
  const [socket] = (await connected) as [Socket];
  controller.abort(new Error("stop"));
  await expect(running).rejects.toThrow("stop");
  socket.destroy();
  server.close();
});
