/** A server that is set back under the table's feet: a copy of its files restored, and a crash that empties an unlogged table. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../../runtime/config/config.ts";
import { systemClock } from "../../../runtime/core/clock.ts";
import { EventBus } from "../../../runtime/core/events.ts";
import type { BatchResult } from "../../../runtime/core/result.ts";
import { locateBinaries } from "../../../runtime/demo/binaries.ts";
import { claimable } from "../../../runtime/demo/free-port.ts";
import { initialise, start, type RunningServer, type ServerPlace } from "../../../runtime/demo/postgres-server.ts";
import { chooseLauncher } from "../../../runtime/demo/service-account.ts";
import { runBatch } from "../../../runtime/schedule/run-batch.ts";
import { Store } from "../../../runtime/store/store.ts";
import { createProject, WAREHOUSES, type Project } from "../../support/project.ts";

const TABLES = `
- name: t
  config: {meta: {primary_key: [id], sync: {mode: incremental, detect: scan, deletes: hard}}}
  columns:
    - {name: id, data_type: integer}
    - {name: note, data_type: text}
`;
const SOURCE =
  "CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT i, 'first' FROM generate_series(1, 50) i";

/** With owner and mode: the server's files may be another user's. */
const copy = (from: string, to: string) => promisify(execFile)("cp", ["-a", from, to]);

let folder: string;
let place: ServerPlace;
let server: RunningServer | undefined;
let port: number;
const signal = new AbortController().signal;
const url = (database = "postgres") => `postgres://postgres:hush@127.0.0.1:${port}/${database}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "novadrive-restored-"));
  const binaries = await locateBinaries();
  const dataFolder = join(folder, "postgres");
  const launcher = await chooseLauncher({ folder, dataFolder, program: binaries.postgres });
  place = {
    dataFolder,
    logFile: join(folder, "log"),
    binaries,
    launcher,
    settings: { fsync: "off" },
    clock: systemClock,
  };
  await initialise({ ...place, superuser: "postgres", password: "hush", signal });
  port = (await claimable(0)) ?? 0;
  server = await start(place, port, signal);
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const sql = (...statements: string[]) => sqlIn("postgres", ...statements);

async function sqlIn(database: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url(database) });
  client.on("error", () => {});
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

async function restart(between: () => Promise<void>, how: "stop" | "crash" = "stop"): Promise<void> {
  if (how === "crash" && server) {
    process.kill(server.pid, "SIGQUIT");
    await server.ended;
  }
  await server?.stop();
  await between();
  server = await start(place, port, signal);
}

async function batch({ environment }: Project, database?: string): Promise<BatchResult> {
  const config = loadConfig({ environment: { ...environment, NOVADRIVE_SOURCE_URL: url(database) } });
  using store = Store.open({ folder: config.stateDir });
  const result = await runBatch({ config, store, events: new EventBus(), trigger: "command", signal });
  expect(result.error).toBeUndefined();
  return result;
}

async function equal(project: Project, database = "postgres"): Promise<void> {
  const rows = await sqlIn(database, "SELECT id::text, note FROM t ORDER BY t.id");
  expect(await project.ask("SELECT id, note FROM stage.t ORDER BY id")).toEqual(rows.map((row) => Object.values(row)));
}

describe.each(WAREHOUSES)("on %s", (warehouse) => {
  it("a table restored from a copy of the server's files: same OID, older transactions, and all of it is compared", async () => {
    await using project = await createProject(warehouse, { source: "SELECT 1", tables: TABLES });
    const backup = join(folder, "backup");
    await sql("DROP TABLE IF EXISTS t", SOURCE);
    await restart(async () => void (await copy(place.dataFolder, backup)));
    const [{ oid } = {}] = await sql("SELECT 't'::regclass::oid AS oid");
    await sql(
      "UPDATE t SET note = 'lost' WHERE id <= 10",
      "DELETE FROM t WHERE id > 40",
      "INSERT INTO t VALUES (60, 'lost')",
    );
    await sql(...Array.from({ length: 20 }, (_, i) => `INSERT INTO t VALUES (${100 + i}, 'lost')`));
    await batch(project);
    await equal(project);
    await restart(async () => {
      await rm(place.dataFolder, { recursive: true });
      await copy(backup, place.dataFolder);
      await rm(backup, { recursive: true });
    });
    expect(await sql("SELECT 't'::regclass::oid AS oid")).toEqual([{ oid }]);
    await sql("UPDATE t SET note = 'another' WHERE id = 20", "INSERT INTO t VALUES (70, 'another')");
    const { tables } = await batch(project);
    expect(tables).toMatchObject([{ inserted: 11, updated: 11, deleted: 21 }]);
    await equal(project);
    await sql("UPDATE t SET note = 'goes on' WHERE id = 1");
    expect((await batch(project)).tables).toMatchObject([{ updated: 1 }]);
    await equal(project);
  });

  it("a copy of the database on the same server: same OIDs, same row versions, and all of it is compared", async () => {
    await using project = await createProject(warehouse, { source: "SELECT 1", tables: TABLES });
    await sql("DROP TABLE IF EXISTS t", SOURCE);
    await batch(project);
    await sqlIn("template1", "DROP DATABASE IF EXISTS copied", "CREATE DATABASE copied TEMPLATE postgres");
    await sql("UPDATE t SET note = 'here only' WHERE id = 1");
    await batch(project);
    await equal(project);
    expect((await batch(project, "copied")).tables).toMatchObject([{ updated: 1, inserted: 0, deleted: 0 }]);
    await equal(project, "copied");
  });

  it("a crash that empties an unlogged table: its rows go", async () => {
    await using project = await createProject(warehouse, { source: "SELECT 1", tables: TABLES });
    await sql("DROP TABLE IF EXISTS t", SOURCE, "ALTER TABLE t SET UNLOGGED", "CHECKPOINT");
    await batch(project);
    await equal(project);
    await restart(async () => {}, "crash");
    expect(await sql("SELECT count(*)::int AS rows FROM t")).toEqual([{ rows: 0 }]);
    expect((await batch(project)).tables).toMatchObject([{ deleted: 50 }]);
    await equal(project);
    await sql("INSERT INTO t VALUES (1, 'again')");
    expect((await batch(project)).tables).toMatchObject([{ inserted: 1 }]);
    await equal(project);
  });
});
