/** Time as a dependency, so that tests do not wait. */
import { setTimeout as sleepFor } from "node:timers/promises";

export interface Clock {
  now(): Date;
  /** Resolves after `milliseconds`; rejects with the signal's reason when aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  async sleep(milliseconds, signal) {
    try {
      await sleepFor(milliseconds, undefined, signal ? { signal } : undefined);
    } catch (thrown) {
      signal?.throwIfAborted();
      throw thrown;
    }
  },
};

/** Seconds between two instants, rounded to milliseconds. */
export function secondsBetween(from: Date, to: Date): number {
  return Math.round(to.getTime() - from.getTime()) / 1000;
}
