/** Snowflake as a warehouse. Nothing is sent, nor logged in to, before the first statement. */
import type { Clock } from "../../core/clock.ts";
import type { Finding } from "../../core/finding.ts";
import type { WarehouseUsage } from "../../core/result.ts";
import type { Warning } from "../../core/warning.ts";
import type { Manifest, ManifestTable } from "../../manifest/manifest.ts";
import { identityColumns, type BucketFingerprint, type FingerprintRow } from "../../manifest/fingerprint.ts";
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
import { diagnose } from "./diagnose.ts";
import { SnowflakeFirstLoads } from "./first-loads.ts";
import { materialize } from "./materialize.ts";
import { prepare } from "./prepare.ts";
import { publish } from "./publish.ts";
import { relationsOf } from "./relations.ts";
import { abortLeftovers } from "./transaction.ts";
import { named, readFence, readFingerprint } from "./rows.ts";
import { SnowflakeFirstLoad } from "./snowflake-first-load.ts";
import { SnowflakeIncoming, targetOf } from "./snowflake-incoming.ts";
import { fingerprint, fingerprintRows, type FingerprintRequest as FingerprintSql } from "./sql/fingerprint.ts";
import { userStatement } from "./sql/models.ts";
import { dropIncomingTable, readState, removeFiles, showPipelineTables } from "./sql/pipeline.ts";
import { relationText, stagePath } from "./sql/names.ts";
import type { SnowflakeSessions } from "./statement.ts";
import type { UsageMeter } from "./usage.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

/**
 * Bytes before compression: a fifth or so remains, some 25 MB, of which an X-Small warehouse reads eight at a time.
 * https://docs.snowflake.com/en/user-guide/data-load-considerations-prepare#general-file-sizing-recommendations
 */
const STAGED_FILE_BYTES = 128 * 2 ** 20;

export interface SnowflakeWarehouseOptions {
  readonly target: SnowflakeTarget;
  readonly sessions: SnowflakeSessions;
  readonly usage: UsageMeter;
  readonly clock: Clock;
  /** Statements at the same time. */
  readonly parallel: number;
  readonly warn: (message: string) => void;
}

export class SnowflakeWarehouse implements Warehouse {
  readonly capabilities: WarehouseCapabilities;
  readonly firstLoads: SnowflakeFirstLoads;
  readonly #options: SnowflakeWarehouseOptions;
  /** As this process has seen or made it; a batch is published only on the ground of it. */
  #lastBatchId: number | undefined;
  #leftovers: Promise<void> | undefined;
  readonly #attempted = new Map<string, readonly PublishedTable[]>();
  /** What was taken in for the batch, to be removed after it. */
  readonly #incoming: SnowflakeIncoming[] = [];

  constructor(options: SnowflakeWarehouseOptions) {
    this.#options = options;
    const { sessions, usage } = options;
    this.firstLoads = new SnowflakeFirstLoads({ sessions, usage, opened: (load) => void this.#incoming.push(load) });
    this.capabilities = {
      transactionalDdl: false,
      managesStageTables: false,
      parallelStatements: options.parallel,
      stagedFiles: { compression: "gzip", targetBytes: STAGED_FILE_BYTES },
      metered: true,
    };
  }

  async prepare(manifest: Manifest, statement: StatementOptions = {}): Promise<readonly Warning[]> {
    const { sessions, usage, parallel, target } = this.#options;
    return prepare({ sessions, usage, manifest, parallel, warehouse: target.warehouse, statement });
  }

  async readState(options: StatementOptions = {}): Promise<PipelineState> {
    const state = await this.#options.sessions.use(async (session) => {
      const tables = new Set(named(await session.run(showPipelineTables(), options), "name").map(({ name }) => name));
      if (!tables.has("BATCHES") || !tables.has("WATERMARKS")) {
        return { lastBatchId: 0, watermarks: new Map<string, Watermark>() };
      }
      const { rows } = await session.run(readState(), options);
      const watermarks = rows.flatMap(([, table, batchId, cursor, cursorColumn, fence]) => {
        if (table === null || table === undefined) return [];
        return [[table, readWatermark(batchId, cursor, cursorColumn, fence)] as const];
      });
      return { lastBatchId: Number(rows[0]?.[0] ?? 0), watermarks: new Map(watermarks) };
    });
    this.#lastBatchId = state.lastBatchId;
    return state;
  }

  async openIncoming(batchId: number, table: ManifestTable, purpose: IncomingPurpose): Promise<Incoming> {
    const { sessions, usage } = this.#options;
    sessions.setBatch(batchId);
    const incoming = new SnowflakeIncoming({ sessions, usage, batchId, table, purpose });
    this.#incoming.push(incoming);
    return incoming;
  }

