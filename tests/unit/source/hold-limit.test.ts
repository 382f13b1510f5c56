import { expect, test } from "vitest";
import { HoldLimit } from "../../../runtime/source/hold-limit.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function held(seconds: number) {
  const clock = new FakeClock();
  let released = 0;
  const limit = new HoldLimit({ seconds, clock, release: () => Promise.resolve(void (released += 1)) });
  return { clock, limit, released: () => released };
}

test("when the time is over, what reads is stopped with what can be done, and the snapshot is let go", async () => {
  const { clock, limit, released } = held(60);
  const signal = limit.with(new AbortController().signal);
  await clock.advance(59_999);
  expect([signal.aborted, released()]).toEqual([false, 0]);
  await clock.advance(1);
  expect(signal.reason).toMatchObject({
    code: "SOURCE_SNAPSHOT_LIMIT",
    message: expect.stringContaining("held for 60 s"),
    remedy: expect.stringMatching(/NOVADRIVE_READERS.*--table.*night.*NOVADRIVE_SNAPSHOT_LIMIT/),
  });
  expect(released()).toBe(1);
  // What begins only then is stopped as well.
  expect(limit.with(undefined).aborted).toBe(true);
});

test("a snapshot that was let go in time stops nothing", async () => {
  const { clock, limit, released } = held(60);
  const signal = limit.with(undefined);
  limit.end();
  await clock.advance(120_000);
  expect([signal.aborted, released(), clock.nextWake]).toEqual([false, 0, undefined]);
});

test("without a limit nobody waits", () => {
  expect(held(0).clock.nextWake).toBeUndefined();
});

test("what is stopped by its own signal keeps its own reason", () => {
  const reason = new Error("stop");
  expect(held(60).limit.with(AbortSignal.abort(reason)).reason).toBe(reason);
});
