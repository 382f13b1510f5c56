/** A batch is made of tasks. What runs them (retries, time limits, history) is passed in, so that load and transform know none of it. */

export type TaskKind =
  | "open"
  | "digest"
  | "prepare"
  | "watermark"
  | "extract"
  | "load"
  | "publish"
  | "model"
  | "test"
  | "verify";

export interface TaskRef {
  readonly kind: TaskKind;
  /** The table, model or test; empty for tasks of the whole batch. */
  readonly subject: string;
}

export interface TaskProgress {
  /** Rows so far. */
  readonly rows: number;
  /** Bytes so far, before compression. */
  readonly bytes: number;
}

export interface TaskContext {
  /** Aborted when the batch is cancelled or the task's time is over. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly attempt: number;
  progress(progress: TaskProgress): void;
  /** A line for the run history and the log. */
  log(message: string, level?: "info" | "warn"): void;
}

interface TaskOptions {
  /** Aborted when this task's work is in vain: it is stopped, and not tried again. */
  readonly signal?: AbortSignal | undefined;
}

export interface TaskRunner {
  /** Runs `work` as one task of the batch: recorded, limited in time, retried when its error is transient. */
  run<T>(task: TaskRef, work: (context: TaskContext) => Promise<T>, options?: TaskOptions): Promise<T>;
  /** Runs a whole made of tasks; all of it again, under the same rules, when an error says that nothing less will do. */
  restartable<T>(work: () => Promise<T>): Promise<T>;
  /** Aborted when the whole batch is to stop. */
  readonly signal: AbortSignal;
}

/** `vendas/extract`, `fct_vendas/model`, `publish`. */
export function taskId(task: TaskRef): string {
  return task.subject === "" ? task.kind : `${task.subject}/${task.kind}`;
}
