/** One lock for each table, as UPDATE, DELETE and MERGE take it: https://docs.snowflake.com/en/sql-reference/transactions#resource-locking. */

export interface LockHolder {
  /** Identifier of its transaction. */
  readonly transaction: string;
  /** Statement that took the lock. */
  readonly statement: string;
}

interface Lock {
  readonly owner: object;
  readonly holder: LockHolder;
}

export class Locks {
  readonly #locks = new Map<string, Lock>();
  #waiting: (() => void)[] = [];

  /**
   * Waits until nobody else holds the lock.
   *
   * @returns who still held it when the time was over; undefined if the lock was taken
   * @throws the reason of `signal`
   */
  async acquire(options: {
    readonly table: string;
    readonly owner: object;
    readonly holder: LockHolder;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): Promise<LockHolder | undefined> {
    const { table, owner, holder, signal } = options;
    const until = Date.now() + options.timeoutMs;
    for (;;) {
      signal.throwIfAborted();
      const lock = this.#locks.get(table);
      if (!lock || lock.owner === owner) {
        if (!lock) this.#locks.set(table, { owner, holder });
        return undefined;
      }
      const left = until - Date.now();
      if (left <= 0) return lock.holder;
      await this.#released(left, signal);
    }
  }

  release(owner: object): void {
    for (const [table, lock] of this.#locks) if (lock.owner === owner) this.#locks.delete(table);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #released(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(milliseconds, 2 ** 31 - 1));
      signal.addEventListener("abort", wake, { once: true });
      this.#waiting.push(wake);
    });
  }
}
