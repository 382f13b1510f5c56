/** What happens in a batch, as it happens: the terminal, the run history and the status page are subscribers. */
import { EventEmitter } from "node:events";
import type { ErrorReport } from "./errors.ts";
import type { BatchResult, ModelResult, TableResult, TestResult } from "./result.ts";
import type { TaskProgress, TaskRef } from "./task.ts";

export type BatchTrigger = "schedule" | "manual" | "command";

export type BatchEvent = { readonly batchId: number; readonly at: Date } & (
  | { readonly type: "batch_started"; readonly trigger: BatchTrigger }
  | { readonly type: "batch_finished"; readonly result: BatchResult }
  | { readonly type: "task_started"; readonly task: TaskRef; readonly attempt: number }
  | { readonly type: "task_progress"; readonly task: TaskRef; readonly progress: TaskProgress }
  | {
      readonly type: "task_finished";
      readonly task: TaskRef;
      readonly attempt: number;
      readonly status: "success" | "failed";
      readonly seconds: number;
      readonly error?: ErrorReport | undefined;
    }
  | { readonly type: "snapshot_opened"; readonly snapshot: string }
  | { readonly type: "table_finished"; readonly result: TableResult }
  | { readonly type: "model_finished"; readonly result: ModelResult }
  | { readonly type: "test_finished"; readonly result: TestResult }
  | {
      readonly type: "log";
      readonly task?: TaskRef | undefined;
      readonly level: "info" | "warn" | "error";
      readonly message: string;
    }
);

/** Hands each event to every subscriber, in the order of subscription, before `emit` returns. */
export class EventBus {
  readonly #emitter = new EventEmitter<{ event: [BatchEvent] }>().setMaxListeners(0);

  emit(event: BatchEvent): void {
    this.#emitter.emit("event", event);
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: (event: BatchEvent) => void): () => void {
    this.#emitter.on("event", listener);
    return () => this.#emitter.off("event", listener);
  }
}
