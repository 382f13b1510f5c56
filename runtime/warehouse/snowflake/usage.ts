/** What a warehouse that is billed by use was used for: counted while statements run, estimated in credits. */
import type { Clock } from "../../core/clock.ts";
import type { WarehouseUsage } from "../../core/result.ts";

/** https://docs.snowflake.com/en/user-guide/warehouses-overview#warehouse-size (standard warehouses, first generation). */
const CREDITS_PER_HOUR: Readonly<Record<string, number>> = {
  "X-SMALL": 1,
  SMALL: 2,
  MEDIUM: 4,
  LARGE: 8,
  "X-LARGE": 16,
  "2X-LARGE": 32,
  "3X-LARGE": 64,
  "4X-LARGE": 128,
  "5X-LARGE": 256,
  "6X-LARGE": 512,
};

/** Billed at least, each time the warehouse resumes. */
const MINIMUM_SECONDS = 60;

export interface WarehouseFacts {
  /** As SHOW WAREHOUSES gives it: X-Small, …, 6X-Large. */
  readonly size: string;
  /** Null or 0: it never suspends itself, so that the wait afterwards is not the batch's. */
  readonly autoSuspendSeconds: number | null;
}

/** Milliseconds since 1970. */
interface Stretch {
  readonly from: number;
  to: number;
}

export class UsageMeter {
  readonly #clock: Pick<Clock, "now">;
  /** Disjoint, in order; the last one is open while a statement runs. */
  readonly #busy: Stretch[] = [];
  #running = 0;
  #statements = 0;
  #bytesStaged = 0;
  #rowsStaged = 0;
  #warehouse: WarehouseFacts | undefined;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** A statement is sent. @returns what to call when it has ended, however it ended */
  start(metered: boolean): () => void {
    this.#statements += 1;
    if (!metered) return () => undefined;
    this.#begin();
    this.#running += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#running -= 1;
      this.#extend();
    };
  }

  /** A file on its way into the warehouse. @param file bytes compressed */
  addStaged({ bytes, rows }: { readonly bytes: number; readonly rows: number }): void {
    this.#bytesStaged += bytes;
    this.#rowsStaged += rows;
  }

  setWarehouse(facts: WarehouseFacts): void {
    this.#warehouse = facts;
  }

  usage(): WarehouseUsage {
    if (this.#running > 0) this.#extend();
    const milliseconds = this.#busy.reduce((sum, { from, to }) => sum + (to - from), 0);
    return {
      statements: this.#statements,
      warehouse_seconds: milliseconds / 1000,
      bytes_staged: this.#bytesStaged,
      rows_staged: this.#rowsStaged,
      credits: this.#warehouse === undefined ? null : credits(this.#busy, this.#warehouse),
    };
  }

  #begin(): void {
    if (this.#running > 0) return;
    const now = this.#now();
    const last = this.#busy.at(-1);
    if (last === undefined || now > last.to) this.#busy.push({ from: now, to: now });
  }

  #extend(): void {
    const last = this.#busy.at(-1);
    if (last !== undefined) last.to = this.#now();
  }

  /** Never before the end of what was measured already, though the system's clock may be set back. */
  #now(): number {
    return Math.max(this.#clock.now().getTime(), this.#busy.at(-1)?.to ?? 0);
  }
}

/**
 * Credits for the time that the warehouse was up: it stays up through gaps that are no longer than the time after which it suspends itself,
 * and for that time after the last statement. Null for a size that is not in the table.
 */
export function credits(
  busy: readonly Readonly<Stretch>[],
  { size, autoSuspendSeconds }: WarehouseFacts,
): number | null {
  const perHour = CREDITS_PER_HOUR[size.toUpperCase().replace(/^XSMALL$/, "X-SMALL")];
  if (perHour === undefined) return null;
  const wait = autoSuspendSeconds ?? 0;
  const up: Stretch[] = [];
  for (const { from, to } of busy) {
    const last = up.at(-1);
    if (last !== undefined && (wait === 0 || from - last.to <= wait * 1000)) last.to = to;
    else up.push({ from, to });
  }
  const seconds = up.reduce((sum, { from, to }) => sum + Math.max(MINIMUM_SECONDS, (to - from) / 1000 + wait), 0);
  return (seconds / 3600) * perHour;
}
