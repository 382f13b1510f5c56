/** Verifications on a schedule: one for each tick, after what holds the lock, and none once stopped. */
import { pino } from "pino";
import { expect, it } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import type { TableVerification, VerificationResult } from "../../../runtime/core/verification.ts";
import { VerifySchedule } from "../../../runtime/schedule/verify-schedule.ts";

const DATE = new Date(Date.UTC(2026, 0, 4, 5));

function scheduled(outcomes: readonly (VerificationResult | Error)[], claimed = true) {
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const slept: number[] = [];
  const queue = [...outcomes];
  let calls = 0;
  const schedule = new VerifySchedule({
    schedule: "off",
    timezone: "UTC",
    log,
    clock: { now: () => DATE, sleep: async (milliseconds) => void slept.push(milliseconds) },
    claimTick: () => claimed,
    verify: async () => {
      calls += 1;
      const next = queue.shift();
      if (next instanceof Error || next === undefined) throw next ?? new Error("no more");
      return next;
    },
  });
  return { schedule, lines, slept, calls: () => calls };
}

const result = (equal: boolean, more: Partial<TableVerification> = {}): VerificationResult => ({
  equal,
  snapshot: "2026-01-04T05:00:00.000000Z",
  seconds: 2,
  tables: [
    {
      name: "vendas",
      rows_source: 1,
      rows_stage: 1,
      rows_changed_since: 0,
      equal,
      differences: [],
      seconds: 1,
      ...more,
    },
  ],
});
const settled = async (calls: () => number, wanted: number) => {
  for (let turn = 0; turn < 100 && calls() < wanted; turn++) await Promise.resolve();
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

it("says that all tables are equal", async () => {
  const { schedule, lines, calls } = scheduled([result(true)]);
  schedule.tick(DATE);
  await settled(calls, 1);
  await schedule.stop();
  expect(lines.map((line) => line.msg)).toEqual(["verified in 2 s: all 1 stage tables equal the source"]);
});

it("names the tables that differ, as an error with what to do", async () => {
  const { schedule, lines, calls } = scheduled([result(false)]);
  schedule.tick(DATE);
  await settled(calls, 1);
  await schedule.stop();
  expect(lines).toMatchObject([{ level: 50, msg: expect.stringContaining("VERIFY_UNEQUAL: vendas") as string }]);
  expect(lines[0]?.msg).toContain("novadrive verify --repair");
});

it("says where deletes are left to it", async () => {
  const { schedule, lines, calls } = scheduled([result(false, { deletes_deferred: 3 })]);
  schedule.tick(DATE);
  await settled(calls, 1);
  await schedule.stop();
  expect(lines[0]?.msg).toContain(
    "differs from the source; rows that the source has deleted (delete_check: verify): 3 in vendas. Run",
  );
});

it("waits for a running batch", async () => {
  const busy = new NovaError("BATCH_RUNNING", "Another batch is running.");
  const { schedule, lines, slept, calls } = scheduled([busy, busy, result(true)]);
  schedule.tick(DATE);
  await settled(calls, 3);
  await schedule.stop();
  expect(slept).toEqual([30_000, 30_000]);
  expect(lines).toHaveLength(1);
});

it("says what else went wrong, once", async () => {
  const { schedule, lines, calls } = scheduled([new NovaError("VERIFY_NOT_LOADED", "No batch has loaded vendas yet.")]);
  schedule.tick(DATE);
  await settled(calls, 1);
  await schedule.stop();
  expect(lines).toMatchObject([{ level: 50, msg: expect.stringContaining("VERIFY_NOT_LOADED") as string }]);
});

it("leaves a tick to the process that has it", async () => {
  const { schedule, calls } = scheduled([result(true)], false);
  schedule.tick(DATE);
  await schedule.stop();
  expect(calls()).toBe(0);
});
