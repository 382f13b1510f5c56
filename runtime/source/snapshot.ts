/** One REPEATABLE READ snapshot that every reader of a batch sees: a leader holds locks and snapshot, readers import it. */
import pLimit, { type LimitFunction } from "p-limit";
import type { Clock } from "../core/clock.ts";
import { NovaError } from "../core/errors.ts";
import { identifier } from "../core/sql.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import { cursorKindOf } from "../manifest/postgres-type.ts";
import { readRelations, type Relation, type RunQuery } from "./catalogue.ts";
import { digestSql } from "./digest-sql.ts";
import { extractTable } from "./extract.ts";
import { liveColumn } from "./extract-sql.ts";
import {
  fingerprintBasis,
  fingerprintTable,
  fingerprintTableRows,
  type FingerprintSource,
  type SourceFingerprintRequest,
  type SourceRow,
} from "./fingerprint.ts";
import { readFence, readHighest, type Fence } from "./fence.ts";
import type { Session } from "./session.ts";
import type { DigestRequest, ExtractRequest, ExtractSummary, SourceSnapshot, TableDigest } from "./source.ts";
import { sqlFile } from "./sql-file.ts";
import { beginSql, type TransactionLimits } from "./transaction.ts";

const LOCK_HOLDERS = sqlFile("lock-holders");

/**
 * The first query of the transaction, so the one that takes its snapshot: rows committed before `at` are in it. It must come after the
 * locks: in an older snapshot, a table that was truncated or rewritten while its lock was waited for is empty.
 */
const EXPORT = `SELECT pg_export_snapshot() AS id, pg_backend_pid() AS pid, pg_snapshot_xmin(pg_current_snapshot())::text AS horizon,
  to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at`;

