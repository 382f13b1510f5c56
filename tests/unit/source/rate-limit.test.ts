import { expect, test } from "vitest";
import type { Clock } from "../../../runtime/core/clock.ts";
import { rateLimit } from "../../../runtime/source/rate-limit.ts";

/** A clock whose time passes only by sleeping. */
function sleeper() {
  let now = 0;
  const slept: number[] = [];
  const clock: Clock = {
    now: () => new Date(now),
    sleep: (milliseconds, signal) => {
      signal?.throwIfAborted();
      slept.push(milliseconds);
      now += milliseconds;
      return Promise.resolve();
    },
  };
  return { clock, slept, pass: (milliseconds: number) => (now += milliseconds), elapsed: () => now };
}

test("rows over the rate wait until they are paid for, whoever takes them", async () => {
  const { clock, elapsed } = sleeper();
  const rate = rateLimit(1000, clock);
  for (let taken = 0; taken < 20_000; taken += 500) await rate.take(500);
  // The first second's worth comes at once.
  expect(elapsed()).toBe(19_000);
});

test("after a pause a second's worth comes at once, and no more", async () => {
  const { clock, slept, pass } = sleeper();
  const rate = rateLimit(100, clock);
  pass(60_000);
  await rate.take(100);
  expect(slept).toEqual([]);
  await rate.take(100);
  expect(slept).toEqual([1000]);
});

test("without a limit nothing waits", async () => {
  const { clock, slept } = sleeper();
  await rateLimit(0, clock).take(1e12);
  expect(slept).toEqual([]);
});

test("what waits can be stopped", async () => {
  const { clock } = sleeper();
  const stop = new Error("stop");
  await expect(rateLimit(1, clock).take(1000, AbortSignal.abort(stop))).rejects.toBe(stop);
});
