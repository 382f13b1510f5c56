/** Verifies on a schedule of its own, between batches: what holds the lock is waited for. */
import { schedule as scheduleCron, type ScheduledTask } from "node-cron";
import type { Clock } from "../core/clock.ts";
import { NovaError, toNovaError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { VerificationResult } from "../core/verification.ts";

export interface VerifyScheduleOptions {
  /** Cron expression, or `off`. */
  readonly schedule: string;
  /** IANA name. */
  readonly timezone: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes a due tick for this process; false if another process has it already. */
  readonly claimTick: (tick: Date) => boolean;
  readonly verify: (signal: AbortSignal) => Promise<VerificationResult>;
}

/** Milliseconds between two attempts while a batch runs, and how many there are: an hour in all. */
const PAUSE = 30_000;
const ATTEMPTS = 120;

export class VerifySchedule {
  readonly #options: VerifyScheduleOptions;
  readonly #cron: ScheduledTask | undefined;
  readonly #cancel = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: VerifyScheduleOptions) {
    this.#options = options;
    const { schedule, timezone } = options;
    this.#cron = schedule === "off" ? undefined : scheduleCron(schedule, ({ date }) => this.tick(date), { timezone });
  }

  /** What the schedule does when it is due. Never throws: the log says what went wrong. */
  tick(date: Date): void {
    const { claimTick, log } = this.#options;
    try {
      if (!claimTick(date)) return;
      this.#running = this.#running.then(() => this.#verify());
    } catch (thrown) {
      const { code, message, remedy } = toNovaError(thrown);
      log.error({ code, remedy }, `the verification of ${date.toISOString()} failed: ${code}: ${message} ${remedy}`);
    }
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    await this.#cron?.destroy();
    this.#cancel.abort(new NovaError("BATCH_CANCELLED", "The verification was stopped because the process ends."));
    await this.#running;
  }

  async #verify(): Promise<void> {
    const { log, clock, verify } = this.#options;
    const { signal } = this.#cancel;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        tell(log, await verify(signal));
        return;
      } catch (thrown) {
        const { code, message, remedy } = toNovaError(thrown);
        if (signal.aborted) return;
        if (code !== "BATCH_RUNNING" || attempt === ATTEMPTS) {
          log.error({ code, remedy }, `the verification failed: ${code}: ${message} ${remedy}`);
          return;
        }
      }
      await clock.sleep(PAUSE, signal).catch(() => undefined);
    }
  }
}

function tell(log: Log, { equal, tables, seconds }: VerificationResult): void {
  if (equal) {
    log.info(`verified in ${seconds} s: all ${tables.length} stage tables equal the source`);
    return;
  }
  const differing = tables.filter((table) => !table.equal).map((table) => table.name);
  const { code, message, remedy } = new NovaError(
    "VERIFY_UNEQUAL",
    `${differing.join(", ")}: the stage table differs from the source${deferredDeletes(tables)}.`,
  );
  log.error({ code, remedy, tables: differing }, `${code}: ${message} ${remedy}`);
}

/** With `delete_check: verify` that is what a verification is for, and somebody has to have them removed. */
function deferredDeletes(tables: VerificationResult["tables"]): string {
  const found = tables.flatMap(({ name, deletes_deferred: rows = 0 }) => (rows > 0 ? [`${rows} in ${name}`] : []));
  return found.length === 0 ? "" : `; rows that the source has deleted (delete_check: verify): ${found.join(", ")}`;
}
