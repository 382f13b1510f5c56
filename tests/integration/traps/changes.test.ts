/** Traps that other tools fall into with changes: each test is named after one, and holds on both warehouses. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openWarehouse } from "../../../runtime/warehouse/open.ts";
import { startCommand } from "../../support/command.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createProject, WAREHOUSES, type Project } from "../../support/project.ts";

const SOURCE = `
  CREATE TABLE clients (id int PRIMARY KEY, name text, changed timestamptz DEFAULT now());
  CREATE TABLE sales (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, client int, price numeric(10,2));
  CREATE TABLE visits (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, page text);
  INSERT INTO clients SELECT i, 'client ' || i, '2026-01-01 00:00:00.000001+00' FROM generate_series(1, 20) i;
  INSERT INTO sales (client, price) SELECT i, i FROM generate_series(1, 20) i;
  INSERT INTO visits (page) SELECT '/' || i FROM generate_series(1, 20) i`;
const TABLES = `
- name: clients
  config: {meta: {primary_key: [id], sync: {mode: incremental, detect: cursor, cursor: changed}}}
  columns: [{name: id, data_type: integer}, {name: name, data_type: text}, {name: changed, data_type: timestamp_ltz}]
- name: sales
  config: {meta: {primary_key: [id], sync: {mode: incremental}}}
  columns: [{name: id, data_type: integer}, {name: client, data_type: integer}, {name: price, data_type: "decimal(10,2)"}]
- name: visits
  config: {meta: {primary_key: [id], sync: {mode: append, detect: cursor, cursor: id}}}
  columns: [{name: id, data_type: integer}, {name: page, data_type: text}]
`;
const SELECTED = {
  clients: `id::text, name, to_char(changed AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'`,
  sales: "id::text, client::text, price::text",
  visits: "id::text, page",
} as const;
const COLUMNS = { clients: "id, name, changed", sales: "id, client, price", visits: "id, page" } as const;

describe.each(WAREHOUSES)("on %s", (warehouse) => {
  let project: Project;
  const query = (sql: string) => project.database.query(sql);
  const batch = async () => expect(await project.run()).toMatchObject({ status: "success" });

  async function expectEqual(): Promise<void> {
    for (const name of ["clients", "sales", "visits"] as const) {
      const stage = await project.ask(`select ${COLUMNS[name]} from stage.${name}`);
      const source = await project.database.query<{ row: string[] }>(
        `SELECT ARRAY[${SELECTED[name]}] AS row FROM ${name}`,
      );
      const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).toSorted();
      expect(sorted(stage), name).toEqual(sorted(source.map(({ row }) => row)));
    }
  }

  async function session(): Promise<Client> {
    const client = new Client({ connectionString: project.database.url });
    client.on("error", () => {});
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  }

  beforeAll(async () => {
    project = await createProject(warehouse, { source: SOURCE, tables: TABLES });
    await batch();
    await expectEqual();
  });
  afterAll(async () => project[Symbol.asyncDispose]());

  it("`id > max(id)` or `updated_at > max(updated_at)` skips rows whose transaction was still open at the last read", async () => {
    const late = await session();
    await late.query(
      "BEGIN; INSERT INTO visits (page) VALUES ('/late'); INSERT INTO clients VALUES (30, 'late'); INSERT INTO sales (client, price) VALUES (30, 1)",
    );
    await query("INSERT INTO visits (page) VALUES ('/early')");
    await query("INSERT INTO clients VALUES (31, 'early', clock_timestamp() + interval '1 hour')");
    await batch();
    await expectEqual();
    await late.query("COMMIT");
    await batch();
    await expectEqual();
  });

  it("rows that share the last cursor value are cut at the boundary", async () => {
    for (const id of [40, 41]) {
      await query(`INSERT INTO clients SELECT ${id}, 'same', max(changed) FROM clients`);
      await batch();
      await expectEqual();
    }
  });

  it("the cursor's microseconds or zone are cut in the host language", async () => {
    const there = await session();
    await there.query("SET TimeZone = 'America/Sao_Paulo'");
    for (const [id, micros] of [
      [50, "000001"],
      [51, "000002"],
      [52, "999999"],
    ] as const) {
      await there.query("INSERT INTO clients VALUES ($1, 'exact', $2::timestamptz)", [
        id,
        `2027-01-01 00:00:00.${micros}-03`,
      ]);
      await batch();
      await expectEqual();
    }
    expect(await project.ask("select changed from stage.clients where id = 52")).toEqual([
      ["2027-01-01 03:00:00.999999+00"],
    ]);
  });

  it("max and rows read in two snapshots; tables read at different instants: a sale without its client", async () => {
    const writer = await session();
    const stop = new AbortController();
    const writing = (async () => {
      for (let id = 1000; !stop.signal.aborted; id++) {
        await writer.query(
          `BEGIN; INSERT INTO clients VALUES (${id}, 'new'); INSERT INTO sales (client, price) VALUES (${id}, 1); COMMIT`,
        );
        await wait(2);
      }
    })();
    try {
      for (let round = 0; round < 3; round++) {
        await batch();
        const alone =
          "select count(*) from stage.sales s full join stage.clients c on c.id = s.client where coalesce(s.client, c.id) >= 1000 and (s.id is null or c.id is null)";
        expect(await project.ask(alone)).toEqual([["0"]]);
      }
    } finally {
      stop.abort();
      await writing;
    }
    await batch();
    await expectEqual();
    expect(Number((await query("SELECT count(*) FROM sales WHERE client >= 1000"))[0]?.["count"])).toBeGreaterThan(3);
  });

  it("hard deletes stay in the warehouse", async () => {
    await query("DELETE FROM clients WHERE id <= 3; DELETE FROM sales WHERE id = 7");
    await batch();
    await expectEqual();
    const gone = await project.ask("select table_name, key from pipeline.deleted_keys order by 1, 2");
    expect(gone).toEqual([
      ["clients", "[1]"],
      ["clients", "[2]"],
      ["clients", "[3]"],
      ["sales", "[7]"],
    ]);
  });

  it("rows changed without touching the cursor (bulk fixes, disabled triggers, the client's clock)", async () => {
    await query("UPDATE sales SET price = price * 2");
    await batch();
    await expectEqual();
    // What only a cursor could tell is found by the verification, and put right by it.
    await query("UPDATE clients SET name = 'fixed in bulk' WHERE id BETWEEN 5 AND 7");
    await batch();
    const verify = async (...flags: string[]) => {
      await using command = startCommand(["verify", "--json", ...flags], { environment: project.environment });
      const { status, stdout } = await command.ended;
      return { status, result: JSON.parse(stdout) as { tables: { name: string; keys?: { key: number }[] }[] } };
    };
    const found = await verify();
    expect(found.status).toBe(1);
    expect(found.result.tables.find(({ name }) => name === "clients")?.keys?.map(({ key }) => key)).toEqual([5, 6, 7]);
    expect((await verify("--repair")).status).toBe(0);
    await expectEqual();
  });

  it("state commits apart from data: duplicates or gaps after a crash", async () => {
    for (const [index, moment] of [900, 1300, 1700].entries()) {
      await query(`INSERT INTO visits (page) SELECT '/crash' FROM generate_series(1, 50)`);
      await query(
        `INSERT INTO clients VALUES (${60 + index}, 'crash'); UPDATE sales SET price = ${index} WHERE id = 5`,
      );
      await using command = startCommand(["run"], { environment: project.environment });
      await wait(moment);
      command.process.kill("SIGKILL");
      await command.ended;
    }
    await batch();
    await expectEqual();
  });

  it('"success" with missing or nulled data', async () => {
    await query("INSERT INTO visits (page) SELECT '/counted' FROM generate_series(1, 11)");
    const result = await project.run();
    expect(result.tables.find(({ name }) => name === "visits")).toMatchObject({ status: "success", inserted: 11 });
    await expectEqual();
    const folder = await mkdtemp(join(tmpdir(), "novadrive-traps-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "rows.csv");
    await writeFile(path, '1,"one"\n2,"two"\n');
    await using opened = await openWarehouse({ url: project.environment["NOVADRIVE_WAREHOUSE_URL"] ?? "" });
    const table = manifestTable({
      name: "visits",
      columns: { id: "integer not null", page: "text" },
      primaryKey: ["id"],
    });
    const incoming = await opened.openIncoming(99_999, table, "rows");
    const lost = (async () => {
      await incoming.add({ path, rows: 3, longestRow: 8, bytes: 16 });
      await incoming.seal();
    })();
    await expect(lost).rejects.toMatchObject({ code: "LOAD_ROWS_LOST" });
    await incoming.discard();
  });

  it("thousands of one-row files", async () => {
    const writer = await session();
    for (let i = 0; i < 300; i++) await writer.query("INSERT INTO visits (page) VALUES ('/one by one')");
    const { tables, usage } = await project.run();
    const visits = tables.find(({ name }) => name === "visits");
    expect(visits).toMatchObject({ inserted: 300 });
    // What is billed counts its statements: not one for each row, nor for each transaction.
    expect(usage?.statements ?? 0).toBeLessThan(100);
    await expectEqual();
  });

  it("a dropped or added column stops the load", async () => {
    await query("ALTER TABLE clients ADD phone text DEFAULT 'none'; INSERT INTO clients VALUES (70, 'phoned')");
    await batch();
    await expectEqual();
    await query("ALTER TABLE clients RENAME name TO full_name");
    const { status, error } = await project.run();
    expect({ status, code: error?.code, message: error?.message }).toEqual({
      status: "failed",
      code: "SOURCE_COLUMN_MISSING",
      message: expect.stringContaining('no column "name"'),
    });
    await query("ALTER TABLE clients RENAME full_name TO name");
    await batch();
    await expectEqual();
  });

  it("long reads cancelled on a replica, or holding back vacuum on the primary", async () => {
    await query("UPDATE sales SET price = 3");
    // A cancelled read ends the batch's snapshot, whatever the reason: the load begins anew, and publishes nothing of the first one.
    const blocker = await session();
    await blocker.query("BEGIN; LOCK TABLE visits IN ACCESS EXCLUSIVE MODE");
    const running = project.run();
    const leader = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await expect.poll(async () => (await query(leader)).length).toBeGreaterThan(0);
    await query(`SELECT pg_terminate_backend(pid) FROM (${leader}) AS waiting`);
    await blocker.query("COMMIT");
    expect((await running).error?.code ?? "SOURCE_UNREACHABLE").toMatch(/^SOURCE_/);
    await batch();
    await expectEqual();
    // No snapshot outlives its batch.
    const held =
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()";
    expect(await query(held)).toEqual([]);
  });
});
