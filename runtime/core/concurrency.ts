/** Work on several things at once, bounded, that stops as a whole when one of them fails. */
import pLimit from "p-limit";

export interface Concurrency {
  /** How many at the same time. */
  readonly limit: number;
  /** Stops all of it. */
  readonly signal: AbortSignal;
}

/**
 * Maps `items` by `work`. After the first failure no further item is begun and the signal that each `work` got is aborted;
 * nothing is still running when this returns or throws.
 *
 * @throws what the first failure threw, or the reason of `signal`
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  { limit, signal }: Concurrency,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const run = pLimit(limit);
  const settled = await Promise.allSettled(
    items.map((item) =>
      run(async () => {
        either.throwIfAborted();
        try {
          return await work(item, either);
        } catch (thrown) {
          if (!either.aborted) stop.abort(thrown);
          throw thrown;
        }
      }),
    ),
  );
  if (stop.signal.aborted) throw stop.signal.reason;
  signal.throwIfAborted();
  return settled.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

/**
 * Two things at once. When one fails, the signal that the other got is aborted, and awaited: nothing is still running when this throws.
 *
 * @throws what the first failure threw, or the reason of `signal`
 */
export async function bothAtOnce<A, B>(
  signal: AbortSignal,
  one: (signal: AbortSignal) => Promise<A>,
  other: (signal: AbortSignal) => Promise<B>,
): Promise<[A, B]> {
  const found: { one?: A; other?: B } = {};
  const works = [
    async (stop: AbortSignal) => void (found.one = await one(stop)),
    async (stop: AbortSignal) => void (found.other = await other(stop)),
  ];
  await mapConcurrently(works, { limit: 2, signal }, (work, stop) => work(stop));
  return [found.one as A, found.other as B];
}
