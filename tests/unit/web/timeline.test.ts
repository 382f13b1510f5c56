import fc from "fast-check";
import { expect, test } from "vitest";
import type { TaskAttempt } from "../../../runtime/store/records.ts";
import { timeline } from "../../../runtime/web/timeline.ts";

const START = "2026-11-22T12:00:00.000Z";

function at(seconds: number): string {
  return new Date(Date.parse(START) + seconds * 1000).toISOString();
}

function task(over: Partial<TaskAttempt> & { from: number }): TaskAttempt {
  const { from, ...rest } = over;
  return {
    id: 1,
    kind: "extract",
    subject: "vendas",
    attempt: 1,
    status: "success",
    started_at: at(from),
    finished_at: at(from + (rest.seconds ?? 0)),
    seconds: 0,
    rows: null,
    bytes: null,
    error: undefined,
    ...rest,
  };
}

const now = new Date(at(100));

test("a table's tasks share a row, in the order of their start", () => {
  const { rows } = timeline({
    startedAt: START,
    seconds: 10,
    now,
    tasks: [
      task({ kind: "open", subject: "", from: 0, seconds: 1 }),
      task({ from: 1, seconds: 3 }),
      task({ kind: "load", from: 4, seconds: 2 }),
      task({ kind: "model", from: 7, seconds: 1 }),
    ],
  });
  expect(
    rows.map(({ group, name, segments }) => [group, name, segments.map(({ kind, from, to }) => [kind, from, to])]),
  ).toEqual([
    ["batch", "open", [["open", 0, 1]]],
    [
      "table",
      "vendas",
      [
        ["extract", 1, 4],
        ["load", 4, 6],
      ],
    ],
    ["model", "vendas", [["model", 7, 8]]],
  ]);
});

test("the row of the tests stands last, though tests start between models", () => {
  const { rows } = timeline({
    startedAt: START,
    seconds: 10,
    now,
    tasks: [task({ kind: "test", subject: "a", from: 1, seconds: 1 }), task({ kind: "model", from: 2, seconds: 1 })],
  });
  expect(rows.map((row) => row.group)).toEqual(["model", "tests"]);
});

test("a retry that succeeds makes its row a success, and is counted", () => {
  const { rows } = timeline({
    startedAt: START,
    seconds: 10,
    now,
    tasks: [task({ from: 0, status: "failed", seconds: 1 }), task({ from: 2, attempt: 2, seconds: 1 })],
  });
  expect(rows).toMatchObject([
    { status: "success", retries: 1, segments: [{ status: "failed" }, { status: "success" }] },
  ]);
});

test("tests share one row, which is as bad as the worst of them", () => {
  const { rows } = timeline({
    startedAt: START,
    seconds: 10,
    now,
    tasks: ["a", "b", "c"].map((subject) =>
      task({ kind: "test", subject, from: 1, seconds: 1, status: subject === "b" ? "failed" : "success" }),
    ),
  });
  expect(rows).toMatchObject([{ group: "tests", tests: 3, status: "failed" }]);
});

test("a running task lasts until now", () => {
  const { rows, seconds } = timeline({
    startedAt: START,
    seconds: null,
    now,
    tasks: [task({ from: 40, status: "running", seconds: null, finished_at: null })],
  });
  expect(rows).toMatchObject([{ segments: [{ from: 40, to: 100 }] }]);
  expect(seconds).toBe(100);
});

test("every segment lies on the axis, and the axis has a few round marks", () => {
  const attempts = fc.record({
    from: fc.double({ min: 0, max: 50_000, noNaN: true }),
    seconds: fc.double({ min: 0, max: 50_000, noNaN: true }),
    subject: fc.constantFrom("a", "b", ""),
    kind: fc.constantFrom("extract", "load", "model", "test"),
  });
  fc.assert(
    fc.property(fc.array(attempts), fc.double({ min: 0, max: 50_000, noNaN: true }), (tasks, length) => {
      const { rows, seconds, ticks } = timeline({ startedAt: START, seconds: length, now, tasks: tasks.map(task) });
      for (const { from, to } of rows.flatMap((row) => row.segments)) {
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeGreaterThanOrEqual(from);
        expect(to).toBeLessThanOrEqual(seconds);
      }
      expect(rows.flatMap((row) => row.segments)).toHaveLength(tasks.length);
      expect(ticks[0]).toBe(0);
      expect(ticks.length).toBeLessThanOrEqual(7);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.at(-1)).toBeLessThanOrEqual(seconds);
    }),
  );
});
