/** What several runs of one measurement come to. */

export interface Timing {
  readonly seconds: number;
  /** Of the raw COPY that was measured just before; where there is one that says something. */
  readonly raw?: number | undefined;
  /** Of the whole process, its start included. */
  readonly process_seconds?: number | undefined;
  readonly peak_memory_mb?: number | undefined;
  /** Of the first load into the same warehouse. */
  readonly first?: number | undefined;
}

/** Medians; each ratio is that of a run to what was measured with it, so that a machine that slows down for a while slows both. */
export function figure(timings: readonly Timing[]) {
  const [ratios, processes, firsts, peaks] = [
    present(timings.map(({ seconds, raw }) => raw && seconds / raw)),
    present(timings.map(({ process_seconds }) => process_seconds)),
    present(timings.map(({ seconds, first }) => first && seconds / first)),
    present(timings.map(({ peak_memory_mb }) => peak_memory_mb)),
  ];
  return {
    seconds: round(median(timings.map(({ seconds }) => seconds))),
    ...(ratios.length > 0 && { ratio: round(median(ratios)) }),
    runs: timings.map(({ seconds }) => round(seconds)),
    ...(firsts.length > 0 && { of_first_load: round(median(firsts)) }),
    ...(processes.length > 0 && { process_seconds: round(median(processes)) }),
    ...(peaks.length > 0 && { peak_memory_mb: Math.round(Math.max(...peaks)) }),
  };
}

export type Figure = ReturnType<typeof figure>;

const present = (values: readonly (number | undefined)[]): number[] => values.filter((value) => value !== undefined);

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export const round = (value: number): number => Math.round(value * 1000) / 1000;
