/** Whether a report holds what the product is held to. */
import { describe, expect, test } from "vitest";
import { comparePeers, type BenchReport } from "../../bench/report.ts";
import { evaluateTargets } from "../../bench/targets.ts";
import { tablesOf } from "../../bench/tables.ts";

const EMPTY: BenchReport = {
  rows: 5_000_000,
  started: "2026-01-04T05:00:00.000Z",
  command: "npm run bench --",
  machine: { cpus: 2, model: "a processor", memory_gb: 8, node: "v24", postgresql: "18", duckdb: "v1" },
  load_average: [0.1, 0.2],
};
const figure = (seconds: number, more = {}) => ({ seconds, runs: [seconds], ...more });
const line = (report: BenchReport, name: string) => evaluateTargets(report).find((target) => target.name === name);

describe("a target", () => {
  test("holds at its bound where that is allowed, and not above", () => {
    const at = (ratio: number) => line({ ...EMPTY, first_load: figure(12, { ratio }) }, "first load");
    expect(at(1.25)).toEqual({ name: "first load", figure: 1.25, target: "at most 1.25 × raw COPY", holds: true });
    expect(at(1.251)?.holds).toBe(false);
  });
  test("does not hold at its bound where it has to be less", () => {
    const at = (memory: number) =>
      line({ ...EMPTY, verify: figure(12, { peak_memory_mb: memory }) }, "verify, peak memory")?.holds;
    expect([at(299), at(300)]).toEqual([true, false]);
  });
  test("that was not measured neither holds nor fails", () => {
    expect(evaluateTargets(EMPTY).map(({ figure: found, holds }) => [found, holds])).toEqual(
      evaluateTargets(EMPTY).map(() => [null, null]),
    );
  });
  test("on memory at four times the rows is held against the first load of the same run", () => {
    const big = (memory: number) => ({
      rows: 20_000_000,
      columns: 9,
      raw_copy: { seconds: 40, runs: [40] },
      first_load: figure(40, { peak_memory_mb: memory }),
    });
    const name = "first load of four times the rows, peak memory";
    const first_load = figure(12, { peak_memory_mb: 300 });
    expect(line({ ...EMPTY, first_load, big: big(390) }, name)).toMatchObject({ figure: 1.3, holds: true });
    expect(line({ ...EMPTY, first_load, big: big(410) }, name)).toMatchObject({ holds: false });
    expect(line({ ...EMPTY, big: big(390) }, name)).toMatchObject({ figure: null, holds: null });
  });
});

describe("peers", () => {
  const report = comparePeers({
    ...EMPTY,
    first_load: figure(10),
    peers: { dlt_connectorx: { seconds: 25 }, dlt_pyarrow: { skipped: "there is no python3 on PATH" } },
  });
  test("are told by how many times as long they took as the first load", () => {
    expect(line(report, "first load, against dlt with connectorx")).toMatchObject({ figure: 2.5, holds: true });
  });
  test("that were skipped are said to be, with the reason, and no target is claimed", () => {
    expect(line(report, "first load, against dlt with pyarrow")).toMatchObject({ figure: null, holds: null });
    expect(tablesOf(report)).toContain("skipped: there is no python3 on PATH");
  });
  test("are not compared where there was no first load", () => {
    expect(comparePeers({ ...EMPTY, peers: { dlt_connectorx: { seconds: 25 } } }).peers).toEqual({
      dlt_connectorx: { seconds: 25 },
    });
  });
});

describe("the tables", () => {
  test("have every column as wide as its widest cell", () => {
    const lines = tablesOf({ ...EMPTY, first_load: figure(12, { ratio: 1.2, peak_memory_mb: 350 }) }).split("\n");
    const targets = lines.filter((text) => text.startsWith("|")).slice(-12);
    expect(new Set(targets.map((text) => text.length)).size).toBe(1);
  });
  test("say that the targets are meant for other sizes, where the run had another", () => {
    expect(tablesOf({ ...EMPTY, rows: 1000 })).toContain("The targets are meant for 5,000,000 rows.");
    expect(tablesOf(EMPTY)).not.toContain("The targets are meant");
  });
});
