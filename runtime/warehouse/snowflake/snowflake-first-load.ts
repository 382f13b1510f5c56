/** Rows of a first load that another batch may go on with: its files stay on the stage until the table is published. */
import { NovaError } from "../../core/errors.ts";
import type { StagedFile } from "../../core/staged-file.ts";
import type { Completion, FirstLoad, StatementOptions } from "../warehouse.ts";
import { changes, single } from "./rows.ts";
import { rowsLost, SnowflakeIncoming, targetOf, type IncomingOptions } from "./snowflake-incoming.ts";
import { countRows, deleteAbsent, dropFirstLoad, takeEarlier } from "./sql/first-load.ts";
import type { IncomingShape } from "./sql/incoming.ts";
import { stagePath } from "./sql/names.ts";
import { dropIncomingTable, removeFiles } from "./sql/pipeline.ts";
import { loadFolder, partFolder } from "./staged-parts.ts";
import type { SnowflakeSession } from "./statement.ts";

/** What one opening of the load has put on the stage. */
export interface Opening {
  readonly number: number;
  readonly rows: number;
}

export interface FirstLoadOptions extends Omit<IncomingOptions, "folder" | "purpose"> {
  readonly loadId: string;
  /** Of this opening. */
  readonly number: number;
  /** Those that have files on the stage, the latest first. */
  readonly earlier: readonly Opening[];
}

interface Completed {
  readonly shape: IncomingShape;
  /** Rows of the snapshot. */
  readonly rows: number;
}

export class SnowflakeFirstLoad extends SnowflakeIncoming implements FirstLoad {
  /** On the stage. */
  readonly folder: string;
  readonly #options: FirstLoadOptions;
  #completed: Completed | undefined;

  constructor(options: FirstLoadOptions) {
    const folder = loadFolder(options.loadId);
    super({ ...options, purpose: "rows", folder });
    this.#options = options;
    this.folder = folder;
  }

  override async add(
    file: StagedFile,
    { note, ...options }: StatementOptions & { readonly note?: string | undefined } = {},
  ): Promise<void> {
    const { loadId, number } = this.#options;
    await this.put(file, partFolder({ loadId, opening: number, rows: file.rows, note }), options);
  }

  async complete({ rows, keys }: Completion, options: StatementOptions = {}): Promise<void> {
    const { sessions } = this.#options;
    await this.#orDiscard(async () => {
      const { shape, left } = await sessions.use((session) => this.#gather(session, options));
      if (left > rows) {
        const all = targetOf(await keys());
        await sessions.use((session) => session.run(deleteAbsent(shape, all), options));
      }
      this.#completed = { shape, rows };
    });
  }

  override async seal(options: StatementOptions = {}): Promise<number> {
    const completed = this.#completed;
    return this.#orDiscard(() =>
      completed
        ? this.#options.sessions.use((session) => this.#sealCompleted(session, completed, options))
        : super.seal(options),
    );
  }

  async #sealCompleted(
    session: SnowflakeSession,
    { shape, rows }: Completed,
    options: StatementOptions,
  ): Promise<number> {
    const found = Number(single(await session.run(countRows(shape), options)));
    if (found !== rows) throw rowsLost(this.table, rows, found);
    await this.check(session, shape, options);
    this.settle(shape);
    return rows;
  }

  /** Of rows with one key those of the last opening, which saw the latest snapshot. */
  async #gather(
    session: SnowflakeSession,
    options: StatementOptions,
  ): Promise<{ readonly shape: IncomingShape; readonly left: number }> {
    const { loadId, number, earlier } = this.#options;
    const shape = await this.create(session, options);
    const openings = [...(this.sent > 0 ? [{ number, rows: this.sent }] : []), ...earlier];
    let left = 0;
    for (const [index, opening] of openings.entries()) {
      const taken = index === 0 ? shape : await this.create(session, options);
      const found = await this.copy(session, taken, loadFolder(loadId, opening.number), options);
      if (found !== opening.rows) throw rowsLost(this.table, opening.rows, found);
      if (taken === shape) left += found;
      else {
        left += changes(await session.run(takeEarlier(shape, taken.target), options)).inserted;
        await session.run(dropIncomingTable(taken.target), options);
      }
    }
    return { shape, left };
  }

  /** What is wrong once all is there would be wrong again if a later batch went on with it: a value, a key, a file that is lost. */
  async #orDiscard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const lasting =
        thrown instanceof NovaError && (thrown.code === "WAREHOUSE_VALUE_INVALID" || thrown.code.startsWith("LOAD_"));
      if (lasting) await this.discard().catch(() => undefined);
      throw thrown;
    }
  }

  override async discard(): Promise<void> {
    const { sessions, loadId } = this.#options;
    this.#completed = undefined;
    await sessions.use((session) => session.run(dropFirstLoad(this.table.name, loadId)));
    await super.discard();
    await sessions.use((session) => session.run(removeFiles(stagePath(this.folder))));
  }
}
