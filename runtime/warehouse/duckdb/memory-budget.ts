/** How much memory DuckDB may use at the moment: little while it only loads, more while a model or a query runs. */
import type { Engine } from "./engine.ts";

export interface MemoryBudgetOptions {
  readonly engine: Engine;
  readonly threads: number;
  /** Megabytes while nothing but loading goes on. */
  readonly load: number;
  /** Megabytes while a model or query runs. */
  readonly query: number;
}

/**
 * Each thread that inserts holds a row group under construction: two blocks of 256 KB for every column, whatever the rows. With two threads and
 * 96 MB, 60 columns run out of memory (DuckDB 1.5.5); so many fit.
 */
const COLUMNS_THAT_FIT = 24;
/** Megabytes for each further column and thread: its row group, and as much again for what is read meanwhile. */
const MORE_COLUMNS = 1;

/**
 * Loading needs little (measured, 5 M rows: as fast with 96 MB as with 256 MB, and 280 MB resident instead of 400), but sorts and joins of
 * models want more. The limit belongs to the database, not to a connection, so the largest wish wins.
 */
export class MemoryBudget {
  readonly #options: MemoryBudgetOptions;
  readonly #wishes: number[] = [];
  #limit: number;
  #changes: Promise<void> = Promise.resolve();

  constructor(options: MemoryBudgetOptions) {
    this.#options = options;
    this.#limit = options.query;
  }

  /** The database has been opened with what queries have: a log that a killed process has left may need that. */
  async lower(): Promise<void> {
    await this.#set();
  }

  /** Runs `work` with what models and queries have. */
  async large<T>(work: () => Promise<T>): Promise<T> {
    return await this.#with(this.#options.query, work);
  }

  /** Runs `work`, which inserts rows of so many columns. */
  async inserting<T>(columns: number, work: () => Promise<T>): Promise<T> {
    const { load, query, threads } = this.#options;
    const more = Math.max(0, columns - COLUMNS_THAT_FIT) * threads * MORE_COLUMNS;
    return more === 0 ? await work() : await this.#with(Math.min(query, load + more), work);
  }

  async #with<T>(megabytes: number, work: () => Promise<T>): Promise<T> {
    this.#wishes.push(megabytes);
    await this.#set();
    try {
      return await work();
    } finally {
      this.#wishes.splice(this.#wishes.indexOf(megabytes), 1);
      await this.#set();
    }
  }

  /** A limit that cannot be lowered at once (the memory is pinned) is lowered next time; nothing depends on it. */
  #set(): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      const wanted = Math.max(this.#options.load, ...this.#wishes);
      if (wanted === this.#limit) return;
      await this.#options.engine
        .use((session) => session.run(`SET memory_limit = '${wanted}MB'`))
        .then(
          () => (this.#limit = wanted),
          () => undefined,
        );
    });
    return this.#changes;
  }
}
