import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { credits, UsageMeter } from "../../../../runtime/warehouse/snowflake/usage.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const SMALL = { size: "Small", autoSuspendSeconds: 60 };

describe("the use of a warehouse", () => {
  it("counts every statement, but only the time of those that run on the warehouse", async () => {
    const clock = new FakeClock();
    const meter = new UsageMeter(clock);
    const end = meter.start(true);
    await clock.advance(1500);
    meter.start(false)();
    end();
    await clock.advance(10_000);
    expect(meter.usage()).toEqual({
      statements: 2,
      warehouse_seconds: 1.5,
      bytes_staged: 0,
      rows_staged: 0,
      credits: null,
    });
  });

  it("counts time in which several statements run once", async () => {
    const clock = new FakeClock();
    const meter = new UsageMeter(clock);
    const first = meter.start(true);
    await clock.advance(1000);
    const second = meter.start(true);
    await clock.advance(1000);
    first();
    await clock.advance(1000);
    second();
    second();
    expect(meter.usage()).toMatchObject({ statements: 2, warehouse_seconds: 3 });
  });

  it("tells of a statement that still runs", async () => {
    const clock = new FakeClock();
    const meter = new UsageMeter(clock);
    meter.start(true);
    await clock.advance(2000);
    expect(meter.usage().warehouse_seconds).toBe(2);
    await clock.advance(500);
    expect(meter.usage().warehouse_seconds).toBe(2.5);
  });

  it("adds up what was staged", () => {
    const meter = new UsageMeter(new FakeClock());
    meter.addStaged({ bytes: 10, rows: 2 });
    meter.addStaged({ bytes: 5, rows: 1 });
    expect(meter.usage()).toMatchObject({ bytes_staged: 15, rows_staged: 3 });
  });

  it("estimates nothing where nothing ran, and nothing where the size is not known", () => {
    const meter = new UsageMeter(new FakeClock());
    expect(meter.usage().credits).toBeNull();
    meter.setWarehouse(SMALL);
    expect(meter.usage().credits).toBe(0);
    meter.setWarehouse({ size: "Snowpark-optimized", autoSuspendSeconds: 60 });
    expect(meter.usage().credits).toBeNull();
  });
});

/** Stretches in seconds. */
const busy = (...stretches: readonly (readonly [from: number, to: number])[]) =>
  stretches.map(([from, to]) => ({ from: from * 1000, to: to * 1000 }));

describe("credits", () => {
  it.each([
    ["one statement: its time and the wait", busy([0, 30]), SMALL, 90 * 2],
    ["60 seconds at least", busy([0, 1]), { size: "X-Small", autoSuspendSeconds: 10 }, 60],
    ["a gap that is shorter than the wait", busy([0, 10], [70, 80]), SMALL, (80 + 60) * 2],
    ["a gap that is longer: it resumes twice", busy([0, 10], [71, 81]), SMALL, (70 + 70) * 2],
    [
      "the wait of one that never suspends is not ours",
      busy([0, 10], [5000, 5100]),
      { size: "X-Small", autoSuspendSeconds: null },
      5100,
    ],
    ["a large one", busy([0, 300]), { size: "6X-Large", autoSuspendSeconds: 0 }, 300 * 512],
  ])("%s", (_what, stretches, facts, creditSeconds) => {
    expect(credits(stretches, facts)).toBeCloseTo(creditSeconds / 3600, 10);
  });

  it("are the same whether found stretch by stretch or second by second", () => {
    const event = fc.record({ gap: fc.integer({ min: 1, max: 200 }), length: fc.integer({ min: 0, max: 200 }) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), fc.integer({ min: 1, max: 120 }), (events, wait) => {
        let now = 0;
        const stretches = events.map(({ gap, length }) => {
          const from = now + gap;
          now = from + length;
          return [from, now] as const;
        });
        const up = secondsUp(stretches, wait);
        const estimate = credits(busy(...stretches), { size: "X-Small", autoSuspendSeconds: wait });
        expect(estimate).toBeCloseTo(up / 3600, 9);
      }),
    );
  });

  it("never count less than the statements took, whatever overlaps", async () => {
    const step = fc.record({ wait: fc.integer({ min: 0, max: 90_000 }), ends: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const clock = new FakeClock();
        const meter = new UsageMeter(clock);
        meter.setWarehouse({ size: "X-Small", autoSuspendSeconds: 60 });
        const running: (() => void)[] = [];
        let expected = 0;
        for (const { wait, ends } of steps) {
          if (ends) running.shift()?.();
          else running.push(meter.start(true));
          if (running.length > 0) expected += wait;
          await clock.advance(wait);
        }
        const usage = meter.usage();
        expect(usage.warehouse_seconds).toBeCloseTo(expected / 1000, 6);
        expect((usage.credits ?? 0) * 3600).toBeGreaterThanOrEqual(usage.warehouse_seconds - 1e-6);
      }),
      { numRuns: 50 },
    );
  });
});

/** The plain way: it is up from a start until `wait` seconds after the last end, unless the next start comes first; 60 at least. */
function secondsUp(stretches: readonly (readonly [number, number])[], wait: number): number {
  let total = 0;
  let resumed: number | undefined;
  let suspends = 0;
  for (const [from, to] of stretches) {
    if (resumed !== undefined && from > suspends) {
      total += Math.max(60, suspends - resumed);
      resumed = undefined;
    }
    resumed ??= from;
    suspends = to + wait;
  }
  return resumed === undefined ? total : total + Math.max(60, suspends - resumed);
}
