/** First loads that outlive the process which began them: rows and notes commit together, in the warehouse's own file. */
import type { StagedFile } from "../../core/staged-file.ts";
import type { ManifestTable } from "../../manifest/manifest.ts";
import type { Completion, FirstLoad, FirstLoadRequest, FirstLoads, KeptLoad, StatementOptions } from "../warehouse.ts";
import {
  DuckDbIncoming,
  type DuckDbIncomingOptions,
  type IncomingShared,
  targetOf,
  type InsertOptions,
} from "./duckdb-incoming.ts";
import { statementError } from "./engine-error.ts";
import type { Session } from "./engine.ts";
import { readFence } from "./read-fence.ts";
import {
  attemptColumn,
  deleteAbsent,
  deleteOlder,
  firstLoadsKept,
  firstLoadsToForget,
  forgetFirstLoad,
  incomingTables,
  noteFirstLoad,
  noteFirstLoadFile,
  openingsWithRows,
  readFirstLoad,
  readFirstLoadFiles,
} from "./sql/first-load.ts";
import { countRows, createIncoming, type AttemptColumn } from "./sql/incoming.ts";
import { firstLoadName, firstLoadTable, INCOMING } from "./sql/names.ts";
import { identifier } from "../../core/sql.ts";

/** Keys that are compared at a time, for the same reason as when vanished rows are looked for. */
const KEYS_AT_A_TIME = 500_000;

export class DuckDbFirstLoads implements FirstLoads {
  readonly #shared: IncomingShared;

  constructor(shared: IncomingShared) {
    this.#shared = shared;
  }

  async read(table: ManifestTable): Promise<KeptLoad | undefined> {
    return this.#run(`looking for an earlier load of ${table.name}`, async (session) => {
      const [found] = (await session.run(readFirstLoad(table.name))).rows;
      if (!found) return undefined;
      const files = (await session.run(readFirstLoadFiles(table.name))).rows;
      return {
        batchId: Number(found[0]),
        fence: readFence(String(found[2])),
        notes: files.map(([note]) => String(note)),
        rows: files.reduce((sum, [, rows]) => sum + Number(rows), 0),
      };
    });
  }

  async open(request: FirstLoadRequest): Promise<FirstLoad> {
    const { table, goesOn } = request;
    const target = firstLoadTable(table);
    const name = attemptColumn(table);
    const begin = (session: Session) =>
      session.transaction(async (): Promise<AttemptColumn> => {
        const [before] = goesOn ? (await session.run(readFirstLoad(table.name))).rows : [];
        const opened = { name, number: Number(before?.[1] ?? 0) + 1 };
        if (!before) {
          await runAll(session, [...forgetFirstLoad(table.name), createIncoming(target, table, "rows", opened)]);
        }
        await runAll(session, noteFirstLoad(request, opened.number));
        return opened;
      });
    // In turn with the files of other tables, which are noted in the same place.
    const attempt = await this.#shared.queue(() => this.#run(`making room for the rows of ${table.name}`, begin));
    return new DuckDbFirstLoad({ shared: this.#shared, table, purpose: "rows", target, attempt });
  }

  async #run<T>(doing: string, work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#shared.engine.use(work);
    } catch (thrown) {
      throw statementError(thrown, doing);
    }
  }
}

/** Drops what batches have left in the schema of incoming tables, but first loads that can be gone on with; in the transaction that runs. */
export async function clearIncoming(session: Session, tables: readonly ManifestTable[]): Promise<void> {
  const there = (await session.run(incomingTables())).rows.map(([name]) => String(name));
  // An older version of this program drops the rows, and knows nothing of the notes.
  const withRows = tables.filter((table) => there.includes(firstLoadName(table)));
  const gone = (await session.run(firstLoadsToForget(withRows.map(({ name }) => name)))).rows;
  for (const [name] of gone) await runAll(session, forgetFirstLoad(String(name)));
  const kept = new Set((await session.run(firstLoadsKept())).rows.map(([name]) => String(name)));
  const wanted = new Set(withRows.filter(({ name }) => kept.has(name)).map((table) => firstLoadName(table)));
  for (const name of there) {
    if (!wanted.has(name)) await session.run(`DROP TABLE ${identifier(INCOMING, name)}`);
  }
}

async function runAll(session: Session, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await session.run(statement);
}

export class DuckDbFirstLoad extends DuckDbIncoming implements FirstLoad {
  readonly #shared: IncomingShared;
  readonly #attempt: AttemptColumn;
  readonly #notes = new WeakMap<StagedFile, string>();

  constructor(options: DuckDbIncomingOptions & { readonly attempt: AttemptColumn }) {
    super(options);
    this.#shared = options.shared;
    this.#attempt = options.attempt;
  }

  override async add(file: StagedFile, options: StatementOptions & { readonly note?: string | undefined } = {}) {
    if (options.note !== undefined) this.#notes.set(file, options.note);
    await super.add(file, options);
  }

  protected override async insert(session: Session, sql: string, options: InsertOptions): Promise<void> {
    const note = this.#notes.get(options.file);
    if (note === undefined) return super.insert(session, sql, options);
    await session.transaction(async () => {
      await super.insert(session, sql, options);
      await session.run(noteFirstLoadFile(this.table.name, note, options.file.rows));
    });
  }

  async complete({ rows, keys }: Completion, { signal }: StatementOptions = {}): Promise<void> {
    const { table, target } = this;
    const openings = (await this.#ask(openingsWithRows(target, this.#attempt), signal)).map(([number, taken]) => ({
      number: Number(number),
      taken: Number(taken),
    }));
    for (const { number, taken } of openings.slice(0, -1)) {
      const attempt = { ...this.#attempt, number };
      await this.#inParts(taken, signal, (part) => deleteOlder(target, table, attempt, part));
    }
    const [[left] = []] = await this.#ask(countRows(target), signal);
    if (Number(left) > rows) {
      const all = targetOf(await keys());
      await this.#inParts(rows, signal, (part) => deleteAbsent(target, table, all, part));
    }
    this.expect(rows);
  }

  override async discard(): Promise<void> {
    for (const statement of forgetFirstLoad(this.table.name)) await this.#ask(statement, undefined);
    await super.discard();
  }

  /** @param keys that the statement holds in memory, all parts together */
  async #inParts(
    keys: number,
    signal: AbortSignal | undefined,
    statement: (part: { readonly index: number; readonly of: number }) => string,
  ): Promise<void> {
    const of = Math.max(1, Math.ceil(keys / KEYS_AT_A_TIME));
    for (let index = 0; index < of; index += 1) await this.#ask(statement({ index, of }), signal);
  }

  async #ask(sql: string, signal: AbortSignal | undefined) {
    try {
      return await this.#shared.memory.large(() =>
        this.#shared.engine.use(async (session) => (await session.run(sql, { signal })).rows),
      );
    } catch (thrown) {
      throw statementError(thrown, `completing the rows of ${this.table.name}`);
    }
  }
}