  async publish(publication: Publication, statement: StatementOptions = {}): Promise<readonly PublishedTable[]> {
    const { sessions, clock } = this.#options;
    const expected = this.#lastBatchId ?? (await this.readState(statement)).lastBatchId;
    this.#leftovers = undefined;
    await this.#endLeftovers();
    const published = await publish({ publication, expected, attempted: this.#attempted, sessions, clock, statement });
    this.#lastBatchId = publication.batch.id;
    await this.#tidy(publication).catch(() => undefined);
    return published;
  }

  /** Transactions of dead processes hold their locks for hours: once before models, and before each publication, which may be a second attempt. */
  async #endLeftovers(): Promise<void> {
    this.#leftovers ??= abortLeftovers(this.#options.sessions, "prepare");
    try {
      await this.#leftovers;
    } catch (thrown) {
      this.#leftovers = undefined;
      throw thrown;
    }
  }

  /** Not part of the publication: it is committed, whatever becomes of this. What is left goes with the next `prepare`. */
  async #tidy({ batch, tables }: Publication): Promise<void> {
    const incoming = this.#incoming.splice(0);
    const ended = tables.flatMap(({ rows }) => (rows instanceof SnowflakeFirstLoad ? [rows.folder] : []));
    const folders = incoming.length > 0 ? [String(batch.id), ...ended] : [];
    await this.#options.sessions.use(async (session) => {
      const made = incoming.flatMap((one) => one.tables).map((target) => dropIncomingTable(target));
      const files = folders.map((folder) => removeFiles(stagePath(folder)));
      // One that is refused keeps none of the others.
      for (const statement of [...made, ...files]) await session.run(statement).catch(() => undefined);
    });
  }

  async fingerprint(
    request: FingerprintRequest,
    options: StatementOptions = {},
  ): Promise<readonly BucketFingerprint[]> {
    return this.#options.sessions.use(async (session) =>
      readFingerprint(await session.run(fingerprint(inSnowflake(request)), options)),
    );
  }

  async fingerprintRows(
    request: FingerprintRequest,
    take: (rows: readonly FingerprintRow[]) => Promise<void> | void,
    { signal }: StatementOptions = {},
  ): Promise<void> {
    const keys = identityColumns(request).length;
    await this.#options.sessions.use((session) =>
      session.run(fingerprintRows(inSnowflake(request)), {
        signal,
        take: (rows) => take(rows.map((row) => ({ key: row.slice(0, keys), values: row.slice(keys) }))),
      }),
    );
  }

  relationName(relation: Relation): string {
    return relationText(relation);
  }

  async relations(schema: string): Promise<readonly RelationInfo[]> {
    return this.#options.sessions.use((session) => relationsOf(session, schema));
  }

  /** Models are written in this engine's dialect. */
  translate(sql: string): string {
    return sql;
  }

  async query(sql: string, options: StatementOptions = {}): Promise<QueryResult> {
    options.signal?.throwIfAborted();
    return this.#options.sessions.use(async (session) => {
      const { columns, rows } = await session.run(userStatement("query", sql), options);
      return { columns: columns.map((column) => column.name), rows };
    });
  }

  async materialize(model: Materialization, options: StatementOptions = {}): Promise<Materialized> {
    options.signal?.throwIfAborted();
    const { sessions, clock } = this.#options;
    const lastBatchId = this.#lastBatchId ?? (await this.readState()).lastBatchId;
    await this.#endLeftovers();
    return materialize({ sessions, clock, model, lastBatchId, statement: options });
  }

  usage(): WarehouseUsage {
    return this.#options.usage.usage();
  }

  diagnose(manifest: Manifest, modelSchemas: readonly string[]): Promise<readonly Finding[]> {
    const { sessions, target, clock } = this.#options;
    return diagnose({ sessions, target, clock, manifest, modelSchemas });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.sessions[Symbol.asyncDispose]();
  }
}

const inSnowflake = ({ arriving, ...request }: FingerprintRequest): FingerprintSql =>
  arriving ? { ...request, arriving: targetOf(arriving) } : request;

function readWatermark(
  batchId: string | null | undefined,
  cursor: string | null | undefined,
  cursorColumn: string | null | undefined,
  fence: string | null | undefined,
): Watermark {
  return {
    batchId: Number(batchId),
    cursor: cursor ?? null,
    cursorColumn: cursorColumn ?? null,
    fence: readFence(fence),
  };
}
