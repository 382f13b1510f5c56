/** A repair on a warehouse where statements cost money: what differs is loaded anew in a batch, and nothing else is. */
import { expect, it } from "vitest";
import { loadConfig } from "../../../runtime/config/config.ts";
import { EventBus } from "../../../runtime/core/events.ts";
import { runVerification } from "../../../runtime/schedule/run-verification.ts";
import { Store } from "../../../runtime/store/store.ts";
import { createSnowflakeProject, type SnowflakeProject } from "../../support/project.ts";

const TABLES = `
- name: sales
  config: {meta: {primary_key: [id], sync: {mode: incremental, cursor: updated_at, deletes: hard}}}
  columns:
    - {name: id, data_type: integer}
    - {name: price, data_type: "decimal(10,2)"}
    - {name: updated_at, data_type: timestamp_ltz}
- name: cars
  config: {meta: {primary_key: [id], sync: {mode: full_refresh}}}
  columns:
    - {name: id, data_type: integer}
    - {name: ratio, data_type: float}
`;
const SOURCE = `
  CREATE TABLE sales (id int PRIMARY KEY, price numeric(10,2), updated_at timestamptz);
  INSERT INTO sales SELECT i, i, '2026-01-01 00:00+00' FROM generate_series(1, 50) i;
  CREATE TABLE cars (id int PRIMARY KEY, ratio float8);
  INSERT INTO cars SELECT i, i / 3.0 FROM generate_series(1, 20) i`;

async function verify({ environment }: SnowflakeProject, repair: boolean) {
  const config = loadConfig({ environment });
  using store = Store.open({ folder: config.stateDir });
  const events = new EventBus();
  events.subscribe((event) => event.batchId > 0 && store.record(event));
  return await runVerification({ config, store, events, signal: new AbortController().signal, repair });
}

it("makes equal what differs, keeps the batch of every other row, and verifies again", async () => {
  await using project = await createSnowflakeProject({ source: SOURCE, tables: TABLES });
  expect((await project.run()).status).toBe("success");
  expect(await verify(project, true)).toMatchObject({ equal: true, tables: [{ name: "sales" }, { name: "cars" }] });

  await project.ask("update stage.sales set price = price + 1 where id = 7");
  await project.ask("delete from stage.sales where id = 9");
  await project.ask("update stage.cars set ratio = 0 where id = 3");
  await project.database.query("INSERT INTO sales VALUES (51, 51, now()); DELETE FROM sales WHERE id = 1");
  const { repair, ...result } = await verify(project, true);
  expect(result).toMatchObject({ equal: true, tables: [{ rows_source: 50, rows_stage: 50 }, { equal: true }] });
  expect(repair).toMatchObject({
    batch_id: 2,
    found: [
      {
        name: "sales",
        keys: [
          { key: 7, is: "changed" },
          { key: 9, is: "missing" },
        ],
      },
      { name: "cars", keys: [{ key: 3, is: "changed", columns: ["ratio"] }] },
    ],
    tables: [
      { name: "sales", inserted: 2, updated: 1, deleted: 1 },
      { name: "cars", inserted: 0, updated: 1, deleted: 0 },
    ],
  });
  expect(await project.ask("select _batch_id, count(*) from stage.sales group by 1 order by 1")).toEqual([
    ["1", "47"],
    ["2", "3"],
  ]);
});
