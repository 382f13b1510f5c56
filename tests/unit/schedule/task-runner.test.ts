import { describe, expect, it } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import type { BatchEvent } from "../../../runtime/core/events.ts";
import { createTaskRunner } from "../../../runtime/schedule/task-runner.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const TASK = { kind: "extract", subject: "orders" } as const;
const passing = () => new NovaError("SOURCE_UNREACHABLE", "connection reset");

function setUp(options: { retries?: number; timeout?: number } = {}) {
  const clock = new FakeClock();
  const events: BatchEvent[] = [];
  const stop = new AbortController();
  const tasks = createTaskRunner({
    batchId: 1,
    clock,
    emit: (event) => void events.push(event),
    retry: { retries: options.retries ?? 1, delay: 60, backoff: 2 },
    timeout: options.timeout ?? 100,
    signal: stop.signal,
  });
  const finished = () =>
    events.flatMap((event) =>
      event.type === "task_finished" ? [`${event.attempt} ${event.status} ${event.error?.code ?? ""}`.trim()] : [],
    );
  return { clock, events, stop, tasks, finished };
}

describe("a task", () => {
  it("is told to the subscribers from start to end, with its time", async () => {
    const { clock, events, tasks } = setUp();
    const run = tasks.run(TASK, async () => {
      await clock.advance(1500);
      return 42;
    });
    await expect(run).resolves.toBe(42);
    expect(events.map((event) => event.type)).toEqual(["task_started", "task_finished"]);
    expect(events[1]).toMatchObject({ status: "success", attempt: 1, seconds: 1.5 });
  });

  it("is tried again after the delay when its error may pass", async () => {
    const { clock, tasks, finished } = setUp();
    const run = tasks.run(TASK, async ({ attempt }) => {
      if (attempt === 1) throw passing();
      return attempt;
    });
    await settle();
    expect(clock.nextWake).toBe(60_000);
    await clock.advance(60_000);
    await expect(run).resolves.toBe(2);
    expect(finished()).toEqual(["1 failed SOURCE_UNREACHABLE", "2 success"]);
  });

  it("fails with the last error when its attempts are used up", async () => {
    const { clock, tasks, finished } = setUp({ retries: 2 });
    const run = tasks.run(TASK, () => Promise.reject(passing()));
    const outcome = expect(run).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    await settle();
    await clock.advance(60_000);
    await clock.advance(120_000);
    await outcome;
    expect(finished()).toHaveLength(3);
  });

  it("is not tried again when the error will not pass", async () => {
    const { tasks, finished } = setUp();
    await expect(tasks.run(TASK, () => Promise.reject(new NovaError("SOURCE_AUTH_FAILED", "no")))).rejects.toThrow(
      "no",
    );
    expect(finished()).toEqual(["1 failed SOURCE_AUTH_FAILED"]);
  });

  it("is aborted when its time is over, and says so whatever the abort made it throw", async () => {
    const { clock, tasks, finished } = setUp({ retries: 0, timeout: 30 });
    const run = tasks.run(
      TASK,
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("torn down")))),
    );
    const outcome = expect(run).rejects.toMatchObject({
      code: "TASK_TIMEOUT",
      message: "orders/extract took longer than its limit of 30 s.",
    });
    await clock.advance(30_000);
    await outcome;
    expect(finished()).toEqual(["1 failed TASK_TIMEOUT"]);
  });

  it("ends with the batch, without another attempt", async () => {
    const { stop, tasks, finished } = setUp();
    const run = tasks.run(
      TASK,
      ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(passing()))),
    );
    stop.abort(new NovaError("BATCH_CANCELLED", "stop"));
    await expect(run).rejects.toMatchObject({ code: "BATCH_CANCELLED" });
    expect(finished()).toEqual(["1 failed BATCH_CANCELLED"]);
  });

  it("does not wait for its next attempt when the batch ends", async () => {
    const { stop, tasks } = setUp();
    const run = tasks.run(TASK, () => Promise.reject(passing()));
    await settle();
    stop.abort(new NovaError("BATCH_CANCELLED", "stop"));
    await expect(run).rejects.toMatchObject({ code: "BATCH_CANCELLED" });
  });

  it("ends, and does not wait for another attempt, when its own work is in vain", async () => {
    const { clock, events, tasks, finished } = setUp({ retries: 5 });
    const vain = new AbortController();
    const waiting = tasks.run(TASK, () => Promise.reject(passing()), { signal: vain.signal });
    const running = tasks.run(
      { kind: "load", subject: "clients" },
      ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      { signal: vain.signal },
    );
    await settle();
    const lines = events.length;
    vain.abort(new NovaError("SOURCE_UNREACHABLE", "another table's error"));
    await expect(waiting).rejects.toThrow("another table's error");
    await expect(running).rejects.toThrow("another table's error");
    expect(clock.nextWake).toBeUndefined();
    expect(finished()).toEqual(["1 failed SOURCE_UNREACHABLE", "1 failed BATCH_CANCELLED"]);
    expect(events.slice(lines).filter((event) => event.type === "log")).toEqual([]);
  });

  it("tells its progress at a pace that an eye can follow", async () => {
    const { clock, events, tasks } = setUp();
    await tasks.run(TASK, async ({ progress }) => {
      for (let rows = 0; rows < 100; rows++) {
        progress({ rows, bytes: rows * 10 });
        await clock.advance(10);
      }
    });
    expect(events.filter((event) => event.type === "task_progress")).toHaveLength(5);
  });
});

describe("a restartable whole", () => {
  const lost = () => new NovaError("SOURCE_SNAPSHOT_LOST", "terminating connection");

  it("runs again as a whole when its ground is gone, and counts the attempts of its tasks on", async () => {
    const { clock, tasks, finished } = setUp();
    let runs = 0;
    const run = tasks.restartable(async () => {
      runs++;
      return tasks.run(TASK, ({ attempt }) => (attempt === 1 ? Promise.reject(lost()) : Promise.resolve("done")));
    });
    await settle();
    await clock.advance(60_000);
    await expect(run).resolves.toBe("done");
    expect(runs).toBe(2);
    expect(finished()).toEqual(["1 failed SOURCE_SNAPSHOT_LOST", "2 success"]);
  });

  it("leaves other errors to the tasks", async () => {
    const { tasks } = setUp();
    let runs = 0;
    await expect(
      tasks.restartable(async () => {
        runs++;
        throw passing();
      }),
    ).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    expect(runs).toBe(1);
  });
});
