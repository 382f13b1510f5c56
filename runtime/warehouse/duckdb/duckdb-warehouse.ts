/** DuckDB as a warehouse. */
import type { Manifest, ManifestTable } from "../../manifest/manifest.ts";
import { NovaError } from "../../core/errors.ts";
import type { Finding } from "../../core/finding.ts";
import { identifier } from "../../core/sql.ts";
import type { Warning } from "../../core/warning.ts";
import type { BucketFingerprint, FingerprintRow } from "../../manifest/fingerprint.ts";
import type {
  FingerprintRequest,
  Incoming,
  IncomingPurpose,
  Materialization,
  Materialized,
  PipelineState,
  Publication,
  PublishedTable,
  QueryResult,
  Relation,
  RelationInfo,
  StatementOptions,
  Warehouse,
  WarehouseCapabilities,
  Watermark,
} from "../warehouse.ts";
import { canonicalText } from "./canonical-value.ts";
import { relationsOf } from "./catalogue.ts";
import { fingerprint, fingerprintRows } from "./fingerprint.ts";
import { createIncomingShared, DuckDbIncoming, isEmpty, type IncomingShared } from "./duckdb-incoming.ts";
import { EngineError, isConflict, statementError } from "./engine-error.ts";
import type { Engine, Session } from "./engine.ts";
import { DuckDbFirstLoads } from "./first-loads.ts";
import { diagnose } from "./diagnose.ts";
import { materialize, type TranslatedSql } from "./materialize.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { userSqlError } from "./model-sql.ts";
import { prepare } from "./prepare.ts";
import { publish } from "./publish.ts";
import { readFence } from "./read-fence.ts";
import { createBookkeeping, hasBookkeeping, lastBatchId, readWatermarks } from "./sql/bookkeeping.ts";
import { createSchema } from "./sql/materialize.ts";
import { incomingTable } from "./sql/names.ts";
import type { Translator } from "./translate/translator.ts";

/** Files of 16 to 256 MB are read alike fast (5 M rows: 1.6-2.2 s); these keep little waiting on the disk and let reading begin early. */
const STAGED_FILE_BYTES = 64 * 2 ** 20;
/** Node runs four blocking calls at a time, and the staged files need some of them. */
const MAX_PARALLEL_STATEMENTS = 3;
/** Two models that change one catalogue entry at the same time: the loser starts over. */
const ATTEMPTS_AFTER_CONFLICT = 5;

export interface DuckDbWarehouseOptions {
  readonly engine: Engine;
  readonly memory: MemoryBudget;
  readonly threads: number;
  readonly translator: Translator;
  readonly onClose: () => void;
}

export class DuckDbWarehouse implements Warehouse {
  readonly capabilities: WarehouseCapabilities;
  readonly firstLoads: DuckDbFirstLoads;
  readonly #engine: Engine;
  readonly #memory: MemoryBudget;
  readonly #incoming: IncomingShared;
  readonly #translator: Translator;
  readonly #onClose: () => void;
  /** Making a schema conflicts with making it at the same time; it is done once, by one. */
  readonly #schemas = new Map<string, Promise<void>>();

