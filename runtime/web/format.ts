/** Counted nouns and instants as the page writes them. */

import { formatCount } from "../core/format.ts";

/** 1 → `1 row`, 2 → `2 rows`. */
export function plural(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? "" : noun.endsWith("h") ? "es" : "s"}`;
}

/** Instants in one time zone. */
export class Times {
  readonly #full: Intl.DateTimeFormat;
  readonly #clock: Intl.DateTimeFormat;
  readonly #precise: Intl.DateTimeFormat;

  constructor(timeZone: string) {
    const clock = { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
    const date = { day: "numeric", month: "short", year: "numeric", timeZoneName: "short" } as const;
    this.#full = new Intl.DateTimeFormat("en-GB", { ...clock, ...date });
    this.#clock = new Intl.DateTimeFormat("en-GB", clock);
    this.#precise = new Intl.DateTimeFormat("en-GB", { ...clock, fractionalSecondDigits: 3 });
  }

  /** `22 Nov 2026, 13:03:29 GMT-3` */
  full(at: string): string {
    return this.#full.format(new Date(at));
  }

  /** `13:03:29` */
  clock(at: string): string {
    return this.#clock.format(new Date(at));
  }

  /** `13:03:29.391` */
  precise(at: string): string {
    return this.#precise.format(new Date(at));
  }
}
