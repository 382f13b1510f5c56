import { execFile } from "node:child_process";
import { readdir, readFile, stat, writeFile, mkdir, chown, rm } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDemoDatabase } from "../../../runtime/demo/database.ts";
import {
  endOf,
  holdInAnotherProcess,
  lives,
  never,
  query,
  startIn,
  temporaryFolder,
  until,
  type Folder,
} from "./support.ts";

const execute = promisify(execFile);

describe("a demo folder", () => {
  let parent: Folder;
  let folder: string;

  beforeAll(async () => {
    parent = await temporaryFolder();
    folder = path.join(parent.path, "new", "demo");
    await using database = await startIn(folder);
    await query(database.ownerUrl, "CREATE TABLE kept (id integer); INSERT INTO kept VALUES (7)");
  });

  afterAll(async () => {
    await parent[Symbol.asyncDispose]();
  });

  test("goes on where it was, on the same port, and leaves no process when stopped", async () => {
    const first = await startIn(folder);
    await first.stop();
    await first.stop();
    expect(lives(first.pid)).toBe(false);
    await expect(query(first.url, "SELECT 1")).rejects.toThrow(/ECONNREFUSED/);

    await using second = await startIn(folder);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, "SELECT id FROM kept")).toEqual([{ id: 7 }]);
    expect(await processesOf(folder)).toHaveLength(2);
    await second.stop();
    expect(await processesOf(folder)).toEqual([]);
  });

  test("keeps everything below one folder, its passwords for the owner's eyes only, and listens on loopback alone", async () => {
    await using database = await startIn(folder);
    expect((await readdir(folder)).toSorted()).toEqual([
      "demo.lock",
      "demo.pid",
      "postgres",
      "postgres.json",
      "postgres.log",
    ]);
    expect((await stat(path.join(folder, "postgres.json"))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path.join(folder, "postgres.json"), "utf8"))).toMatchObject({ url: database.url });
    expect((await stat(path.join(folder, "postgres"))).mode & 0o777).toBe(0o700);
    const [, , , port, sockets, addresses] = (
      await readFile(path.join(folder, "postgres", "postmaster.pid"), "utf8")
    ).split("\n");
    expect({ port, sockets, addresses }).toEqual({ port: String(database.port), sockets: "", addresses: "127.0.0.1" });
    const wrong = new URL(database.url);
    wrong.password = "wrong";
    await expect(query(wrong.href, "SELECT 1")).rejects.toThrow(/password authentication failed/);
  });

  test("lets the loader read tables and everybody's activity, and do nothing else", async () => {
    await using database = await startIn(folder);
    await query(database.ownerUrl, "CREATE TABLE IF NOT EXISTS later (id integer GENERATED ALWAYS AS IDENTITY)");
    expect(await query(database.url, "SELECT * FROM later")).toEqual([]);
    expect(await query(database.url, "SELECT last_value::integer FROM later_id_seq")).toEqual([{ last_value: 1 }]);
    for (const forbidden of [
      "INSERT INTO kept VALUES (1)",
      "UPDATE kept SET id = 1",
      "DELETE FROM kept",
      "TRUNCATE kept",
      "CREATE TABLE mine (id integer)",
      "CREATE TEMPORARY TABLE mine (id integer)",
      "CREATE SCHEMA mine",
      "SELECT nextval('later_id_seq')",
      "COPY kept TO PROGRAM 'true'",
    ]) {
      await expect(query(database.url, forbidden), forbidden).rejects.toThrow(/permission denied/);
    }
    const [rights] = await query(
      database.url,
      `SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
         (SELECT array_agg(roleid::regrole::text) FROM pg_auth_members WHERE member = pg_roles.oid) AS memberships
       FROM pg_roles WHERE rolname = current_user`,
    );
    expect(rights).toEqual({
      rolsuper: false,
      rolcreatedb: false,
      rolcreaterole: false,
      rolreplication: false,
      rolbypassrls: false,
      memberships: ["pg_read_all_stats"],
    });
  });

  test("is refused to a second demo, from this process or another", async () => {
    await using database = await startIn(folder);
    await expect(startIn(folder)).rejects.toMatchObject({
      code: "DEMO_RUNNING",
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await expect(holdInAnotherProcess(folder)).rejects.toThrow(/DEMO_RUNNING/);
    expect(await query(database.url, "SELECT id FROM kept")).toEqual([{ id: 7 }]);
  });

  test("after kill -9 of the demo the server ends by itself, and the next start finds all that was committed", async () => {
    const { child, serverPid } = await holdInAnotherProcess(folder);
    child.kill("SIGKILL");
    await endOf(child);
    await until(async () => (await processesOf(folder)).length === 0);
    expect(await readdir(path.join(folder, "postgres"))).not.toContain("postmaster.pid");

    await using database = await startIn(folder);
    expect(database.pid).not.toBe(serverPid);
    expect(await query(database.url, "SELECT id FROM kept")).toEqual([{ id: 7 }]);
  });

  test("stops a server that was left behind before it starts its own", async () => {
    const { child, serverPid } = await holdInAnotherProcess(folder);
    const watchdog = (await processesOf(folder)).find((pid) => pid !== serverPid);
    process.kill(watchdog ?? Number.NaN, "SIGKILL");
    child.kill("SIGKILL");
    await endOf(child);
    expect(lives(serverPid)).toBe(true);

    const said: string[] = [];
    await using database = await startDemoDatabase({ folder, log: (line) => said.push(line), signal: never });
    expect(said).toEqual([expect.stringContaining("left behind")]);
    expect(await query(database.url, "SELECT id FROM kept")).toEqual([{ id: 7 }]);
    expect(await processesOf(folder)).not.toContain(serverPid);
  });

  test("recovers after kill -9 of the server, and says when it ended", async () => {
    const database = await startIn(folder);
    process.kill(database.pid, "SIGKILL");
    await database.ended;
    await database.stop();
    expect(await readdir(path.join(folder, "postgres"))).toContain("postmaster.pid");

    await using again = await startIn(folder);
    expect(await query(again.url, "SELECT id FROM kept")).toEqual([{ id: 7 }]);
  });

  test("neither stops nor is stopped by an unrelated process that got the number of its old server", async () => {
    const pidFile = path.join(folder, "postgres", "postmaster.pid");
    await writeFile(pidFile, `${process.pid}\n${path.join(folder, "postgres")}\n1\n5432\n\n127.0.0.1\n0 0\nready   \n`);
    await using database = await startIn(folder);
    expect(await query(database.url, "SELECT id FROM kept")).toEqual([{ id: 7 }]);
  });

  test("takes another port when its own is taken, except when it was asked for that one", async () => {
    await using blocker = await listen();
    await expect(startIn(folder, blocker.port)).rejects.toMatchObject({
      code: "PORT_IN_USE",
      message: expect.stringContaining(String(blocker.port)),
    });
    const file = path.join(folder, "postgres.json");
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), port: blocker.port }));
    await using database = await startIn(folder);
    expect(database.port).not.toBe(blocker.port);
    expect(await query(database.url, "SELECT id FROM kept")).toEqual([{ id: 7 }]);
  });

  test("says what to do when its passwords are lost", async () => {
    const file = path.join(folder, "postgres.json");
    const text = await readFile(file, "utf8");
    await rm(file);
    await expect(startIn(folder)).rejects.toMatchObject({
      code: "DEMO_FOLDER_INVALID",
      remedy: expect.stringContaining("Delete the folder"),
    });
    await writeFile(file, text, { mode: 0o600 });
  });

  test("says what to do when another version of PostgreSQL made it", async () => {
    const file = path.join(folder, "postgres", "PG_VERSION");
    await writeFile(file, "17\n");
    await expect(startIn(folder)).rejects.toMatchObject({
      code: "DEMO_FOLDER_INVALID",
      message: expect.stringContaining("PostgreSQL 17"),
    });
    await writeFile(file, "18\n");
  });

  test("shows the server's own words when it does not start", async () => {
    const file = path.join(folder, "postgres", "global", "pg_control");
    const control = await readFile(file);
    await writeFile(file, control.subarray(0, 100));
    await expect(startIn(folder)).rejects.toMatchObject({
      code: "DEMO_SERVER_FAILED",
      message: expect.stringContaining("pg_control"),
      remedy: expect.stringContaining("postgres.log"),
    });
    await writeFile(file, control);
    await using database = await startIn(folder);
    expect(await query(database.url, "SELECT id FROM kept")).toEqual([{ id: 7 }]);
  });
});

