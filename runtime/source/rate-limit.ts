/** Bounds the rows a second that all readers of a source take together; PostgreSQL waits meanwhile, since nobody reads its socket. */
import type { Clock } from "../core/clock.ts";

/** Milliseconds of rows that may be taken at once after a pause, so that a reader which waited for the disk catches up. */
const BURST = 1000;

export interface RateLimit {
  /** Resolves when the rows, which have come already, are paid for. Rejects with the signal's reason. */
  take(rows: number, signal?: AbortSignal): Promise<void>;
}

/** @param rowsPerSecond 0 for no limit */
export function rateLimit(rowsPerSecond: number, clock: Clock): RateLimit {
  if (rowsPerSecond === 0) return { take: () => Promise.resolve() };
  /** When all rows so far are paid for, in milliseconds of the clock. */
  let paid = Number.NEGATIVE_INFINITY;
  return {
    async take(rows, signal) {
      const now = clock.now().getTime();
      paid = Math.max(paid, now - BURST) + (rows * 1000) / rowsPerSecond;
      if (paid > now) await clock.sleep(paid - now, signal);
    },
  };
}
