/** Rows on their way into one stage table, in a table that no model knows of. */
import pLimit, { type LimitFunction } from "p-limit";
import { NovaError } from "../../core/errors.ts";
import type { StagedFile } from "../../core/staged-file.ts";
import type { ManifestTable } from "../../manifest/manifest.ts";
import type { Incoming, IncomingPurpose, StatementOptions } from "../warehouse.ts";
import { EngineError, resourceError, statementError } from "./engine-error.ts";
import type { Engine, Session } from "./engine.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import {
  countRowsAndKeys,
  createIncoming,
  findDuplicateKey,
  findMisfit,
  findNullKey,
  incomingColumns,
  insertFile,
  type AttemptColumn,
  type FileToRead,
} from "./sql/incoming.ts";

/** Bytes of the CSV reader's buffer for each thread: smaller is slower, larger is only more memory (5 M rows: 2 MB as fast as 32 MB). */
const BUFFER = 2 ** 21;
/** The largest buffer that DuckDB takes; a row of four texts of 16 M characters may be as long. */
const MAX_BUFFER = 2 ** 28;

/** So many that two threads' row groups (see MemoryBudget) do not fit even into what queries have: one thread inserts them. */
export const VERY_MANY_COLUMNS = 200;

/** What all incoming tables of a warehouse share. */
export interface IncomingShared {
  readonly engine: Engine;
  readonly memory: MemoryBudget;
  /**
   * One file at a time, with all threads. Measured with 5 M rows in eight files of 64 MB on two cores: one after the other 1.3-1.7 s and
   * 225 MB resident, two at a time 1.5-1.8 s and 245 MB, one statement over all files 1.5-1.8 s and 300-385 MB.
   */
  readonly queue: LimitFunction;
}

export function createIncomingShared(engine: Engine, memory: MemoryBudget): IncomingShared {
  return { engine, memory, queue: pLimit(1) };
}

export interface DuckDbIncomingOptions {
  readonly shared: IncomingShared;
  readonly table: ManifestTable;
  readonly purpose: IncomingPurpose;
  /** Quoted name of the table that takes the rows. */
  readonly target: string;
  readonly attempt?: AttemptColumn | undefined;
}

export interface InsertOptions extends StatementOptions {
  readonly file: StagedFile;
}

export class DuckDbIncoming implements Incoming {
  readonly table: ManifestTable;
  readonly purpose: IncomingPurpose;
  /** Quoted name of the table that takes the rows. */
  readonly target: string;
  readonly #shared: IncomingShared;
  readonly #columns: FileToRead["columns"];
  readonly #padded: boolean;
  readonly #attempt: AttemptColumn | undefined;
  #parallel = true;
  #rows = 0;
  /** Whether the table is there. */
  #made: boolean;

  protected constructor({ shared, table, purpose, target, attempt }: DuckDbIncomingOptions) {
    this.#shared = shared;
    this.#attempt = attempt;
    this.#made = attempt !== undefined;
    this.table = table;
    this.purpose = purpose;
    this.target = target;
    this.#columns = incomingColumns(table, purpose);
    this.#padded = this.#columns.length === 1 && this.#columns.some((column) => column.nullable);
  }

  static async open(options: DuckDbIncomingOptions): Promise<DuckDbIncoming> {
    const incoming = new DuckDbIncoming(options);
    if (options.purpose === "keys") await incoming.#make();
    return incoming;
  }

  /** With the first file that has rows: it is a commit of its own, and in most batches most tables have nothing new. */
  async #make(): Promise<void> {
    if (this.#made) return;
    await this.#run("making room for", (session) => session.run(createIncoming(this.target, this.table, this.purpose)));
    this.#made = true;
  }

  /** Whether no row has come, so that there is no table. */
  get isEmpty(): boolean {
    return !this.#made;
  }

