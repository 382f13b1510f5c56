/** What keeps rows from being lost, as far as it can be taken away: tests of the tests show that each is needed. Nothing else changes them. */
import { MARGIN } from "./fence.ts";

export interface Guards {
  /** `before` or `after` the snapshot: when the open transactions are looked at. */
  readonly activity: "before" | "after";
  /** Called between the two. */
  readonly between: () => Promise<void>;
  /** Seconds that the time fence stays behind the earliest open transaction. */
  readonly margin: number;
  /** What the row-version fence is taken from: the oldest transaction that is open, or the next one to begin. */
  readonly version: "oldest" | "next";
  /** Whether a batch waits until what it saw would outlast a crash of the source. */
  readonly flushed: boolean;
}

export const GUARDS: Guards = {
  activity: "before",
  between: () => Promise.resolve(),
  margin: MARGIN,
  version: "oldest",
  flushed: true,
};
