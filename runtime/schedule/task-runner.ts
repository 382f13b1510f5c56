/** Runs the tasks of one batch: each limited in time, retried when its error may pass, and told to the subscribers. */
import { secondsBetween, type Clock } from "../core/clock.ts";
import { NovaError, toNovaError } from "../core/errors.ts";
import type { BatchEvent } from "../core/events.ts";
import { retryDelay, type RetryPolicy } from "../core/retry.ts";
import { taskId, type TaskContext, type TaskProgress, type TaskRef, type TaskRunner } from "../core/task.ts";

export interface TaskRunnerOptions {
  readonly batchId: number;
  readonly emit: (event: BatchEvent) => void;
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  /** Time limit of one attempt, in seconds. */
  readonly timeout: number;
  /** Aborted when the batch is to stop; its reason is what the running tasks fail with. */
  readonly signal: AbortSignal;
}

/** Progress is told at most this often for each task, in milliseconds: faster than an eye follows, slower than files come. */
const PROGRESS_INTERVAL = 200;

export function createTaskRunner(options: TaskRunnerOptions): TaskRunner {
  const attempts = new Map<string, number>();
  return {
    signal: options.signal,
    run: (task, work, { signal } = {}) => {
      const inner = signal ? { ...options, signal: AbortSignal.any([options.signal, signal]) } : options;
      const id = taskId(task);
      const attemptOnce = () => {
        const attempt = (attempts.get(id) ?? 0) + 1;
        attempts.set(id, attempt);
        return runAttempt(inner, task, attempt, work);
      };
      return retrying(inner, { subject: id, task, retries: (error) => !error.restartsLoad }, attemptOnce);
    },
    restartable: (work) => retrying(options, { subject: "the load", retries: (error) => error.restartsLoad }, work),
  };
}

interface Retrying {
  /** What is tried again, for the log. */
  readonly subject: string;
  readonly task?: TaskRef | undefined;
  /** Which errors are answered at this level. */
  readonly retries: (error: NovaError) => boolean;
}

async function retrying<T>(options: TaskRunnerOptions, what: Retrying, work: () => Promise<T>): Promise<T> {
  const { batchId, clock, emit, retry, signal } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      const error = toNovaError(thrown);
      const delay = what.retries(error) && !signal.aborted ? retryDelay(retry, error, attempt) : undefined;
      if (delay === undefined) throw error;
      const message = `${what.subject} failed (${error.code}: ${error.message}); trying again in ${delay / 1000} s`;
      emit({ type: "log", batchId, at: clock.now(), task: what.task, level: "warn", message });
      await clock.sleep(delay, signal);
    }
  }
}

async function runAttempt<T>(
  options: TaskRunnerOptions,
  task: TaskRef,
  attempt: number,
  work: (context: TaskContext) => Promise<T>,
): Promise<T> {
  const { batchId, clock, emit } = options;
  const startedAt = clock.now();
  emit({ type: "task_started", batchId, at: startedAt, task, attempt });
  const finish = (status: "success" | "failed", error?: NovaError) => {
    const at = clock.now();
    const seconds = secondsBetween(startedAt, at);
    emit({ type: "task_finished", batchId, at, task, attempt, status, seconds, error: error?.report() });
  };
  try {
    const result = await withTimeLimit(options, task, (signal) =>
      work(taskContext(options, { task, attempt, signal })),
    );
    finish("success");
    return result;
  } catch (thrown) {
    const error = toNovaError(thrown);
    // Work that was stopped is no failure of its own: whatever stopped it has its own line.
    if (!options.signal.aborted) {
      emit({ type: "log", batchId, at: clock.now(), task, level: "error", message: `${error.code}: ${error.message}` });
    }
    finish("failed", options.signal.aborted ? stopped() : error);
    throw error;
  }
}

function stopped(): NovaError {
  return new NovaError("BATCH_CANCELLED", "The task was stopped with its batch.");
}

interface Attempt {
  readonly task: TaskRef;
  readonly attempt: number;
  readonly signal: AbortSignal;
}

function taskContext({ batchId, clock, emit }: TaskRunnerOptions, { task, attempt, signal }: Attempt): TaskContext {
  let lastTold = Number.NEGATIVE_INFINITY;
  const progress = (progress: TaskProgress) => {
    const at = clock.now();
    if (at.getTime() - lastTold < PROGRESS_INTERVAL) return;
    lastTold = at.getTime();
    emit({ type: "task_progress", batchId, at, task, progress });
  };
  const log = (message: string, level: "info" | "warn" = "info") =>
    emit({ type: "log", batchId, at: clock.now(), task, level, message });
  return { signal, attempt, progress, log };
}

/** Aborts `work` when its time is over, and reports that rather than whatever the abort made it throw. */
async function withTimeLimit<T>(
  { clock, signal, timeout }: TaskRunnerOptions,
  task: TaskRef,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const over = new AbortController();
  const timer = clock.sleep(timeout * 1000, over.signal).then(
    () => limit.abort(new NovaError("TASK_TIMEOUT", `${taskId(task)} took longer than its limit of ${timeout} s.`)),
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([signal, limit.signal]));
  } catch (thrown) {
    if (limit.signal.aborted) throw limit.signal.reason;
    if (signal.aborted) throw signal.reason;
    throw thrown;
  } finally {
    over.abort();
    await timer;
  }
}