export interface SnapshotOptions {
  /** A connection in autocommit, or in the transaction that `begin` opens. */
  readonly openSession: (begin: string, signal?: AbortSignal) => Promise<Session>;
  readonly limits: TransactionLimits;
  readonly readers: number;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  readonly tables: readonly ManifestTable[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * The order of the steps is what makes the watermarks true: highest numbers, open transactions, locks, snapshot.
 *
 * @throws NovaError SOURCE_TABLE_MISSING, SOURCE_LOCK_TIMEOUT and the others of SOURCE_*
 */
export async function openSnapshot(options: SnapshotOptions): Promise<SourceSnapshot> {
  const { openSession, limits, clock, tables, signal } = options;
  const leader = await openSession("", signal);
  try {
    const query: RunQuery = (sql, params) => leader.query(sql, params, { signal, doing: "opening the snapshot" });
    await leader.begin(beginSql(limits), signal);
    const before = pair(tables, await readRelations(query, tables.map(sourceName)));
    const numbers = await readHighest(query, before);
    await leader.rollback();
    const fence = await readFence({ query, clock, numbers, signal });
    await leader.beginWithoutSnapshot(beginSql(limits), signal);
    await lockTables(options, leader, before);
    const [row] = await query<{ id: string; pid: number; at: string; horizon: string }>(EXPORT);
    if (!row) throw new RangeError("pg_export_snapshot gave no row");
    leader.identify(row.pid);
    const relations = pair(tables, await readRelations(query, tables.map(sourceName)));
    return new PostgresSnapshot({ ...options, leader, fence, id: row.id, at: row.at, horizon: row.horizon, relations });
  } catch (thrown) {
    await leader[Symbol.asyncDispose]();
    throw thrown;
  }
}

const sourceName = (table: ManifestTable) => ({ schema: table.sourceSchema, name: table.sourceTable });
const qualified = (table: ManifestTable) => identifier(table.sourceSchema, table.sourceTable);

interface TableRelation {
  readonly table: ManifestTable;
  readonly relation: Relation;
}

function pair(tables: readonly ManifestTable[], relations: readonly Relation[]): TableRelation[] {
  return tables.map((table) => {
    const relation = relations.find(
      (candidate) => candidate.schema === table.sourceSchema && candidate.name === table.sourceTable,
    );
    if (relation) return { table, relation };
    throw new NovaError("SOURCE_TABLE_MISSING", `The source has no table ${qualified(table)}.`, {
      details: { table: table.name },
    });
  });
}

/**
 * Without the lock, a TRUNCATE or a rewriting ALTER TABLE that commits after the snapshot makes the table look empty.
 * Materialized views and foreign tables cannot be locked.
 */
async function lockTables(
  { openSession, limits, signal }: SnapshotOptions,
  leader: Session,
  tables: readonly TableRelation[],
): Promise<void> {
  for (const { table, relation } of tables) {
    if (relation.kind === "m" || relation.kind === "f") continue;
    try {
      await leader.query(`LOCK TABLE ${qualified(table)} IN ACCESS SHARE MODE`, [], {
        signal,
        table: `${table.sourceSchema}.${table.sourceTable}`,
        doing: `locking ${table.name} for reading`,
      });
    } catch (thrown) {
      if (!(thrown instanceof NovaError) || thrown.code !== "SOURCE_LOCK_TIMEOUT") throw thrown;
      await using other = await openSession("", signal);
      const [holder] = await other.query<{ pid: number; query: string }>(LOCK_HOLDERS, [qualified(table)], { signal });
      const by = holder ? ` by the session with pid ${holder.pid} (${holder.query})` : "";
      throw new NovaError(
        "SOURCE_LOCK_TIMEOUT",
        `${table.sourceSchema}.${table.sourceTable} was locked${by} for longer than ${limits.lockTimeout / 1000} s.`,
        {
          cause: thrown,
          details: { table: table.name, pid: holder?.pid },
          remedy: holder
            ? `Run again when that session is done; SELECT pg_terminate_backend(${holder.pid}) ends it.`
            : undefined,
        },
      );
    }
  }
}

interface OpenSnapshot extends SnapshotOptions {
  readonly leader: Session;
  readonly fence: Fence;
  readonly id: string;
  readonly at: string;
  readonly horizon: string;
  readonly relations: readonly TableRelation[];
}

class PostgresSnapshot implements SourceSnapshot {
  readonly at: string;
  readonly horizon: string;
  readonly #options: OpenSnapshot;
  readonly #limit: LimitFunction;
  readonly #idle: Session[] = [];
  #warned = false;

  constructor(options: OpenSnapshot) {
    this.at = options.at;
    this.horizon = options.horizon;
    this.#options = options;
    this.#limit = pLimit(options.readers);
  }

  alive(): boolean {
    return this.#options.leader.usable;
  }

  async watermark(table: ManifestTable, previous: string | null, signal?: AbortSignal): Promise<string | null> {
    const { cursor } = table.sync;
    if (cursor === undefined) return null;
    const relation = this.#relation(table);
    const fence = this.#bound(table, relation);
    if (fence === undefined) return previous;
    const { type } = liveColumn(relation, cursor);
    // LEAST and GREATEST pass over NULL, which here is an empty table, a fence before the first row, or the first batch.
    const sql = `SELECT CASE WHEN highest IS NULL OR fence IS NULL THEN previous
        ELSE greatest(least(highest, fence), previous) END::text AS watermark
      FROM (SELECT max(${identifier(cursor)}) AS highest FROM ${qualified(table)}) AS shown,
           (SELECT ${fence.sql}::${type.name} AS fence, $2::${type.name} AS previous) AS given`;
    const rows = await this.#limit(() =>
      this.#withReader(signal, (session) =>
        session.query<{ watermark: string | null }>(sql, [fence.value, previous], {
          signal,
          doing: `reading the highest ${cursor} of ${table.name}`,
        }),
      ),
    );
    return rows[0]?.watermark ?? null;
  }

