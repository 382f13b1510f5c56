/**
 * Runs a batch in a process of its own.
 *
 * The engine and its libraries take some 100 MB that a process does not give back (measured: 105 MB before the first batch, 220 MB after it,
 * in one process); this way an idle server stays as small as it began, and a crash of the native engine ends the batch alone.
 * The price is the start of the process, about 0.3 s.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
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

/** @throws NovaError as `runBatch`, or BATCH_ABANDONED if the process died */
export async function runBatchInProcess(options: BatchProcessOptions): Promise<BatchResult> {
  const { config, events, signal, trigger } = options;
  signal.throwIfAborted();
  const child = fork(join(import.meta.dirname, "batch-worker.ts"), { serialization: "advanced" });
  const tell = (message: ToBatch) => child.connected && child.send(message);
  const cancel = () => tell({ type: "cancel", reason: toNovaError(signal.reason).report() });
  signal.addEventListener("abort", cancel, { once: true });
  let outcome: BatchResult | NovaError | undefined;
  child.on("message", (message: FromBatch) => {
    if (message.type === "event") events.emit(message.event);
    else outcome = message.type === "result" ? message.result : fromReport(message.error);
  });
  try {
    tell({ type: "run", config, trigger });
    const [status, killedBy] = await once(child, "exit");
    if (outcome === undefined) throw abandoned(options, killedBy ?? `status ${status}`);
    if (outcome instanceof NovaError) throw outcome;
    return outcome;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function abandoned({ config, store }: BatchProcessOptions, how: string): NovaError {
  using _lock = acquireBatchLock(config.stateDir);
  const closed = store.closeAbandoned(new Date());
  return new NovaError(
    "BATCH_ABANDONED",
    `The process of batch ${closed.join(", ")} ended in the middle of it (${how}).`,
  );
}
