/** Values that a column's type cannot hold, where the manifest lets them through: what is loaded instead, and that it is counted and told. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../runtime/config/config.ts";
import { EventBus } from "../../../runtime/core/events.ts";
import { runVerification } from "../../../runtime/schedule/run-verification.ts";
import { Store } from "../../../runtime/store/store.ts";
import { createProject, WAREHOUSES, type Project } from "../../support/project.ts";

const SOURCE = `
  CREATE TABLE prices (id int PRIMARY KEY, price numeric, paid numeric(10,2), at timestamptz, day date, clock time, note text, doc json);
  INSERT INTO prices VALUES
    (1, 1.10, 2.20, '2024-01-01 00:00:00+00', '2024-01-01', '12:00', 'ok', '{"a": 1}'),
    (2, 'NaN', 'NaN', 'infinity', '0044-03-15 BC', '24:00', 'longer than ten', '{"a": 1, "a": 2}'),
    (3, 12.345, NULL, '-infinity', 'infinity', NULL, 'également', '{"n": 1e400}'),
    (4, '-Infinity', 0, '0044-03-15 00:00:00+00 BC', '10000-01-01', '00:00', NULL, NULL),
    (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`;

const tables = (policy: string, types: Readonly<Record<string, string>>): string => `
- name: prices
  config: {meta: {primary_key: [id], sync: {mode: full_refresh}}}
  columns:
    - {name: id, data_type: integer}
${Object.entries(types)
  .map(([name, type]) => `    - {name: ${name}, data_type: "${type}", config: {meta: {on_misfit: ${policy}}}}`)
  .join("\n")}
`;

const TYPED = {
  price: "decimal(10,2)",
  paid: "decimal(10,2)",
  at: "timestamp_ltz",
  day: "date",
  clock: "time",
  note: "varchar(10)",
  doc: "variant",
};

async function verify({ environment }: Project) {
  const config = loadConfig({ environment });
  using store = Store.open({ folder: config.stateDir });
  const { signal } = new AbortController();
  return await runVerification({ config, store, events: new EventBus(), signal, repair: false });
}

describe.each(WAREHOUSES)("on %s", (warehouse) => {
  it("on_misfit: null loads NULL, counts it by column, and says so in the log and the history", async () => {
    await using project = await createProject(warehouse, { source: SOURCE, tables: tables("null", TYPED) });
    const misfits = { price: 3, paid: 1, at: 3, day: 3, clock: 1, note: 1, doc: 2 };
    const result = await project.run();
    expect(result.error).toBeUndefined();
    expect(result.tables).toMatchObject([{ rows_read: 5, inserted: 5, misfits }]);
    expect(await project.ask("SELECT * EXCLUDE (_synced_at, _batch_id) FROM stage.prices ORDER BY id")).toEqual([
      ["1", "1.10", "2.20", "2024-01-01 00:00:00.000000+00", "2024-01-01", "12:00:00.000000", "ok", '{"a":1}'],
      ["2", null, null, null, null, null, null, null],
      ["3", null, null, null, null, null, "également", null],
      ["4", null, "0.00", null, null, "00:00:00.000000", null, null],
      ["5", null, null, null, null, null, null, null],
    ]);
    expect(await verify(project)).toMatchObject({ equal: true });
    using store = Store.open({ folder: project.stateDir });
    expect(store.batch(1)?.tables[0]).toMatchObject({ misfits });
    const warnings = store.logs(1, { task: "prices", limit: 100 }).filter(({ level }) => level === "warn");
    expect(warnings.map(({ message }) => message)).toContain(
      "3 values of price do not fit NUMBER(10,2), and are NULL in the warehouse (on_misfit: null)",
    );
    expect(warnings).toHaveLength(Object.keys(misfits).length);
    expect(store.tables()[0]).toMatchObject({ misfits });
  });

  it("on_misfit: text keeps every value as PostgreSQL writes it, and counts what no other type could hold", async () => {
    const columns = ["price", "paid", "at", "day", "clock", "note", "doc"];
    const types = Object.fromEntries(columns.map((name) => [name, "text"]));
    await using project = await createProject(warehouse, { source: SOURCE, tables: tables("text", types) });
    const result = await project.run();
    expect(result.error).toBeUndefined();
    expect(result.tables).toMatchObject([
      { rows_read: 5, misfits: { price: 2, paid: 1, at: 3, day: 3, clock: 1, doc: 2 } },
    ]);
    const rows = await project.ask("SELECT * EXCLUDE (_synced_at, _batch_id) FROM stage.prices ORDER BY id");
    const wanted = await project.database.query(
      `SET TimeZone = UTC; SELECT id::text, ${columns.map((name) => `${name}::text`).join(", ")} FROM prices ORDER BY id`,
    );
    expect(rows).toEqual(wanted.map((row) => Object.values(row)));
    expect(await verify(project)).toMatchObject({ equal: true });
  });

  it("a table without a misfit has no such figure, and a policy that is taken back fails again", async () => {
    await using project = await createProject(warehouse, {
      source: SOURCE,
      tables: tables("null", { paid: "decimal(10,2)" }),
    });
    expect((await project.run()).tables[0]?.misfits).toEqual({ paid: 1 });
    await project.database.query("UPDATE prices SET paid = 1 WHERE id = 2");
    expect((await project.run()).tables[0]).not.toHaveProperty("misfits");
    const file = join(project.projectDir, "models/manifest.yml");
    await writeFile(file, (await readFile(file, "utf8")).replace("on_misfit: null", "on_misfit: fail"));
    await project.database.query("UPDATE prices SET paid = 'NaN' WHERE id = 3");
    const { error } = await project.run();
    expect(error).toMatchObject({
      code: "SOURCE_VALUE_INVALID",
      details: { table: "prices", column: "paid", key: ["3"] },
    });
    expect(await project.ask("SELECT id, paid FROM stage.prices WHERE paid IS NOT NULL ORDER BY id")).toEqual([
      ["1", "2.20"],
      ["2", "1.00"],
      ["4", "0.00"],
    ]);
  });
});

it("readers count together what each of them has seen", async () => {
  await using project = await createProject("duckdb", {
    source: `CREATE TABLE prices (id int PRIMARY KEY, price numeric, pad text);
      INSERT INTO prices SELECT i, CASE WHEN i % 100 = 0 THEN 'NaN'::numeric ELSE i END, repeat('x', 900) FROM generate_series(1, 20000) i; ANALYZE prices`,
    tables: tables("null", { price: "decimal(10,2)", pad: "text" }),
  });
  expect((await project.run()).tables[0]).toMatchObject({ rows_read: 20_000, misfits: { price: 200 } });
});
