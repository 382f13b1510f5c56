/** How far another machine's clock is from this one's, as a finding of `doctor`. */
import type { Clock } from "./clock.ts";
import { ok, warning, type Finding } from "./finding.ts";

/** Seconds by which the other clock is ahead of this machine's, give or take the margin. */
export interface ClockSkew {
  /** NaN if the other clock could not be read. */
  readonly ahead: number;
  readonly margin: number;
}

/** Seconds; clocks that are kept in time differ by less than one. */
const TOLERANCE = 5;

/** @param ask gives the other clock's time in milliseconds since 1970; half of the time that it takes is the margin */
export async function measureClockSkew(clock: Clock, ask: () => Promise<number>): Promise<ClockSkew> {
  const before = clock.now().getTime();
  const there = await ask();
  const after = clock.now().getTime();
  return { ahead: (there - (before + after) / 2) / 1000, margin: (after - before) / 2000 };
}

interface OtherClock {
  /** Whose it is: "Snowflake". */
  readonly whose: string;
  /** What goes wrong if they differ. */
  readonly effect: string;
}

export function clockFinding({ ahead, margin }: ClockSkew, { whose, effect }: OtherClock): Finding {
  const check = "clock";
  const difference = Math.abs(ahead);
  if (difference - margin <= TOLERANCE) {
    return ok(check, `This machine and ${whose} agree to ${Math.max(difference, margin, 0.01).toFixed(2)} s.`);
  }
  return warning(
    check,
    Number.isNaN(ahead)
      ? `The time of ${whose} could not be read.`
      : `This machine is ${difference.toFixed(1)} s ${ahead > 0 ? "behind" : "ahead of"} ${whose}: ${effect}.`,
    "Switch on time synchronisation where it is off: `timedatectl status`, then `timedatectl set-ntp true`.",
  );
}
