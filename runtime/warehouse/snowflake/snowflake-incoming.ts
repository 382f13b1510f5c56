/** Rows on their way into one stage table: files on the stage, then one COPY into a table that no model knows of. */
import { randomUUID } from "node:crypto";
import { NovaError } from "../../core/errors.ts";
import type { StagedFile } from "../../core/staged-file.ts";
import type { ManifestTable } from "../../manifest/manifest.ts";
import type { Incoming, IncomingPurpose, StatementOptions } from "../warehouse.ts";
import { explainRefusal, misfitError } from "./misfit.ts";
import { named } from "./rows.ts";
import {
  copyFiles,
  createIncomingTable,
  findBadKey,
  findMisfit,
  incomingColumns,
  isReadAsText,
  putFile,
  type IncomingShape,
} from "./sql/incoming.ts";
import { incomingTable, incomingTableName, stagePath } from "./sql/names.ts";
import { dropIncomingTable, removeFiles } from "./sql/pipeline.ts";
import type { SnowflakeSession, SnowflakeSessions } from "./statement.ts";
import type { UsageMeter } from "./usage.ts";

export interface IncomingOptions {
  readonly sessions: SnowflakeSessions;
  readonly usage: UsageMeter;
  readonly batchId: number;
  readonly table: ManifestTable;
  readonly purpose: IncomingPurpose;
  /** On the stage, of this object alone; one of the batch's unless told. */
  readonly folder?: string | undefined;
}