test("a first start that was stopped half-way leaves nothing that hinders the next", async () => {
  await using folder = await temporaryFolder();
  const stopping = new AbortController();
  const started = startDemoDatabase({
    folder: folder.path,
    log: () => setTimeout(() => stopping.abort(new Error("enough")), 150),
    signal: stopping.signal,
  });
  await expect(started).rejects.toThrow("enough");
  expect(await processesOf(folder.path)).toEqual([]);
  await using database = await startIn(folder.path);
  expect(await query(database.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("a folder that cannot be written is named, with what to do", async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, "file");
  await writeFile(file, "");
  await expect(startIn(path.join(file, "demo"))).rejects.toMatchObject({
    code: "FOLDER_NOT_WRITABLE",
    message: expect.stringContaining(path.join(file, "demo")),
    remedy: expect.stringContaining("--dir"),
  });
});

test("a folder in which something stands in the way is named too", async () => {
  await using folder = await temporaryFolder();
  await mkdir(path.join(folder.path, "postgres.json.new"));
  await expect(startIn(folder.path)).rejects.toMatchObject({
    code: "FOLDER_NOT_WRITABLE",
    message: expect.stringContaining(folder.path),
  });
});

test.runIf(process.getuid?.() === 0)(
  "root leaves a normal user's folder so that the user can go on with it",
  async () => {
    await using parent = await temporaryFolder();
    const folder = path.join(parent.path, "demo");
    const user = { uid: 1, gid: 1 };
    await mkdir(folder);
    await chown(folder, user.uid, user.gid);
    {
      await using database = await startIn(folder);
      await query(database.ownerUrl, "CREATE TABLE kept ()");
    }
    for (const name of await readdir(folder)) expect((await stat(path.join(folder, name))).uid, name).toBe(user.uid);
  },
);

async function listen(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Processes whose command line names the folder: the server and its watchdog (the server's own children carry other titles). */
async function processesOf(folder: string): Promise<number[]> {
  const { stdout } = await execute("ps", ["-eww", "-o", "pid=,command="]);
  return stdout
    .split("\n")
    .filter((line) => line.includes(folder) && !line.includes("hold-demo"))
    .map((line) => Number.parseInt(line, 10));
}
