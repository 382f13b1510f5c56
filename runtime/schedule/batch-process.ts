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
import type { BatchTrigger, EventBus } from "../core/events.ts";
import type { BatchResult } from "../core/result.ts";
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

/** How long a batch that was told to stop may take to roll back, in seconds; with the scheduler's grace it stays below 20. */
const ROLLBACK_SECONDS = 8;

/** @throws NovaError as `runBatch`, or BATCH_ABANDONED if the process died */
export async function runBatchInProcess(options: BatchProcessOptions): Promise<BatchResult> {
  const { config, events, signal, trigger } = options;
  signal.throwIfAborted();
  const child = fork(join(import.meta.dirname, "batch-worker.ts"), { serialization: "advanced" });
  const closed = Promise.withResolvers<string>();
  child.once("close", (status, killedBy) => closed.resolve(killedBy ?? `status ${status}`));
  // A process that could not be started, or is gone when something is said to it; in the latter case it closes as well.
  child.on("error", (error) => child.pid === undefined && closed.resolve(error.message));
  const tell = (message: ToBatch) => child.connected && child.send(message);
  let last: NodeJS.Timeout | undefined;
  const cancel = () => {
    tell({ type: "cancel", reason: toNovaError(signal.reason).report() });
    // What is not over by then is left to the warehouse, which publishes a batch whole or not at all.
    last = setTimeout(() => child.kill("SIGKILL"), ROLLBACK_SECONDS * 1000);
  };
  signal.addEventListener("abort", cancel, { once: true });
  let outcome: BatchResult | NovaError | undefined;
  child.on("message", (message: FromBatch) => {
    if (message.type === "event") events.emit(message.event);
    else outcome = message.type === "result" ? message.result : fromReport(message.error);
  });
  try {
    tell({ type: "run", config, trigger });
    const how = await closed.promise;
    if (outcome === undefined) throw abandoned(options, how);
    if (outcome instanceof NovaError) throw outcome;
    return outcome;
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