  /** What the cursor may not go beyond, of the cursor's type; undefined if that is unknown. */
  #bound(table: ManifestTable, relation: Relation): { sql: string; value: string | null } | undefined {
    const { fence } = this.#options;
    if (fence.unknown !== undefined && !this.#warned) {
      this.#warned = true;
      this.#options.warn(
        `Watermarks may stay where they are, so the next batch reads more than it must: ${fence.unknown}.`,
      );
    }
    const kind = cursorKindOf(liveColumn(relation, table.sync.cursor ?? "").type);
    switch (kind) {
      case "number": {
        const value = fence.numbers.get(table.name);
        return value === undefined ? undefined : { sql: "$1", value };
      }
      case "instant":
        return fence.time === undefined ? undefined : { sql: "$1::timestamptz", value: fence.time };
      case "local":
      case "day":
        // The writer's time zone is unknown; nowhere is it earlier than at UTC-12, and what is read twice is merged.
        return fence.time === undefined
          ? undefined
          : { sql: "(($1::timestamptz AT TIME ZONE 'UTC') - interval '12 hours')", value: fence.time };
      case undefined:
        return undefined;
    }
  }

  async digest({ table, since, keys, signal }: DigestRequest): Promise<TableDigest> {
    const sql = digestSql({ table, relation: this.#relation(table), since, keys });
    const [row] = await this.#limit(() =>
      this.#withReader(signal, (session) =>
        session.query<{ rows: string; rows_hash: string; keys?: string; keys_hash?: string }>(sql, [], {
          signal,
          table: `${table.sourceSchema}.${table.sourceTable}`,
          doing: `looking for changes in ${table.name}`,
        }),
      ),
    );
    if (!row) throw new RangeError("An aggregate gave no row");
    return {
      rows: { count: Number(row.rows), hash: row.rows_hash },
      ...(row.keys_hash !== undefined && { keys: { count: Number(row.keys), hash: row.keys_hash } }),
    };
  }

  extract(request: ExtractRequest): Promise<ExtractSummary> {
    return extractTable({
      request,
      relation: this.#relation(request.table),
      readers: this.#options.readers,
      limit: this.#limit,
      withReader: (signal, work) => this.#withReader(signal, work),
    });
  }

  fingerprintBasis(table: ManifestTable, signal: AbortSignal) {
    return fingerprintBasis(this.#fingerprintSource(table), table, signal);
  }

  fingerprint(request: SourceFingerprintRequest) {
    return fingerprintTable(this.#fingerprintSource(request.table), request);
  }

  fingerprintRows(request: SourceFingerprintRequest, take: (rows: readonly SourceRow[]) => Promise<void> | void) {
    return fingerprintTableRows(this.#fingerprintSource(request.table), request, take);
  }

  #fingerprintSource(table: ManifestTable): FingerprintSource {
    return {
      relation: this.#relation(table),
      readers: this.#options.readers,
      limit: this.#limit,
      withReader: (signal, work) => this.#withReader(signal, work),
    };
  }

  #relation(table: ManifestTable): Relation {
    const found = this.#options.relations.find((one) => one.table.name === table.name);
    if (!found) throw new RangeError(`The snapshot was not opened for table ${table.name}`);
    return found.relation;
  }

  /** Lends a reader; one whose statement failed or was cancelled is not used again. */
  async #withReader<T>(signal: AbortSignal | undefined, work: (session: Session) => Promise<T>): Promise<T> {
    const { openSession, limits, id } = this.#options;
    signal?.throwIfAborted();
    if (!this.alive()) throw lost();
    let session: Session | undefined;
    try {
      session = this.#idle.pop() ?? (await openSession(beginSql(limits, id), signal));
      return await work(session);
    } catch (thrown) {
      signal?.throwIfAborted();
      // A reader that lost its connection often hears of it before the leader does.
      if (thrown instanceof NovaError && thrown.code === "SOURCE_UNREACHABLE" && !(await this.#leaderAnswers()))
        throw lost(thrown);
      throw thrown;
    } finally {
      if (session?.usable) this.#idle.push(session);
      else await session?.[Symbol.asyncDispose]();
    }
  }

  async #leaderAnswers(): Promise<boolean> {
    await this.#options.leader.query("SELECT 1").catch(() => {});
    return this.alive();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#idle.splice(0)) await session[Symbol.asyncDispose]();
    await this.#options.leader[Symbol.asyncDispose]();
  }
}

function lost(cause?: unknown): NovaError {
  return new NovaError("SOURCE_SNAPSHOT_LOST", "PostgreSQL closed the connection that holds the batch's snapshot.", {
    cause,
  });
}
