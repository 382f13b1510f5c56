/** Numbers, sizes and instants as the page writes them. */

const integers = new Intl.NumberFormat("en-US");

/** 61234 → `61,234`. */
export function count(value: number): string {
  return integers.format(value);
}

/** Bytes → `812 B`, `14.2 kB`, `1.3 GB` (powers of 1000). */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 || scaled >= 99.95 ? Math.round(scaled) : scaled.toFixed(1)} ${units[unit]}`;
}

/** 1 → `1 row`, 2 → `2 rows`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : noun.endsWith("h") ? "es" : "s"}`;
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
