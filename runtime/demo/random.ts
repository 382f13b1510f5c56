/** Random numbers that can be had again: the same seed gives the same sequence. */

export type Random = () => number;

/** Numbers from 0 up to, but not including, 1 (mulberry32: 32 bits of state, enough for a demo, no use for secrets). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `from` to `to`, both included. */
export function between(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1));
}

/** @throws RangeError for an empty list */
export function pick<T>(random: Random, from: readonly T[]): T {
  const chosen = from[Math.floor(random() * from.length)];
  if (chosen === undefined) throw new RangeError("Nothing to pick from");
  return chosen;
}

/** Picks by weight. @throws RangeError when no weight is above 0 */
export function pickWeighted<T>(random: Random, from: readonly T[], weight: (item: T) => number): T {
  let left = random() * from.reduce((sum, item) => sum + weight(item), 0);
  for (const item of from) {
    left -= weight(item);
    if (left < 0) return item;
  }
  throw new RangeError("Nothing to pick from");
}
