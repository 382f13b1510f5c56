import { once } from "node:events";
import { mkdir, mkdtempDisposable, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { acquireBatchLock } from "../../../runtime/schedule/batch-lock.ts";
import { runCommand, startCommand } from "../../support/command.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const MANIFEST = `version: 2
sources:
  - name: stage
    tables:
      - name: sales
        config: {meta: {primary_key: [id], sync: {mode: incremental, cursor: changed}}}
        columns:
          - {name: id, data_type: integer}
          - {name: changed, data_type: timestamp_ltz}
`;
const SALES = "CREATE TABLE sales (id int PRIMARY KEY, changed timestamptz); INSERT INTO sales VALUES (1, now())";

interface Document {
  readonly ok: boolean;
  readonly checks: readonly { area: string; check: string; status: string; detail: string; remedy?: string }[];
}

/** A folder with a project in it; and the environment that points there. */
async function project(manifest = MANIFEST) {
  const folder = await mkdtempDisposable(join(tmpdir(), "novadrive-doctor-"));
  await mkdir(join(folder.path, "sql/models"), { recursive: true });
  await writeFile(join(folder.path, "sql/dbt_project.yml"), "name: shop\nversion: '1.0'\nmodel-paths: [models]\n");
  await writeFile(join(folder.path, "sql/models/manifest.yml"), manifest);
  const environment = {
    NOVADRIVE_PROJECT_DIR: join(folder.path, "sql"),
    NOVADRIVE_STATE_DIR: join(folder.path, "state"),
    NOVADRIVE_WAREHOUSE_URL: `duckdb:${join(folder.path, "w.duckdb")}`,
  };
  return Object.assign(folder, { environment });
}

const failures = ({ checks }: Document) => checks.filter(({ status }) => status === "failed");

describe("novadrive doctor", () => {
  it("finds nothing wrong where a batch succeeds, and changes nothing", async () => {
    await using db = await createTestDatabase();
    await db.query(SALES);
    await using place = await project();
    const environment = { ...place.environment, NOVADRIVE_SOURCE_URL: db.url };
    const { status, stdout, stderr } = await runCommand(["doctor"], { environment });
    expect(status, stdout + stderr).toBe(0);
    for (const title of ["This machine", "Project", "Source", "Warehouse"]) expect(stdout).toContain(`${title}\n`);
    expect(stdout).toMatch(/✓ table sales +public\.sales: 2 columns; incremental; key id; cursor changed/);
    expect(stdout).toMatch(/\d+ ok\n$/);
    expect(await readdir(place.path)).toEqual(["sql"]);

    const batch = await runCommand(["run", "--json"], { environment });
    expect(batch.status, batch.stderr).toBe(0);
    const after = await runCommand(["doctor", "--json"], { environment });
    const document: Document = JSON.parse(after.stdout);
    expect(failures(document)).toEqual([]);
    expect(document.ok).toBe(true);
    expect(document.checks.find(({ check }) => check === "batches")?.detail).toContain("is 1.");
    expect(document.checks.find(({ check }) => check === "stage sales")?.detail).toBe("Agrees with the manifest.");
  });

  it("checks everything, whatever fails, and exits 1", async () => {
    await using place = await project(
      MANIFEST.replace("cursor: changed", "cursor: chnged").replace("data_type: integer", "data_type: integr"),
    );
    const { status, stdout } = await runCommand(["doctor", "--json", "--schedule", "every day"], {
      environment: { ...place.environment, NOVADRIVE_SOURCE_URL: "postgres://me:s3cret-word@127.0.0.1:1/x" },
    });
    expect(status).toBe(1);
    const document: Document = JSON.parse(stdout);
    expect(document.ok).toBe(false);
    expect(failures(document)).toMatchObject([
      { area: "machine", check: "settings", detail: expect.stringContaining("--schedule") },
      { area: "project", check: "manifest", detail: expect.stringMatching(/manifest\.yml:\d+:\d+ .*integr/) },
      { area: "project", check: "manifest", detail: expect.stringMatching(/manifest\.yml:\d+:\d+ .*chnged/) },
      { area: "source", check: "connection", detail: expect.stringContaining("127.0.0.1:1/x as me") },
    ]);
    expect(document.checks.filter(({ area }) => area === "warehouse")).toMatchObject([
      { check: "warehouse", status: "ok" },
      { check: "disk" },
    ]);
    for (const { status: one, remedy } of document.checks) expect(remedy === undefined).toBe(one === "ok");
    expect(stdout).not.toContain("s3cret-word");
  });

  it("says what is not set, and asks nobody with a setting that is not valid", async () => {
    await using place = await project();
    const unset: Document = JSON.parse((await runCommand(["doctor", "--json"], place)).stdout);
    expect(failures(unset)).toMatchObject([
      { area: "source", detail: expect.stringContaining("NOVADRIVE_SOURCE_URL is not set") },
    ]);
    const environment = {
      ...place.environment,
      NOVADRIVE_SOURCE_URL: "mysql://me:s3cret-word@db/x",
      NOVADRIVE_WAREHOUSE_URL: "oracle:x",
    };
    const invalid = await runCommand(["doctor", "--json"], { environment, cwd: place.path });
    expect(failures(JSON.parse(invalid.stdout)).map(({ area, check }) => [area, check])).toEqual([
      ["machine", "settings"],
      ["machine", "settings"],
      ["source", "connection"],
      ["warehouse", "connection"],
    ]);
    expect(invalid.stdout).not.toContain("s3cret-word");
  });

  it("tells of a batch that is running, which is no failure", async () => {
    await using place = await project();
    using _lock = acquireBatchLock(place.environment.NOVADRIVE_STATE_DIR);
    const { stdout } = await runCommand(["doctor"], place);
    expect(stdout).toMatch(new RegExp(`! batch lock +A batch is running in process ${process.pid}`));
  });

  it("says 2 and what is right for wrong usage", async () => {
    const { status, stdout, stderr } = await runCommand(["doctor", "--jsn"]);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("--json");
  });

  it("stops at Ctrl-C, whatever it waits for", async () => {
    await using place = await project();
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const environment = {
        ...place.environment,
        NOVADRIVE_SOURCE_URL: `postgres://me:s3cret-word@127.0.0.1:${port}/x`,
      };
      const connected = once(server, "connection");
      await using command = startCommand(["doctor"], { environment });
      await Promise.all([command.output(/Project/), connected]);
      command.process.kill("SIGINT");
      const { status, signal, stdout, stderr } = await command.ended;
      expect([status, signal]).toEqual([1, null]);
      expect(stderr).toContain("BATCH_CANCELLED");
      expect(stdout).not.toContain("Warehouse");
      expect(stdout + stderr).not.toContain("s3cret-word");
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  it("has no manifest to check tables against, and checks the rest", async () => {
    await using db = await createTestDatabase();
    await using place = await project();
    const environment = {
      ...place.environment,
      NOVADRIVE_SOURCE_URL: db.url,
      NOVADRIVE_PROJECT_DIR: join(place.path, "elsewhere"),
    };
    const document: Document = JSON.parse((await runCommand(["doctor", "--json"], { environment })).stdout);
    expect(failures(document).map(({ check }) => check)).toEqual(["manifest", "models"]);
    expect(document.checks.map(({ check }) => check)).toContain("open transactions");
    expect(await readFile(join(place.path, "sql/models/manifest.yml"), "utf8")).toBe(MANIFEST);
  });
});
