/** What the product is held to, and whether a report holds it. */
import type { BenchReport } from "./report.ts";
import { round } from "./figures.ts";

export interface Target {
  readonly name: string;
  /** null if it was not measured. */
  readonly figure: number | null;
  readonly target: string;
  readonly holds: boolean | null;
}

interface Line {
  readonly name: string;
  readonly unit: string;
  readonly bound: "at most" | "less than" | "at least";
  readonly limit: number;
  readonly figure: (report: BenchReport) => number | undefined;
}

/** They are meant for this many rows of the sales, on two processors. */
export const TARGET_ROWS = 5_000_000;

const LINES: readonly Line[] = [
  {
    name: "first load",
    unit: "× raw COPY",
    bound: "at most",
    limit: 1.25,
    figure: ({ first_load }) => first_load?.ratio,
  },
  {
    name: "first load, peak memory",
    unit: "MB",
    bound: "less than",
    limit: 400,
    figure: ({ first_load }) => first_load?.peak_memory_mb,
  },
  {
    name: "first load of four times the rows, peak memory",
    unit: "× that of the first load",
    bound: "at most",
    limit: 1.333,
    figure: ({ big, first_load }) => quotient(big?.first_load.peak_memory_mb, first_load?.peak_memory_mb),
  },
  {
    name: "first load, against dlt with connectorx",
    unit: "times faster",
    bound: "at least",
    limit: 2,
    figure: ({ peers }) => peers?.["dlt_connectorx"]?.times_faster,
  },
  {
    name: "first load, against dlt with pyarrow",
    unit: "times faster",
    bound: "at least",
    limit: 8,
    figure: ({ peers }) => peers?.["dlt_pyarrow"]?.times_faster,
  },
  {
    name: "10,000 changed, by indexed cursor, deletes deferred",
    unit: "× first load",
    bound: "at most",
    limit: 0.05,
    figure: ({ changed_10000_by_cursor }) => changed_10000_by_cursor?.of_first_load,
  },
  {
    name: "10,000 changed, by scan, with deletes",
    unit: "× first load",
    bound: "at most",
    limit: 0.3,
    figure: ({ changed_10000 }) => changed_10000?.of_first_load,
  },
  {
    name: "nothing new, level 0, 7 tables",
    unit: "s",
    bound: "less than",
    limit: 0.3,
    figure: ({ tables_7 }) => tables_7?.unchanged.seconds,
  },
  {
    name: "nothing new, level 0, 200 tables",
    unit: "s",
    bound: "less than",
    limit: 1,
    figure: ({ tables_200 }) => tables_200?.unchanged.seconds,
  },
  {
    name: "nothing new, level 1",
    unit: "× raw COPY",
    bound: "at most",
    limit: 0.2,
    figure: ({ unchanged_level_1 }) => unchanged_level_1?.ratio,
  },
  { name: "verify", unit: "× raw COPY", bound: "at most", limit: 2, figure: ({ verify }) => verify?.ratio },
  {
    name: "verify, peak memory",
    unit: "MB",
    bound: "less than",
    limit: 300,
    figure: ({ verify }) => verify?.peak_memory_mb,
  },
];

/** Of each line, those too that this report says nothing of. */
export function evaluateTargets(report: BenchReport): Target[] {
  return LINES.map(({ name, unit, bound, limit, figure }) => {
    const found = figure(report);
    const target = `${bound} ${limit} ${unit}`;
    if (found === undefined) return { name, figure: null, target, holds: null };
    return { name, figure: round(found), target, holds: holds(found, bound, limit) };
  });
}

function holds(figure: number, bound: Line["bound"], limit: number): boolean {
  switch (bound) {
    case "at most":
      return figure <= limit;
    case "less than":
      return figure < limit;
    case "at least":
      return figure >= limit;
  }
}

const quotient = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? undefined : one / other;
