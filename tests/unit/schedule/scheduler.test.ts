import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { EventBus } from "../../../runtime/core/events.ts";
import type { BatchResult } from "../../../runtime/core/result.ts";
import { Scheduler, type SchedulerOptions } from "../../../runtime/schedule/scheduler.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const RESULT: BatchResult = {
  batch_id: 1,
  status: "success",
  snapshot: null,
  seconds: 1,
  tables: [],
  models: [],
  tests: [],
};

let scheduler: Scheduler | undefined;
afterEach(() => scheduler?.stop());

/** A scheduler whose batches begin at once and end when the test says so. */
function setUp(options: Partial<SchedulerOptions> = {}) {
  const events = new EventBus();
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line).msg) });
  const runs: {
    trigger: string;
    signal: AbortSignal;
    end: (result?: BatchResult) => void;
    fail: (error: Error) => void;
  }[] = [];
  scheduler = new Scheduler({
    schedule: "0 0 1 1 *",
    timezone: "UTC",
    events,
    clock,
    log,
    claimTick: () => true,
    runBatch: ({ trigger, signal }) => {
      const { promise, resolve, reject } = Promise.withResolvers<BatchResult>();
      runs.push({ trigger, signal, end: (result = RESULT) => resolve(result), fail: reject });
      events.emit({ type: "batch_started", batchId: runs.length, at: clock.now(), trigger });
      signal.addEventListener("abort", () => resolve({ ...RESULT, status: "cancelled" }));
      return promise;
    },
    ...options,
  });
  return { scheduler, clock, runs, lines };
}

describe("the scheduler", () => {
  it("starts a batch on request, and refuses a second one while it runs", async () => {
    const { scheduler, runs } = setUp();
    await expect(scheduler.runNow()).resolves.toEqual({ batchId: 1 });
    expect(scheduler.running()).toBe(1);
    await expect(scheduler.runNow()).rejects.toMatchObject({
      code: "BATCH_RUNNING",
      message: "Batch 1 is still running.",
    });
    runs[0]?.end();
    await settle();
    expect(scheduler.running()).toBeUndefined();
    await expect(scheduler.runNow()).resolves.toEqual({ batchId: 2 });
    runs[1]?.end();
  });

  it("tells the one who asked when the batch could not begin, and is free again", async () => {
    let attempts = 0;
    const { scheduler } = setUp({
      runBatch: () => {
        attempts++;
        return Promise.reject(new NovaError("BATCH_RUNNING", "another process"));
      },
    });
    await expect(scheduler.runNow()).rejects.toMatchObject({ message: "another process" });
    await settle();
    await expect(scheduler.runNow()).rejects.toMatchObject({ message: "another process" });
    expect(attempts).toBe(2);
  });

  it("logs a batch that dies after it has begun", async () => {
    const { scheduler, runs, lines } = setUp();
    await scheduler.runNow();
    runs[0]?.fail(new NovaError("BATCH_ABANDONED", "killed by SIGKILL"));
    await settle();
    expect(lines.join("\n")).toMatch(/batch 1 failed: BATCH_ABANDONED: killed by SIGKILL/);
    expect(scheduler.running()).toBeUndefined();
  });

  it("goes on with the schedule when the batch at the start cannot begin", async () => {
    const { scheduler, lines } = setUp({
      runBatch: () => Promise.reject(new NovaError("BATCH_RUNNING", "another process")),
    });
    scheduler.runSoon();
    await settle();
    expect(lines.join("\n")).toMatch(/the batch at the start failed: BATCH_RUNNING: another process/);
    expect(scheduler.nextTick()).toBeInstanceOf(Date);
  });

  it("runs on the schedule, once a tick, and passes over ticks while a batch runs", async () => {
    const claimed: number[] = [];
    const { runs, lines } = setUp({ schedule: "* * * * * *", claimTick: (tick) => claimed.push(tick.getTime()) > 0 });
    await expect.poll(() => claimed.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    expect(runs.map((run) => run.trigger)).toEqual(["schedule"]);
    expect(claimed.every((tick) => tick % 1000 === 0)).toBe(true);
    expect(lines.join("\n")).toMatch(/is skipped: a batch is still running/);
    runs[0]?.end();
  });

  it("leaves a tick alone that another process has claimed", async () => {
    let asked = 0;
    const { runs } = setUp({ schedule: "* * * * * *", claimTick: () => ++asked < 0 });
    await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThanOrEqual(1);
    expect(runs).toEqual([]);
  });

  it("knows when the schedule is due next, in its own time zone", () => {
    const { scheduler } = setUp({ schedule: "30 3 * * *", timezone: "America/Sao_Paulo" });
    expect(scheduler.nextTick()?.toISOString()).toMatch(/T06:30:00.000Z$/);
  });

  it("lets a running batch finish when it stops", async () => {
    const { scheduler, clock, runs } = setUp();
    await scheduler.runNow();
    const stopped = scheduler.stop();
    await settle();
    expect(clock.nextWake).toBe(10_000);
    runs[0]?.end();
    await stopped;
    expect(runs[0]?.signal.aborted).toBe(false);
    await expect(scheduler.runNow()).rejects.toMatchObject({ code: "BATCH_RUNNING" });
  });

  it("cancels a batch that does not finish in time", async () => {
    const { scheduler, clock, runs } = setUp();
    await scheduler.runNow();
    const stopped = scheduler.stop();
    await settle();
    await clock.advance(10_000);
    await stopped;
    expect(runs[0]?.signal.reason).toMatchObject({ code: "BATCH_CANCELLED" });
  });
});
