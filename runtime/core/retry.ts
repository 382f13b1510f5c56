/** Whether and when to try again: pure functions of the error and the number of the attempt. */
import type { NovaError } from "./errors.ts";

export interface RetryPolicy {
  /** Further attempts after the first. */
  readonly retries: number;
  /** Wait before the first further attempt, in seconds. */
  readonly delay: number;
  /** By how much each further wait is longer than the one before. */
  readonly backoff: number;
}

/** A day; timers of Node.js fire at once beyond 2^31 ms. */
const LONGEST_WAIT = 86_400_000;

/**
 * The wait before the next attempt, in milliseconds.
 *
 * @param attempt the one that has just failed, counted from 1
 * @returns undefined if there is to be none
 */
export function retryDelay(policy: RetryPolicy, error: NovaError, attempt: number): number | undefined {
  if (!error.transient || attempt > policy.retries) return undefined;
  return Math.min(policy.delay * 1000 * policy.backoff ** (attempt - 1), LONGEST_WAIT);
}
