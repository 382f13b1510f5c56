import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../support/command.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const RENTAL = await readFile(join(import.meta.dirname, "../../support/schemas/rental.sql"), "utf8");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "novadrive-introspect-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("novadrive introspect", () => {
  it("writes a project for a database that it has never seen, and that project loads", async () => {
    await using db = await createTestDatabase();
    await db.query(RENTAL);
    const environment = {
      NOVADRIVE_SOURCE_URL: db.url,
      NOVADRIVE_PROJECT_DIR: join(folder, "project"),
      NOVADRIVE_STATE_DIR: join(folder, "state"),
      NOVADRIVE_WAREHOUSE_URL: `duckdb:${join(folder, "warehouse.duckdb")}`,
    };
    const look = await runCommand(["introspect"], { environment });
    expect(look.status, look.stderr).toBe(0);
    expect(look.stdout).toContain("+ film: a table that the manifest lacks");
    const written = await runCommand(["introspect", "--write"], { environment });
    expect(written.status, written.stderr).toBe(0);
    const again = await runCommand(["introspect"], { environment });
    expect(again.stdout).toContain("agrees with the source");

    const batch = await runCommand(["run", "--json"], { environment });
    expect(batch.status, batch.stderr).toBe(0);
    const result = JSON.parse(batch.stdout);
    expect(result.tables.length).toBeGreaterThanOrEqual(15);
    for (const table of result.tables) {
      const [row] = await db.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${table.name}`);
      expect(table, table.name).toMatchObject({ status: "success", inserted: row?.rows });
    }

    await db.query(
      "ALTER TABLE film ADD COLUMN rated_by text; CREATE TABLE coupon (id uuid PRIMARY KEY, updated_at timestamptz)",
    );
    const drift = await runCommand(["introspect", "--json"], { environment });
    expect(JSON.parse(drift.stdout)).toMatchObject({
      differences: [
        { kind: "column_new", table: "film", column: "rated_by" },
        { kind: "table_new", table: "coupon" },
      ],
      written: null,
    });
    await runCommand(["introspect", "--write"], { environment });
    const after = await runCommand(["run", "--json"], { environment });
    expect(after.status, after.stderr).toBe(0);
    expect(JSON.parse(after.stdout).tables).toHaveLength(result.tables.length + 1);
  });

  it("keeps what people wrote, and says so when there is nothing to add", async () => {
    await using db = await createTestDatabase();
    await db.query("CREATE TABLE t (id int PRIMARY KEY, name text)");
    const environment = { NOVADRIVE_SOURCE_URL: db.url, NOVADRIVE_PROJECT_DIR: join(folder, "own") };
    await runCommand(["introspect", "--write"], { environment });
    const file = join(folder, "own/models/manifest.yml");
    const commented = (await readFile(file, "utf8")).replace("tables:", "tables: # ours");
    await writeFile(file, commented);
    const { stdout } = await runCommand(["introspect", "--write"], { environment });
    expect(stdout).toContain("agrees with the source");
    expect(await readFile(file, "utf8")).toBe(commented);
  });

  it("names the schema that has no tables", async () => {
    await using db = await createTestDatabase();
    const { status, stderr } = await runCommand(["introspect", "--schema", "nowhere"], {
      environment: { NOVADRIVE_SOURCE_URL: db.url },
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain("nowhere");
  });
});