  async add(file: StagedFile, { signal }: StatementOptions = {}): Promise<void> {
    await this.#shared.queue(async () => {
      signal?.throwIfAborted();
      await this.#make();
      await this.#read(file, signal);
      this.#rows += file.rows;
    });
  }

  /** How many rows `seal` has to find, where that is known better than by what was added. */
  protected expect(rows: number): void {
    this.#rows = rows;
  }

  /** Runs the statement that takes a file in. */
  protected async insert(session: Session, sql: string, { signal }: InsertOptions): Promise<void> {
    await session.run(sql, { signal });
  }

  async #read(file: StagedFile, signal: AbortSignal | undefined): Promise<void> {
    const buffer = this.#bufferFor(file);
    const read = (parallel: boolean): FileToRead => ({
      path: file.path,
      columns: this.#columns,
      padded: this.#padded,
      buffer,
      parallel,
    });
    const spread = this.#parallel && buffer === BUFFER && this.#columns.length <= VERY_MANY_COLUMNS;
    try {
      await this.#insert(read(spread), { file, signal });
    } catch (thrown) {
      if (!(thrown instanceof EngineError)) throw thrown;
      if (!spread || (file.bytes <= buffer && !file.path.endsWith(".gz")))
        throw await this.#explain(thrown, read(false));
      this.#parallel = false;
      await this.#read(file, signal);
    }
  }

  /** A row that is longer than the CSV reader's buffer may come back wrong without an error. */
  #bufferFor({ longestRow: longest }: StagedFile): number {
    if (longest < BUFFER) return BUFFER;
    if (longest < MAX_BUFFER) return 2 ** Math.ceil(Math.log2(longest + 1));
    throw new NovaError(
      "WAREHOUSE_VALUE_INVALID",
      `${this.table.name} has a row of ${Math.ceil(longest / 2 ** 20)} MB; DuckDB reads rows of up to ${MAX_BUFFER / 2 ** 20} MB.`,
      { remedy: "Leave its largest column out of the manifest.", details: { table: this.table.name, bytes: longest } },
    );
  }

  async #insert(read: FileToRead, options: InsertOptions): Promise<void> {
    const sql = insertFile(this.target, read, this.#attempt);
    await this.#withRoom(read, () => this.#shared.engine.use((session) => this.insert(session, sql, options)));
  }

  #withRoom<T>({ buffer, columns }: FileToRead, work: () => Promise<T>): Promise<T> {
    const { memory } = this.#shared;
    // Larger buffers do not fit into the memory that loading has.
    return buffer > BUFFER ? memory.large(work) : memory.inserting(columns.length, work);
  }

  /** The engine names at best a line of the file; the user needs the row of the source. */
  async #explain(error: EngineError, file: FileToRead): Promise<unknown> {
    const general = resourceError(error, `reading rows of ${this.table.name}`);
    if (general) return general;
    const found = await this.#withRoom(file, () =>
      this.#shared.engine.use((session) => session.run(findMisfit(file, this.table))),
    ).catch(() => undefined);
    const [row, column, value, key] = found?.rows[0] ?? [];
    if (typeof column !== "string") return this.#unreadable(error);
    const type = this.#columns.find(({ name }) => name === column)?.type;
    const where =
      key === null || key === undefined
        ? `in row ${String(row)} of a staged file`
        : `in the row with key ${String(key)}`;
    const shown = value === null || value === undefined ? "NULL" : `'${shorten(String(value))}'`;
    return new NovaError("WAREHOUSE_VALUE_INVALID", `${this.table.name}.${column} cannot hold ${shown} ${where}.`, {
      cause: error,
      ...(value === null || value === undefined
        ? {
            remedy: `Take the not_null constraint from ${this.table.name}.${column} in the manifest, or correct the row in the source.`,
          }
        : type?.kind === "number" && type.precision === 38 && type.scale === 0
          ? {
              remedy: `Declare ${this.table.name}.${column} with its digits, e.g. number(37,0), in the manifest: an integer has 64 bits here.`,
            }
          : {}),
      details: {
        table: this.table.name,
        column,
        value: shown,
        row: Number(row),
        ...(typeof key === "string" ? { key } : {}),
      },
    });
  }

  #unreadable(error: EngineError): NovaError {
    const line = /CSV Error on Line: (\d+)/.exec(error.facts.text)?.[1];
    const reason = error.facts.text
      .split("\n")
      .filter((part) => part.trim() !== "" && !/^(CSV Error on Line|Original Line)/.test(part))
      .at(0);
    const place = line === undefined ? "a staged file" : `line ${line} of a staged file`;
    return new NovaError(
      "WAREHOUSE_VALUE_INVALID",
      `${this.table.name}: ${place} cannot be read: ${shorten(reason ?? error.facts.summary)}`,
      { cause: error, details: { table: this.table.name, ...(line === undefined ? {} : { line: Number(line) }) } },
    );
  }

  async seal({ signal }: StatementOptions = {}): Promise<number> {
    const { table, target } = this;
    if (!this.#made) return 0;
    return this.#run("checking", async (session) => {
      const key = this.purpose === "rows" ? table.primaryKey : [];
      const [counts = []] = (await session.run(countRowsAndKeys(target, key), { signal })).rows;
      const [rows = 0, ...keyed] = counts.map(Number);
      if (rows !== this.#rows) {
        throw new NovaError(
          "LOAD_ROWS_LOST",
          `${table.name}: ${this.#rows} rows were read from the source, but ${rows} are in the warehouse.`,
          { details: { table: table.name, sent: this.#rows, found: rows } },
        );
      }
      // Keys alone are only looked up in: one that stands there twice does no harm, and 5 M of them take 70 MB and 0.3 s to check.
      if (keyed.some((count) => count < rows)) await this.#failForNullKey(session, signal);
      if (key.length > 0) await this.#checkKeys(session, signal);
      return rows;
    });
  }

  async #failForNullKey(session: Session, signal: AbortSignal | undefined): Promise<never> {
    const { table, target } = this;
    const [found = []] = (await session.run(findNullKey(target, table.primaryKey), { signal })).rows;
    const key = found.map((value) => value ?? "NULL").join(", ");
    throw new NovaError(
      "LOAD_KEY_NULL",
      `${table.name}: a row has NULL in its primary key (${table.primaryKey.join(", ")}): (${key}).`,
      { details: { table: table.name, key } },
    );
  }

  async #checkKeys(session: Session, signal: AbortSignal | undefined): Promise<void> {
    const { table, target } = this;
    const names = table.primaryKey.join(", ");
    const [shared] = (await session.run(findDuplicateKey(target, table.primaryKey), { signal })).rows;
    if (shared) {
      const [count, ...values] = shared;
      const key = values.join(", ");
      throw new NovaError(
        "LOAD_KEY_DUPLICATE",
        `${table.name}: ${String(count)} rows share the primary key (${names}) = (${shorten(key)}).`,
        { details: { table: table.name, key, rows: Number(count) } },
      );
    }
  }

  async discard(): Promise<void> {
    await this.#run("discarding", (session) => session.run(`DROP TABLE IF EXISTS ${this.target}`));
    this.#rows = 0;
  }

  async #run<T>(doing: string, work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#shared.engine.use(work);
    } catch (thrown) {
      throw statementError(thrown, `${doing} the rows of ${this.table.name}`);
    }
  }
}

/** Quoted name of the table that holds the rows, if there are any. */
export function targetOf(incoming: Incoming): string {
  return here(incoming).target;
}

export function isEmpty(incoming: Incoming): boolean {
  return here(incoming).isEmpty;
}

function here(incoming: Incoming): DuckDbIncoming {
  if (incoming instanceof DuckDbIncoming) return incoming;
  throw new NovaError("INTERNAL", `The rows of ${incoming.table.name} were taken in by another warehouse.`);
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
