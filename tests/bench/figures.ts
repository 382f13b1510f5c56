/** Seconds of several runs, made into what is reported. */

export interface Timing {
  readonly seconds: number;
  /** Of the raw COPY that was measured just before. */
  readonly raw: number;
}

/** Medians; the ratio is that of each run to the raw COPY before it, so that a machine that slows down for a while slows both. */
export function figure(timings: readonly Timing[]) {
  return {
    seconds: round(median(timings.map(({ seconds }) => seconds))),
    ratio: round(median(timings.map(({ seconds, raw }) => seconds / raw))),
    runs: timings.map(({ seconds }) => round(seconds)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export const round = (value: number): number => Math.round(value * 1000) / 1000;
