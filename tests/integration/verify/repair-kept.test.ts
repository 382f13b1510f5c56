/** A repair keeps what the settings keep: rows that the source has deleted, marked or not; and what it deletes is written down. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../runtime/config/config.ts";
import { EventBus } from "../../../runtime/core/events.ts";
import { runVerification } from "../../../runtime/schedule/run-verification.ts";
import { Store } from "../../../runtime/store/store.ts";
import { createProject, WAREHOUSES, type Project } from "../../support/project.ts";

const ROWS = 1000;
const numbered = (sync: string) => ({
  source: `CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, ${ROWS}) i`,
  tables: tableOf("integer", sync),
});
const worded = (sync: string) => ({
  source: `CREATE TABLE t (id text PRIMARY KEY, note text); INSERT INTO t SELECT 'k' || i, 'row ' || i FROM generate_series(1, ${ROWS}) i`,
  tables: tableOf("text", sync),
});
const tableOf = (type: string, sync: string) => `- name: t
  config: {meta: {primary_key: [id], sync: {${sync}}}}
  columns:
    - {name: id, data_type: ${type}}
    - {name: note, data_type: text}
`;

async function verify({ environment }: Project, repair = false) {
  const config = loadConfig({ environment });
  using store = Store.open({ folder: config.stateDir });
  const events = new EventBus();
  events.subscribe((event) => event.batchId > 0 && store.record(event));
  return await runVerification({ config, store, events, signal: new AbortController().signal, repair });
}

async function load(project: Project): Promise<void> {
  expect(await project.run()).toMatchObject({ status: "success" });
}

function edit({ projectDir }: Project, from: string, to: string): void {
  const file = join(projectDir, "models/manifest.yml");
  const text = readFileSync(file, "utf8");
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

describe.each(WAREHOUSES)("in %s", { timeout: 120_000 }, (warehouse) => {
  it.each(["mode: incremental, detect: scan, deletes: ignore", "mode: append, detect: scan"])(
    "rows that %s keeps stay",
    async (sync) => {
      await using project = await createProject(warehouse, numbered(sync));
      await load(project);
      await project.database.query("DELETE FROM t WHERE id <= 900");
      await project.ask("update stage.t set note = 'wrong' where id = 950");
      expect(await verify(project, true)).toMatchObject({
        equal: true,
        repair: { tables: [{ inserted: 0, updated: 1, deleted: 0 }] },
      });
      expect(await project.ask("select count(*) from stage.t")).toEqual([[String(ROWS)]]);
    },
  );

  it("soft-deleted rows stay, however many rows differ", async () => {
    await using project = await createProject(warehouse, worded("mode: incremental, detect: scan, deletes: soft"));
    await load(project);
    await project.database.query("DELETE FROM t WHERE id IN ('k1', 'k2', 'k3')");
    await load(project);
    await project.ask("update stage.t set note = 'wrong' where id like 'k5%' or id like 'k6%'");
    expect(await verify(project, true)).toMatchObject({ equal: true, repair: { tables: [{ updated: 222 }] } });
    expect(await project.ask("select count(*), count(_deleted_at) from stage.t")).toEqual([[String(ROWS), "3"]]);
  });

  it("what is deleted is written down, however much it is", async () => {
    const sync = "mode: incremental, detect: scan, deletes: hard, delete_check: verify";
    await using project = await createProject(warehouse, worded(sync));
    await load(project);
    await project.database.query(
      "DELETE FROM t WHERE id LIKE 'k5%' OR id LIKE 'k6%'; UPDATE t SET note = 'x' WHERE id = 'k1'",
    );
    await load(project);
    expect(await verify(project, true)).toMatchObject({ equal: true, repair: { tables: [{ deleted: 222 }] } });
    expect(await project.ask("select count(*) from pipeline.deleted_keys")).toEqual([["222"]]);
    expect(await project.ask("select count(*) from stage.t where _batch_id = 1")).toEqual([[String(ROWS - 223)]]);
  });

  it("a row that came back while deleted ones were ignored is not marked any more", async () => {
    await using project = await createProject(warehouse, numbered("mode: incremental, detect: scan, deletes: soft"));
    await load(project);
    await project.database.query("DELETE FROM t WHERE id = 7");
    await load(project);
    edit(project, "deletes: soft", "deletes: ignore");
    await project.database.query("INSERT INTO t VALUES (7, 'row 7')");
    await load(project);
    edit(project, "deletes: ignore", "deletes: soft");
    await load(project);
    expect(await project.ask("select id, _deleted_at from stage.t where id = 7")).toEqual([["7", null]]);
    expect(await verify(project)).toMatchObject({ equal: true });
  });

  it("rows that stand there twice: replaced, and refused where that would lose rows", async () => {
    await using project = await createProject(warehouse, numbered("mode: incremental, detect: scan, deletes: hard"));
    await load(project);
    const twice =
      "insert into stage.t (id, note, _synced_at, _batch_id) select id, note, _synced_at, _batch_id from stage.t where id <= 2";
    await project.ask(twice);
    expect(await verify(project, true)).toMatchObject({ equal: true, tables: [{ rows_stage: ROWS }] });
    edit(project, "deletes: hard", "deletes: ignore");
    await load(project);
    await project.ask(twice);
    await expect(verify(project, true)).rejects.toMatchObject({ code: "VERIFY_NOT_REPAIRABLE" });
    expect(await project.ask("select count(*) from stage.t")).toEqual([[String(ROWS + 2)]]);
  });
});

it("a row that stands there twice is one again when it changes, with what a column holds that the manifest lacks", async () => {
  await using project = await createProject("duckdb", numbered("mode: incremental, detect: scan"));
  await load(project);
  await project.ask("alter table stage.t add column extra text");
  await project.ask("update stage.t set extra = 'kept'");
  await project.ask("insert into stage.t select * from stage.t where id = 2");
  await project.database.query("UPDATE t SET note = 'new' WHERE id = 2");
  expect((await project.run()).tables).toMatchObject([{ inserted: 0, updated: 1, deleted: 1, rows_total: ROWS }]);
  expect(await project.ask("select note, extra from stage.t where id = 2")).toEqual([["new", "kept"]]);
});