  constructor({ engine, memory, threads, translator, onClose }: DuckDbWarehouseOptions) {
    this.#translator = translator;
    this.#engine = engine;
    this.#memory = memory;
    this.#onClose = onClose;
    this.#incoming = createIncomingShared(engine, memory);
    this.firstLoads = new DuckDbFirstLoads(this.#incoming);
    this.capabilities = {
      transactionalDdl: true,
      managesStageTables: true,
      parallelStatements: Math.min(threads, MAX_PARALLEL_STATEMENTS),
      stagedFiles: { compression: "none", targetBytes: STAGED_FILE_BYTES, binaryTimestamps: true },
      metered: false,
    };
  }

  async prepare(manifest: Manifest): Promise<readonly Warning[]> {
    return this.#run("preparing the warehouse", (session) => prepare(session, manifest));
  }

  async readState(): Promise<PipelineState> {
    return this.#run("reading the last batch", async (session) => {
      const [found] = (await session.run(hasBookkeeping())).rows;
      if (Number(found?.[0]) < 2) return { lastBatchId: 0, watermarks: new Map<string, Watermark>() };
      const [last] = (await session.run(lastBatchId())).rows;
      const { rows } = await session.run(readWatermarks());
      const watermarks = rows.map(([table, batchId, cursor, cursorColumn, fence]) => {
        const watermark: Watermark = {
          batchId: Number(batchId),
          cursor: textOrNull(cursor),
          cursorColumn: textOrNull(cursorColumn),
          fence: readFence(String(fence)),
        };
        return [String(table), watermark] as const;
      });
      return { lastBatchId: Number(last?.[0]), watermarks: new Map(watermarks) };
    });
  }

  async openIncoming(batchId: number, table: ManifestTable, purpose: IncomingPurpose): Promise<Incoming> {
    return DuckDbIncoming.open({
      shared: this.#incoming,
      table,
      purpose,
      target: incomingTable(batchId, table, purpose),
    });
  }

  async publish(publication: Publication): Promise<readonly PublishedTable[]> {
    // What is inserted into each table takes memory until the commit.
    const columns = publication.tables.reduce(
      (sum, { table, rows }) => (isEmpty(rows) ? sum : sum + table.columns.length),
      0,
    );
    return this.#memory.inserting(columns, () =>
      this.#run(`publishing batch ${publication.batch.id}`, (session) => publish(session, publication)),
    );
  }

  async fingerprint(
    request: FingerprintRequest,
    options: StatementOptions = {},
  ): Promise<readonly BucketFingerprint[]> {
    return this.#run(`verifying ${request.table.name}`, (session) => fingerprint(session, request, options));
  }

  async fingerprintRows(
    request: FingerprintRequest,
    take: (rows: readonly FingerprintRow[]) => Promise<void> | void,
    options: StatementOptions = {},
  ): Promise<void> {
    await this.#once(`verifying ${request.table.name}`, (session) => fingerprintRows(session, request, take, options));
  }

  relationName({ schema, name }: Relation): string {
    return identifier(schema, name);
  }

  async relations(schema: string): Promise<readonly RelationInfo[]> {
    return this.#run(`listing the relations of ${schema}`, (session) => relationsOf(session, schema));
  }

  translate(sql: string): string {
    return this.#translator.translateNow(sql).join(";\n");
  }

  async query(sql: string, options: StatementOptions = {}): Promise<QueryResult> {
    const [sent, ...more] = await this.#translator.translate(sql);
    if (sent === undefined || more.length > 0) {
      throw new NovaError("MODEL_SQL_FAILED", "A query must be one statement.", { remedy: "Leave one SELECT." });
    }
    return this.#memory.large(() =>
      this.#engine.use(async (session) => {
        try {
          const reader = await session.read(sent, options);
          const types = reader.columnTypes();
          const rows = reader.getRows().map((row) =>
            row.map((value, index) => {
              const type = types[index];
              return type === undefined ? null : canonicalText(value, type);
            }),
          );
          return { columns: reader.columnNames(), rows };
        } catch (thrown) {
          throw userSqlError(thrown, { written: sql, sent, prefix: "", role: "the query" });
        }
      }),
    );
  }

  async materialize(model: Materialization, options: StatementOptions = {}): Promise<Materialized> {
    const [select, preHooks, postHooks] = await Promise.all([
      this.#translated(model.sql),
      Promise.all(model.preHooks.map((hook) => this.#translated(hook))),
      Promise.all(model.postHooks.map((hook) => this.#translated(hook))),
    ]);
    await this.#schema(model.relation.schema);
    return this.#memory.large(() =>
      this.#once(`building ${model.relation.name}`, (session) =>
        againAfterConflict(() => materialize(session, { model, select, preHooks, postHooks }, options)),
      ),
    );
  }

  usage(): null {
    return null;
  }

  async diagnose(manifest: Manifest): Promise<readonly Finding[]> {
    return diagnose((doing, work) => this.#run(doing, work), manifest);
  }

  async #translated(written: string): Promise<TranslatedSql> {
    return { written, statements: await this.#translator.translate(written) };
  }

  async #schema(schema: string): Promise<void> {
    const made = this.#schemas.get(schema) ?? this.#makeSchema(schema);
    this.#schemas.set(schema, made);
    try {
      await made;
    } catch (thrown) {
      this.#schemas.delete(schema);
      throw thrown;
    }
  }

  /** A model may be built in a warehouse that no batch has prepared. */
  async #makeSchema(schema: string): Promise<void> {
    await this.#run(`making the schema ${schema}`, (session) =>
      inTransaction(session, [...createBookkeeping(), createSchema(schema)]),
    );
  }

  /**
   * What does not fit into the memory for loading is done again with that for models: all that runs here is one transaction, or only
   * reads. (Changes that are scattered over a large table stay in memory until they are committed.)
   */
  async #run<T>(doing: string, work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#once(doing, work);
    } catch (thrown) {
      if (!(thrown instanceof NovaError) || thrown.code !== "WAREHOUSE_FULL") throw thrown;
      return await this.#memory.large(() => this.#once(doing, work));
    }
  }

  async #once<T>(doing: string, work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#engine.use(work);
    } catch (thrown) {
      throw statementError(thrown, doing);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#translator[Symbol.asyncDispose]();
      await this.#engine[Symbol.asyncDispose]();
    } finally {
      this.#onClose();
    }
  }
}

async function inTransaction(session: Session, statements: readonly string[]): Promise<void> {
  await againAfterConflict(() =>
    session.transaction(async () => {
      for (const statement of statements) await session.run(statement);
    }),
  );
}

async function againAfterConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      if (!(thrown instanceof EngineError) || !isConflict(thrown) || attempt === ATTEMPTS_AFTER_CONFLICT) throw thrown;
    }
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
