/** `delete_check: verify`: batches leave rows that the source has deleted, a verification tells them as such, and a repair removes them. */
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../runtime/config/config.ts";
import { EventBus } from "../../../runtime/core/events.ts";
import { runVerification } from "../../../runtime/schedule/run-verification.ts";
import { Store } from "../../../runtime/store/store.ts";
import { createProject, WAREHOUSES, type Project } from "../../support/project.ts";

const deferring = (deletes: string) => ({
  source: `CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 1000) i`,
  tables: `- name: t
  config: {meta: {primary_key: [id], sync: {mode: incremental, detect: scan, deletes: ${deletes}, delete_check: verify}}}
  columns:
    - {name: id, data_type: integer}
    - {name: note, data_type: text}
`,
});

/** The verification, and what is kept of it. */
async function verify({ environment }: Project, repair = false) {
  const config = loadConfig({ environment });
  using store = Store.open({ folder: config.stateDir });
  const events = new EventBus();
  events.subscribe((event) => event.batchId > 0 && store.record(event));
  const result = await runVerification({ config, store, events, signal: new AbortController().signal, repair });
  return { result, kept: store.verifications() };
}

async function load(project: Project): Promise<void> {
  expect(await project.run()).toMatchObject({ status: "success" });
}

const told = (keys: readonly number[]) => ({
  equal: false,
  deletes_deferred: keys.length,
  differences: keys.map((key) => ({ key_from: key, key_to: key, columns: ["id", "note"] })),
  keys: keys.map((key) => ({ key, is: "extra", columns: ["id", "note"] })),
});

describe.each(WAREHOUSES)("in %s", { timeout: 120_000 }, (warehouse) => {
  it("deletes are told at the next verification, and removed and written down by a repair", async () => {
    await using project = await createProject(warehouse, deferring("hard"));
    await load(project);
    expect((await verify(project)).result).toMatchObject({ equal: true });
    await project.database.query("DELETE FROM t WHERE id IN (5, 500)");
    // No batch will look for it, so it is told before the next one as after it, whatever that one finds.
    expect((await verify(project)).result).toMatchObject({ equal: false, tables: [told([5, 500])] });
    await load(project);
    expect((await verify(project)).result).toMatchObject({ equal: false, tables: [told([5, 500])] });
    await project.database.query("UPDATE t SET note = 'x' WHERE id = 6; DELETE FROM t WHERE id = 700");
    await load(project);
    const found = await verify(project);
    expect(found.result).toMatchObject({ equal: false, tables: [told([5, 500, 700])] });
    expect(found.kept).toMatchObject([{ name: "t", equal: false, deletes_deferred: 3 }]);

    const repaired = await verify(project, true);
    expect(repaired.result).toMatchObject({
      equal: true,
      repair: { found: [told([5, 500, 700])], tables: [{ inserted: 0, updated: 0, deleted: 3 }] },
    });
    expect(repaired.result.tables[0]).not.toHaveProperty("deletes_deferred");
    expect(repaired.kept).toMatchObject([{ name: "t", equal: true, deletes_deferred: 0 }]);
    expect(await project.ask("select count(*) from stage.t")).toEqual([["997"]]);
    const gone = "select parse_json(key)[0]::integer from pipeline.deleted_keys order by 1";
    expect(await project.ask(gone)).toEqual([["5"], ["500"], ["700"]]);
  });

  it("rows that are to be marked count until a repair marks them", async () => {
    await using project = await createProject(warehouse, deferring("soft"));
    await load(project);
    await project.database.query("DELETE FROM t WHERE id = 7");
    await load(project);
    expect((await verify(project)).result).toMatchObject({ tables: [told([7])] });
    expect((await verify(project, true)).result).toMatchObject({ equal: true });
    expect(await project.ask("select id from stage.t where _deleted_at is not null")).toEqual([["7"]]);
  });

  it("a row that was never in the source is not counted among them as long as the count tells", async () => {
    await using project = await createProject(warehouse, deferring("hard"));
    await load(project);
    await project.ask("insert into stage.t (id, _synced_at, _batch_id) values (5000, current_timestamp(), 1)");
    const { result } = await verify(project);
    expect(result.tables).toMatchObject([{ equal: false, keys: [{ key: 5000, is: "extra" }] }]);
    expect(result.tables[0]).not.toHaveProperty("deletes_deferred");
  });
});
