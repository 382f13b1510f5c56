import { expect, it } from "vitest";
import { clockFinding, measureClockSkew } from "../../../runtime/core/clock-skew.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const OTHER = { whose: "the source", effect: "times will not match" };

it.each([
  [0.2, 0.1, "ok", "agree to 0.20 s"],
  [-0.001, 0.0005, "ok", "agree to 0.01 s"],
  [5.01, 0.001, "warning", "5.0 s behind the source: times will not match"],
  [-60, 0.1, "warning", "60.0 s ahead of the source"],
  // A slow answer proves nothing.
  [8, 4, "ok", "agree to 8.00 s"],
  [NaN, 0, "warning", "could not be read"],
])("%d s ahead ± %d is %s", (ahead, margin, status, detail) => {
  const finding = clockFinding({ ahead, margin }, OTHER);
  expect(finding).toMatchObject({ status, detail: expect.stringContaining(detail) });
  expect(finding.remedy === undefined).toBe(status === "ok");
});

it("takes the middle of the question for its time", async () => {
  const clock = new FakeClock("2026-01-01T00:00:00Z");
  const skew = await measureClockSkew(clock, async () => {
    await clock.advance(2_000);
    return Date.parse("2026-01-01T00:01:41Z");
  });
  expect(skew).toEqual({ ahead: 100, margin: 1 });
});
