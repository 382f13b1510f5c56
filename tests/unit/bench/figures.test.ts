/** Medians, and what is reported of several runs. */
import { describe, expect, test } from "vitest";
import { figure, median } from "../../bench/figures.ts";

describe("the median", () => {
  test("of an odd number is the one in the middle, whatever the order", () => {
    expect(median([9, 1, 5])).toBe(5);
  });
  test("of an even number lies between the two in the middle", () => {
    expect(median([4, 1, 2, 100])).toBe(3);
  });
  test("of one is that one", () => {
    expect(median([7])).toBe(7);
  });
});

describe("a figure", () => {
  test("has the median of the runs' own ratios, not the ratio of the medians", () => {
    const runs = [
      { seconds: 10, raw: 10 },
      { seconds: 30, raw: 15 },
      { seconds: 12, raw: 4 },
    ];
    expect(figure(runs)).toEqual({ seconds: 12, ratio: 2, runs: [10, 30, 12] });
  });
  test("has the highest memory, and the ratio to the first load of the same run", () => {
    const runs = [
      { seconds: 1, raw: 2, first: 10, process_seconds: 1.5, peak_memory_mb: 180.4 },
      { seconds: 3, raw: 2, first: 10, process_seconds: 3.5, peak_memory_mb: 170 },
    ];
    expect(figure(runs)).toEqual({
      seconds: 2,
      ratio: 1,
      runs: [1, 3],
      of_first_load: 0.2,
      process_seconds: 2.5,
      peak_memory_mb: 180,
    });
  });
  test("has no ratio where there was no COPY to hold it against", () => {
    expect(figure([{ seconds: 0.2 }])).toEqual({ seconds: 0.2, runs: [0.2] });
  });
});
