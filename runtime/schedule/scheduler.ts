/** Starts batches: when the cron expression is due, or when somebody asks; one at a time, and none after `stop`. */
import { schedule as scheduleCron, type ScheduledTask } from "node-cron";
import type { Clock } from "../core/clock.ts";
import { NovaError, toNovaError } from "../core/errors.ts";
import type { BatchTrigger, EventBus } from "../core/events.ts";
import type { Log } from "../core/log.ts";
import type { BatchResult } from "../core/result.ts";
import { transition, type RunEvent, type RunState } from "./run-state.ts";

export interface SchedulerOptions {
  /** Cron expression of five or six fields. */
  readonly schedule: string;
  /** IANA name. */
  readonly timezone: string;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes a due tick for this process; false if another process has it already. */
  readonly claimTick: (tick: Date) => boolean;
  readonly runBatch: (run: { trigger: BatchTrigger; signal: AbortSignal }) => Promise<BatchResult>;
}

/** How long `stop` lets a running batch go on before it is cancelled, in seconds; together with the roll-back it stays below 20. */
const GRACE_SECONDS = 10;

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #cron: ScheduledTask;
  readonly #cancel = new AbortController();
  #state: RunState = "idle";
  #batchId: number | undefined;
  /** Settles when the running batch, or the last one, is over. */
  #ended: Promise<void> = Promise.resolve();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    // Missed ticks are not made up for: the next batch reads everything since the last one anyway.
    this.#cron = scheduleCron(options.schedule, ({ date }) => this.#tick(date), { timezone: options.timezone });
  }

  /** When the schedule is due next; undefined once stopped. */
  nextTick(): Date | undefined {
    return this.#state === "stopped" || this.#state === "stopping" ? undefined : (this.#cron.getNextRun() ?? undefined);
  }

  /** The number of the running batch. */
  running(): number | undefined {
    return this.#batchId;
  }

  /**
   * Starts a batch now.
   *
   * @returns as soon as the batch has begun
   * @throws NovaError BATCH_RUNNING, also where another process runs one
   */
  async runNow(): Promise<{ batchId: number }> {
    if (this.#apply("request") === "refuse") throw this.#refusal();
    return { batchId: await this.#start("manual") };
  }

  /** The same without waiting; where it cannot begin, the log says so, and the schedule goes on. */
  runSoon(): void {
    this.runNow().catch((thrown: unknown) => this.#logFailure(thrown, "the batch at the start"));
  }

  /** Ends the schedule; a running batch may finish within the grace time, then it is cancelled. Resolves when all is quiet. */
  async stop(): Promise<void> {
    await this.#cron.destroy();
    if (this.#apply("stop") !== "cancel") return;
    this.#options.log.info(`stopping; the running batch has ${GRACE_SECONDS} s to finish`);
    const waited = new AbortController();
    const grace = this.#options.clock.sleep(GRACE_SECONDS * 1000, waited.signal).then(
      () =>
        this.#cancel.abort(
          new NovaError("BATCH_CANCELLED", "The batch was cancelled because the process was told to stop."),
        ),
      () => undefined,
    );
    await this.#ended;
    waited.abort();
    await grace;
  }

  #apply(event: RunEvent) {
    const { next, action } = transition(this.#state, event);
    this.#state = next;
    return action;
  }

  #refusal(): NovaError {
    if (this.#state !== "running")
      return new NovaError("BATCH_RUNNING", "The process is ending and starts no more batches.");
    const which = this.#batchId === undefined ? "A batch" : `Batch ${this.#batchId}`;
    return new NovaError("BATCH_RUNNING", `${which} is still running.`, { remedy: "Wait until it is over." });
  }

  #tick(date: Date): void {
    const what = `the batch of ${date.toISOString()}`;
    try {
      if (!this.#options.claimTick(date)) return;
      if (this.#apply("tick") === "start")
        this.#start("schedule").catch((thrown: unknown) => this.#logFailure(thrown, what));
      else this.#options.log.warn(`the tick of ${date.toISOString()} is skipped: a batch is still running`);
    } catch (thrown) {
      // The history cannot be written (a full disk): the next tick is another chance.
      this.#logFailure(thrown, what);
    }
  }

  #logFailure(thrown: unknown, what: string): void {
    const { code, message, remedy } = toNovaError(thrown);
    this.#options.log.error({ code, remedy }, `${what} failed: ${code}: ${message} ${remedy}`);
  }

  /** @returns the batch's number, as soon as it has one */
  #start(trigger: BatchTrigger): Promise<number> {
    const { events, log, runBatch } = this.#options;
    const { promise: begun, resolve, reject } = Promise.withResolvers<number>();
    const unsubscribe = events.subscribe((event) => {
      if (event.type !== "batch_started") return;
      this.#batchId = event.batchId;
      resolve(event.batchId);
    });
    this.#ended = runBatch({ trigger, signal: this.#cancel.signal })
      .then(
        ({ batch_id, status, seconds }) =>
          log.info({ batch: batch_id, status }, `batch ${batch_id}: ${status} in ${seconds} s`),
        (thrown: unknown) => {
          // Nobody waits any more for a batch that has begun.
          if (this.#batchId === undefined) reject(thrown);
          else this.#logFailure(thrown, `batch ${this.#batchId}`);
        },
      )
      .finally(() => {
        unsubscribe();
        this.#batchId = undefined;
        this.#apply("finished");
      });
    return begun;
  }
}