export class SnowflakeIncoming implements Incoming {
  readonly table: ManifestTable;
  readonly purpose: IncomingPurpose;
  readonly #options: IncomingOptions;
  readonly #folder: string;
  readonly #unique: string;
  #files = 0;
  #sent = 0;
  #attempts = 0;
  #target: string | undefined;
  /** Names of all tables that were made, those of attempts that failed too. */
  readonly #made = new Set<string>();

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.table = options.table;
    this.purpose = options.purpose;
    const random = randomUUID().slice(0, 8);
    this.#folder = options.folder ?? `${options.batchId}/${random}`;
    this.#unique = `${options.batchId}_${random}`;
  }

  /** Quoted name of the table that holds the rows, once they are sealed. @throws NovaError INTERNAL before that, or after `discard` */
  get target(): string {
    if (this.#target === undefined) {
      throw new NovaError("INTERNAL", `The rows of ${this.table.name} have not been sealed, or were discarded.`);
    }
    return this.#target;
  }

  /** Every table that was made for the rows. */
  get tables(): readonly string[] {
    return [...this.#made];
  }

  /** Rows that were put on the stage. */
  protected get sent(): number {
    return this.#sent;
  }

  async add(file: StagedFile, options: StatementOptions = {}): Promise<void> {
    await this.put(file, this.#folder, options);
  }

  protected async put(file: StagedFile, folder: string, options: StatementOptions): Promise<void> {
    const { sessions, usage } = this.#options;
    const result = await sessions.use((session) => session.run(putFile(this.table, file.path, folder), options));
    for (const { source, status, message } of named(result, "source", "status", "message")) {
      if (status?.toUpperCase() === "UPLOADED") continue;
      throw new NovaError(
        "WAREHOUSE_UNREACHABLE",
        `${this.table.name}: file ${source} could not be put on the stage: ${message || status}.`,
      );
    }
    this.#files += 1;
    this.#sent += file.rows;
    usage.addStaged({ bytes: file.bytes, rows: file.rows });
  }

  async seal(options: StatementOptions = {}): Promise<number> {
    await this.#options.sessions.use(async (session) => {
      const shape = await this.create(session, options);
      const found = this.#files === 0 ? 0 : await this.copy(session, shape, this.#folder, options);
      if (found !== this.#sent) throw rowsLost(this.table, this.#sent, found);
      if (this.#sent > 0) await this.check(session, shape, options);
      this.settle(shape);
    });
    return this.#sent;
  }

  /** A table of its own for each attempt: Snowflake remembers by table which files it has loaded. */
  protected async create(session: SnowflakeSession, options: StatementOptions): Promise<IncomingShape> {
    const shape = this.#shape(`${this.#unique}_${++this.#attempts}`);
    this.#made.add(shape.target);
    await session.run(createIncomingTable(shape), options);
    return shape;
  }

  /** It holds the rows that are published. */
  protected settle({ target }: IncomingShape): void {
    this.#target = target;
  }

  #shape(unique: string): IncomingShape {
    const { table, purpose } = this;
    const target = incomingTable(incomingTableName(unique, table, purpose));
    return { table, columns: incomingColumns(table, purpose), target };
  }

  /** @returns rows loaded */
  protected async copy(
    session: SnowflakeSession,
    shape: IncomingShape,
    folder: string,
    options: StatementOptions,
  ): Promise<number> {
    try {
      const result = await session.run(copyFiles(shape, folder), options);
      // Where no file was found, the only column is `status`: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table#output
      if (!result.columns.some(({ name }) => name.toLowerCase() === "rows_loaded")) return 0;
      return named(result, "rows_loaded").reduce((sum, { rows_loaded: rows }) => sum + Number(rows), 0);
    } catch (thrown) {
      const text = incomingTable(incomingTableName(`${this.#unique}_${this.#attempts}`, this.table, "text"));
      throw await explainRefusal(thrown, { session, shape: { ...shape, target: text }, folder, options });
    }
  }

  protected async check(session: SnowflakeSession, shape: IncomingShape, options: StatementOptions): Promise<void> {
    const texts = shape.columns.filter(({ type }) => isReadAsText(type));
    if (texts.length > 0) {
      const [misfit] = (await session.run(findMisfit(shape, texts), options)).rows;
      if (misfit) throw misfitError(this.table, misfit);
    }
    // Keys alone are only looked up in: one that stands there twice does no harm.
    if (this.purpose === "keys" || this.table.primaryKey.length === 0) return;
    const [bad] = (await session.run(findBadKey(shape), options)).rows;
    if (bad) throw badKeyError(this.table, bad);
  }

  async discard(): Promise<void> {
    const made = this.tables;
    this.#made.clear();
    this.#target = undefined;
    this.#sent = 0;
    const files = this.#files;
    this.#files = 0;
    await this.#options.sessions.use(async (session) => {
      for (const target of made) await session.run(dropIncomingTable(target));
      if (files > 0) await session.run(removeFiles(stagePath(this.#folder)));
    });
  }
}

/** Quoted name of the table that holds the rows. @throws NovaError INTERNAL if they are not sealed */
export function targetOf(incoming: Incoming): string {
  if (incoming instanceof SnowflakeIncoming) return incoming.target;
  throw new NovaError("INTERNAL", `The rows of ${incoming.table.name} were taken in by another warehouse.`);
}

export function rowsLost(table: ManifestTable, sent: number, found: number): NovaError {
  return new NovaError(
    "LOAD_ROWS_LOST",
    `${table.name}: ${sent} rows were read from the source, but ${found} are in the warehouse.`,
    { details: { table: table.name, sent, found } },
  );
}

function badKeyError(table: ManifestTable, [count, nulls, ...values]: readonly (string | null)[]): NovaError {
  const names = table.primaryKey.join(", ");
  const key = values.map((part) => part ?? "NULL").join(", ");
  if (Number(nulls) > 0) {
    return new NovaError("LOAD_KEY_NULL", `${table.name}: a row has NULL in its primary key (${names}): (${key}).`, {
      details: { table: table.name, key },
    });
  }
  return new NovaError(
    "LOAD_KEY_DUPLICATE",
    `${table.name}: ${count} rows share the primary key (${names}) = (${key.length > 80 ? `${key.slice(0, 79)}…` : key}).`,
    { details: { table: table.name, key, rows: Number(count) } },
  );
}
