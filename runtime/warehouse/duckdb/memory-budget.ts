/** How much memory DuckDB may use at the moment: little while it only loads, more while a model or a query runs. */
import type { Engine } from "./engine.ts";

export interface MemoryBudgetOptions {
  readonly engine: Engine;
  /** Megabytes while nothing but loading goes on. */
  readonly load: number;
  /** Megabytes while a model or query runs. */
  readonly query: number;
}

/**
 * Loading needs little (measured, 5 M rows: as fast with 96 MB as with 256 MB, and 280 MB resident instead of 400), but sorts and joins of
 * models want more. The limit belongs to the database, not to a connection, so the larger wish wins while both go on.
 */
export class MemoryBudget {
  readonly #options: MemoryBudgetOptions;
  #large = 0;
  #changes: Promise<void> = Promise.resolve();

  constructor(options: MemoryBudgetOptions) {
    this.#options = options;
  }

  /** Runs `work` with the larger limit. */
  async large<T>(work: () => Promise<T>): Promise<T> {
    this.#large += 1;
    if (this.#large === 1) await this.#set(this.#options.query);
    try {
      return await work();
    } finally {
      this.#large -= 1;
      if (this.#large === 0) await this.#set(this.#options.load);
    }
  }

  /** A limit that cannot be lowered at once (the memory is pinned) is lowered next time; nothing depends on it. */
  #set(megabytes: number): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      const wanted = this.#large > 0 ? this.#options.query : megabytes;
      await this.#options.engine
        .use((session) => session.run(`SET memory_limit = '${wanted}MB'`))
        .catch(() => undefined);
    });
    return this.#changes;
  }
}
