/**
 * Runs a batch in a process of its own.
 *
 * The engine and its libraries take some 100 MB that a process does not give back (measured: 105 MB before the first batch, 220 MB after it,
 * in one process); this way an idle server stays as small as it began, and a crash of the native engine ends the batch alone.
 * The price is the start of the process, about 0.3 s.
 */
import { fork } from "node:child_process";
import { join } from "node:path";
import type { Config } from "../config/options.ts";
import { fromReport, NovaError, toNovaError } from "../core/errors.ts";
import { EventBus, type BatchTrigger } from "../core/events.ts";
import type { BatchResult } from "../core/result.ts";
import type { VerificationResult } from "../core/verification.ts";
import type { Store } from "../store/store.ts";
import { acquireBatchLock } from "./batch-lock.ts";
import type { FromBatch, ToBatch } from "./batch-message.ts";

export interface BatchProcessOptions {
  readonly config: Config;
  /** Only to close the batch if its process dies; the process itself records it. */
  readonly store: Store;
  /** Hears the batch's events. */
  readonly events: EventBus;
  readonly trigger: BatchTrigger;
  readonly signal: AbortSignal;
}

export type VerificationProcessOptions = Pick<BatchProcessOptions, "config" | "signal">;

/** How long a batch that was told to stop may take to roll back, in seconds; with the scheduler's grace it stays below 20. */
const ROLLBACK_SECONDS = 8;

/** @throws NovaError as `runBatch`, or BATCH_ABANDONED if the process died */
export async function runBatchInProcess(options: BatchProcessOptions): Promise<BatchResult> {
  const { config, trigger } = options;
  const { outcome, how } = await work({ type: "run", config, trigger }, options);
  if (outcome?.type === "error") throw fromReport(outcome.error);
  if (outcome?.type !== "result") throw abandoned(options, how);
  return outcome.result;
}

/** @throws NovaError as `runVerification`, or BATCH_ABANDONED if the process died */
export async function verifyInProcess({ config, signal }: VerificationProcessOptions): Promise<VerificationResult> {
  const { outcome, how } = await work({ type: "verify", config }, { events: new EventBus(), signal });
  if (outcome?.type === "error") throw fromReport(outcome.error);
  if (outcome?.type === "verified") return outcome.result;
  if (signal.aborted) throw toNovaError(signal.reason);
  throw new NovaError("BATCH_ABANDONED", `The process of a verification ended before it was done (${how}).`, {
    remedy: "Nothing to do: a verification writes nothing, and the next one starts anew.",
  });
}

interface Worked {
  /** undefined if the process died. */
  readonly outcome: Exclude<FromBatch, { type: "event" }> | undefined;
  /** How the process ended. */
  readonly how: string;
}

async function work(
  message: Exclude<ToBatch, { type: "cancel" }>,
  { events, signal }: Pick<BatchProcessOptions, "events" | "signal">,
): Promise<Worked> {
  signal.throwIfAborted();
  const child = fork(join(import.meta.dirname, "batch-worker.ts"), { serialization: "advanced" });
  const closed = Promise.withResolvers<string>();
  child.once("close", (status, killedBy) => closed.resolve(killedBy ?? `status ${status}`));
  // A process that could not be started, or is gone when something is said to it; in the latter case it closes as well.
  child.on("error", (error) => child.pid === undefined && closed.resolve(error.message));
  const tell = (said: ToBatch) => child.connected && child.send(said);
  let last: NodeJS.Timeout | undefined;
  const cancel = () => {
    tell({ type: "cancel", reason: toNovaError(signal.reason).report() });
    // What is not over by then is left to the warehouse, which publishes a batch whole or not at all.
    last = setTimeout(() => child.kill("SIGKILL"), ROLLBACK_SECONDS * 1000);
  };
  signal.addEventListener("abort", cancel, { once: true });
  let outcome: Worked["outcome"];
  child.on("message", (heard: FromBatch) => {
    if (heard.type === "event") events.emit(heard.event);
    else outcome = heard;
  });
  try {
    tell(message);
    const how = await closed.promise;
    return { outcome, how };
  } finally {
    clearTimeout(last);
    signal.removeEventListener("abort", cancel);
  }
}

function abandoned({ config, signal, store }: BatchProcessOptions, how: string): NovaError {
  using _lock = acquireBatchLock(config.stateDir);
  const [batch] = store.closeAbandoned(new Date());
  if (batch !== undefined) {
    return new NovaError("BATCH_ABANDONED", `The process of batch ${batch} ended in the middle of it (${how}).`);
  }
  if (signal.aborted) return toNovaError(signal.reason);
  return new NovaError("BATCH_ABANDONED", `The process of a batch ended before the batch began (${how}).`);
}
