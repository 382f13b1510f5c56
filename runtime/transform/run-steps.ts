/** Runs steps that wait for each other, a bounded number at a time; what waits for a step that failed is skipped. */

export interface Step {
  readonly id: string;
  /** Ids of steps that must have succeeded; ids that are not among the steps do not count. */
  readonly after: readonly string[];
}

export interface RunStepsOptions<T extends Step> {
  /** In an order in which every step stands behind those it waits for, at best; must be without a circle. */
  readonly steps: readonly T[];
  readonly limit: number;
  readonly signal: AbortSignal;
  /** @returns whether the steps that wait for this one may run */
  readonly run: (step: T) => Promise<boolean>;
  /** @param because the failed step at the root */
  readonly skip: (step: T, because: T) => void;
}

/**
 * Nothing is still running when this returns or throws.
 *
 * @throws the signal's reason when aborted, or what `run` threw: no further step is begun then
 */
export async function runSteps<T extends Step>({ steps, limit, signal, run, skip }: RunStepsOptions<T>): Promise<void> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const waiting = new Map<string, Set<string>>();
  const followers = new Map<string, T[]>();
  for (const step of steps) {
    const after = new Set(step.after.filter((id) => byId.has(id)));
    waiting.set(step.id, after);
    for (const id of after) followers.set(id, [...(followers.get(id) ?? []), step]);
  }
  const ready = steps.filter((step) => waiting.get(step.id)?.size === 0);
  const skipped = new Set<string>();
  const skipFollowers = (failed: T) => {
    const front = [failed];
    for (let step = front.pop(); step; step = front.pop()) {
      for (const follower of followers.get(step.id) ?? []) {
        if (skipped.has(follower.id)) continue;
        skipped.add(follower.id);
        skip(follower, failed);
        front.push(follower);
      }
    }
  };
  const release = (done: T) => {
    for (const follower of followers.get(done.id) ?? []) {
      const after = waiting.get(follower.id);
      after?.delete(done.id);
      if (after?.size === 0 && !skipped.has(follower.id)) ready.push(follower);
    }
  };
  const running = new Set<Promise<void>>();
  const thrown: unknown[] = [];
  const begin = async (step: T): Promise<void> => {
    try {
      if (await run(step)) release(step);
      else skipFollowers(step);
    } catch (error) {
      thrown.push(error);
    }
  };
  while (running.size > 0 || ready.length > 0) {
    while (running.size < limit && thrown.length === 0 && !signal.aborted) {
      const step = ready.shift();
      if (!step) break;
      const work = begin(step).finally(() => running.delete(work));
      running.add(work);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  signal.throwIfAborted();
  if (thrown.length > 0) throw thrown[0];
}
