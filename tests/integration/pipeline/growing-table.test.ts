/** A table that grows past the size up to which it is scanned: its changes are found by its cursor from then on, and that is told, once. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { othersAreDone } from "../../support/others-are-done.ts";
import { createProject, WAREHOUSES } from "../../support/project.ts";

const SETTINGS = {
  source: `CREATE TABLE t (id int PRIMARY KEY, note text, changed timestamptz DEFAULT now()); CREATE INDEX ON t (changed);
    INSERT INTO t SELECT i, 'first' FROM generate_series(1, 20) i`,
  tables: `- name: t
  config: {meta: {primary_key: [id], sync: {mode: incremental, cursor: changed}}}
  columns:
    - {name: id, data_type: integer}
    - {name: note, data_type: text}
    - {name: changed, data_type: timestamp_ltz}
`,
};
const grow = (rows: number) => `UPDATE pg_class SET reltuples = ${rows} WHERE oid = 't'::regclass`;

it.each(WAREHOUSES)("into %s: told by the batch in which it happens", async (warehouse) => {
  await using project = await createProject(warehouse, SETTINGS);
  const { database } = project;
  let id = 100;
  const batch = async () => {
    await database.query(`INSERT INTO t VALUES (${(id += 1)}, 'new')`);
    await othersAreDone(database);
    const result = await project.run();
    expect(result.status).toBe("success");
    return result.warnings;
  };
  expect(await batch()).toBeUndefined();
  expect(await batch()).toBeUndefined();
  await database.query(grow(2_100_000));
  expect(await batch()).toMatchObject([
    {
      kind: "detection_changed",
      table: "t",
      message: expect.stringContaining("found by its cursor changed"),
      remedy: expect.stringContaining("detect: scan"),
    },
  ]);
  expect(await batch()).toBeUndefined();
  // A scan misses nothing, so there is nothing to tell.
  await database.query(grow(20));
  expect(await batch()).toBeUndefined();
  await database.query(grow(2_100_000));
  expect(await batch()).toHaveLength(1);

  // The remedy: it is scanned again, from where the last scan had come to.
  await database.query("UPDATE t SET note = 'unseen', changed = '2020-01-01' WHERE id = 5");
  expect(await batch()).toBeUndefined();
  const unseen = "select count(*) from stage.t where note = 'unseen'";
  expect(await project.ask(unseen)).toEqual([["0"]]);
  const file = join(project.projectDir, "models/manifest.yml");
  await writeFile(file, (await readFile(file, "utf8")).replace("cursor: changed", "cursor: changed, detect: scan"));
  expect(await batch()).toBeUndefined();
  expect(await project.ask(unseen)).toEqual([["1"]]);
});
