import fc from "fast-check";
import { expect, test } from "vitest";
import { ago, countdown, duration, elapsed } from "../../../runtime/web/assets/format.js";
import { formatBytes, formatCount } from "../../../runtime/core/format.ts";
import { plural, Times } from "../../../runtime/web/format.ts";
import { scheduleInWords } from "../../../runtime/web/views/layout.ts";

test.each([
  [0, "0 ms"],
  [0.0284, "28 ms"],
  [0.9994, "999 ms"],
  [0.9996, "1.0 s"],
  [12.34, "12.3 s"],
  [59.94, "59.9 s"],
  [59.96, "1 min"],
  [64, "1 min 4 s"],
  [3_599.6, "1 h"],
  [7_500, "2 h 5 min"],
  [86_399, "1 d"],
  [273_600, "3 d 4 h"],
])("%d seconds are told as %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test("a duration never shows sixty of a unit, or a unit of none", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (seconds) => {
      expect(duration(seconds)).not.toMatch(/(^|\s)(60(\.0)? s|60 min|1000 ms|24 h|0 (s|min|h))($|\s)/);
    }),
  );
});

test.each([
  [0, "just now"],
  [12, "12 s ago"],
  [59.9, "59 s ago"],
  [240, "4 min ago"],
  [10_800, "3 h ago"],
  [172_800, "2 d ago"],
])("what was %d seconds before is told as %s", (seconds, text) => {
  expect(ago(0, seconds * 1000)).toBe(text);
});

test.each([
  [42, "0:42"],
  [0.4, "0:01"],
  [0, "now"],
  [-5, "now"],
  [725, "12:05"],
  [12_000, "3 h 20 min"],
])("what comes in %d seconds is told as %s", (seconds, text) => {
  expect(countdown(seconds * 1000, 0)).toBe(text);
});

test("time that runs is told in whole seconds, and never below zero", () => {
  expect(elapsed(0, 7_900)).toBe("0:07");
  expect(elapsed(0, 725_000)).toBe("12:05");
  expect(elapsed(0, 3_840_000)).toBe("1 h 4 min");
  expect(elapsed(5_000, 0)).toBe("0:00");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_210, "1.2 kB"],
  [14_200_000, "14.2 MB"],
  [99_960, "100 kB"],
  [999_600, "1.0 MB"],
  [1_300_000_000, "1.3 GB"],
])("%d bytes are told as %s", (size, text) => {
  expect(formatBytes(size)).toBe(text);
});

test("counts are grouped by thousands, and nouns follow them", () => {
  expect(formatCount(1_234_567)).toBe("1,234,567");
  expect([plural(1, "batch"), plural(2, "batch"), plural(0, "row")]).toEqual(["1 batch", "2 batches", "0 rows"]);
});

test("instants are told in the zone of the schedule", () => {
  const times = new Times("America/Sao_Paulo");
  const at = "2026-11-22T02:05:09.391Z";
  expect(times.clock(at)).toBe("23:05:09");
  expect(times.precise(at)).toBe("23:05:09.391");
  expect(times.full(at)).toBe("21 Nov 2026, 23:05:09 GMT-3");
});

test("a schedule is told in words, or as it is written where it has none", () => {
  expect(scheduleInWords("* * * * *")).toBe("Every minute");
  expect(scheduleInWords("0 3 * * *")).toBe("At 03:00");
  expect(scheduleInWords("")).toBe("Started by hand only");
  expect(scheduleInWords("every now and then")).toBe("every now and then");
});
