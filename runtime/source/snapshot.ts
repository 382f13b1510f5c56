/** One REPEATABLE READ snapshot that every reader of a batch sees: a leader holds locks and snapshot, readers import it. */
import pLimit, { type LimitFunction } from "p-limit";
import type { Clock } from "../core/clock.ts";
import { NovaError } from "../core/errors.ts";
import { identifier } from "../core/sql.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import { readRelations, type Relation, type RunQuery } from "./catalogue.ts";
import { scopeOf, type TableFacts } from "./detection.ts";
import { digestSql } from "./digest-sql.ts";
import { extractTable } from "./extract.ts";
import { canGoOn, whyNotOn } from "./going-on.ts";
import {
  fingerprintBasis,
  fingerprintTable,
  fingerprintTableRows,
  type FingerprintSource,
  type SourceFingerprintRequest,
  type SourceRow,
} from "./fingerprint.ts";
import { readActivity } from "./fence.ts";
import { groundFence, nextOf, oldestOf, type ServerGround } from "./ground.ts";
import { readHorizon } from "./horizon.ts";
import type { Guards } from "./guards.ts";
import { HoldLimit } from "./hold-limit.ts";
import type { Part } from "./page-ranges.ts";
import { readPosition } from "./position.ts";
import { preflightError, problemsOf, type Problem } from "./preflight.ts";
import type { RateLimit } from "./rate-limit.ts";
import { stillCounting } from "./sequence-fence.ts";
import type { Session } from "./session.ts";
import { readFacts, readServer, readTableSequences, readWal, type TableRelation } from "./snapshot-facts.ts";
import type {
  DigestRequest,
  EarlierLoad,
  ExtractRequest,
  ExtractSummary,
  PositionRequest,
  ReadScope,
  SourceSnapshot,
  Standing,
  TableDigest,
  TablePosition,
} from "./source.ts";
import { sqlFile } from "./sql-file.ts";
import { beginSql, type TransactionLimits } from "./transaction.ts";

const PARTS = sqlFile("parts");
const LOCK_HOLDERS = sqlFile("lock-holders");

/**
 * The first query of the transaction, so the one that takes its snapshot: rows committed before `at` are in it. It must come after the
 * locks: in an older snapshot, a table that was truncated or rewritten while its lock was waited for is empty.
 */
const EXPORT = `SELECT pg_export_snapshot() AS id, pg_backend_pid() AS pid, pg_current_snapshot()::text AS snapshot,
  to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at`;

const FLUSHED = `SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn AS flushed,
  (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_writer_delay') AS delay`;
/** Milliseconds. */
const FLUSH_POLL = 20;

export interface SnapshotOptions {
  /** A connection in autocommit, or in the transaction that `begin` opens. */
  readonly openSession: (begin: string, signal?: AbortSignal) => Promise<Session>;
  readonly limits: TransactionLimits;
  readonly readers: number;
  readonly rate: RateLimit;
  /** Seconds that it may be held; 0 for no limit. */
  readonly holdLimit: number;
  readonly clock: Clock;
  readonly guards: Guards;
  readonly warn: (message: string) => void;
  /** Role that reads, for messages. */
  readonly user: string;
  readonly tables: readonly ManifestTable[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * The order of the steps is what makes the fences true: last numbers of sequences, clock, open transactions, locks, snapshot.
 *
 * @throws NovaError SOURCE_TABLE_MISSING, SOURCE_LOCK_TIMEOUT and the others of SOURCE_*
 */
export async function openSnapshot(options: SnapshotOptions): Promise<SourceSnapshot> {
  const { openSession, limits, guards, tables, signal } = options;
  const leader = await openSession("", signal);
  try {
    const asking =
      (session: Session): RunQuery =>
      (sql, params) =>
        session.query(sql, params, { signal, doing: "opening the snapshot" });
    const query = asking(leader);
    await leader.begin(beginSql(limits), signal);
    const before = pair(options, await readRelations(query, tables.map(sourceName)));
    await leader.rollback();
    const name = await readServer(query);
    const look = async (outside: RunQuery) => ({
      sequences: await readTableSequences(outside, before),
      activity: await readActivity(outside),
    });
    const early = guards.activity === "before" ? await look(query) : undefined;
    if (early) await guards.between();
    const horizon = await readHorizon(query);
    await leader.beginWithoutSnapshot(beginSql(limits), signal);
    await lockTables(options, leader, before);
    const [row] = await query<{ id: string; pid: number; at: string; snapshot: string }>(EXPORT);
    if (!row) throw new RangeError("pg_export_snapshot gave no row");
    leader.identify(row.pid);
    const seen = early ?? (await lookAfterwards(options, look, asking));
    const server: ServerGround = { server: name, snapshot: row.snapshot, wal: await readWal(query, name) };
    const relations = pair(options, await readRelations(query, tables.map(sourceName)));
    const sequences = stillCounting(seen.sequences, await readTableSequences(query, relations));
    const facts = await readFacts({ query, tables: relations, server, activity: seen.activity, sequences });
    const openedAt = options.clock.now().getTime();
    return new PostgresSnapshot({ ...options, leader, id: row.id, at: row.at, horizon, server, openedAt, facts });
  } catch (thrown) {
    await leader[Symbol.asyncDispose]();
    throw thrown;
  }
}

/** For tests only: the order that loses rows. */
async function lookAfterwards<T>(
  { openSession, guards, signal }: SnapshotOptions,
  look: (query: RunQuery) => Promise<T>,
  asking: (session: Session) => RunQuery,
): Promise<T> {
  await guards.between();
  await using outside = await openSession("", signal);
  return await look(asking(outside));
}

const sourceName = (table: ManifestTable) => ({ schema: table.sourceSchema, name: table.sourceTable });
const qualified = (table: ManifestTable) => identifier(table.sourceSchema, table.sourceTable);

/** The schema may have changed since it was checked. */
function pair({ tables, user }: SnapshotOptions, relations: readonly Relation[]): TableRelation[] {
  const problems: Problem[] = [];
  const pairs = tables.flatMap((table) => {
    const relation = relations.find(
      (candidate) => candidate.schema === table.sourceSchema && candidate.name === table.sourceTable,
    );
    problems.push(...problemsOf(table, relation, user));
    return relation ? [{ table, relation }] : [];
  });
  const error = preflightError(problems);
  if (error) throw error;
  return pairs;
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
  readonly id: string;
  readonly at: string;
  /** undefined where only the snapshot itself tells. */
  readonly horizon: string | undefined;
  readonly server: ServerGround;
  /** Milliseconds of the clock. */
  readonly openedAt: number;
  /** By name of the table. */
  readonly facts: ReadonlyMap<string, TableFacts>;
}

class PostgresSnapshot implements SourceSnapshot {
  readonly at: string;
  readonly horizon: string;
  readonly state: string | undefined;
  readonly #options: OpenSnapshot;
  readonly #limit: LimitFunction;
  readonly #idle: Session[] = [];
  readonly #held: HoldLimit;
  #warned = false;

  constructor(options: OpenSnapshot) {
    this.at = options.at;
    const { server, snapshot, wal } = options.server;
    this.horizon = options.horizon ?? String(oldestOf(snapshot));
    this.state = server === undefined || wal === null ? undefined : snapshot;
    this.#options = options;
    this.#limit = pLimit(options.readers);
    this.#held = new HoldLimit({ seconds: options.holdLimit, clock: options.clock, release: () => this.#release() });
  }

  alive(): boolean {
    return this.#options.leader.usable;
  }

  scope(table: ManifestTable, previous: TablePosition): ReadScope {
    return scopeOf(this.#facts(table), previous);
  }

  async position({ table, previous, since, ...request }: PositionRequest): Promise<TablePosition> {
    const { guards } = this.#options;
    const signal = this.#held.with(request.signal);
    return await this.#limit(() =>
      this.#withReader(signal, (session) =>
        readPosition({
          facts: this.#facts(table),
          guards,
          previous,
          since,
          query: (sql, params) =>
            session.query(sql, params, { signal, doing: `reading how far ${table.name} has come` }),
          stays: (why) => this.#warnOnce(why),
        }),
      ),
    );
  }

  /**
   * A commit that the server confirms before it is on disk (synchronous_commit = off) is gone after a crash, and another transaction gets its
   * number: what lies before a fence would change. The log is on disk three times wal_writer_delay later at the latest
   * (https://www.postgresql.org/docs/current/wal-async-commit.html), nearly always before the last row is read.
   */
  async settle(stop?: AbortSignal): Promise<void> {
    const { server, clock, guards, openedAt } = this.#options;
    const signal = this.#held.with(stop);
    if (server.wal === null || !guards.flushed) return;
    for (;;) {
      const [row] = await this.#limit(() =>
        this.#withReader(signal, (session) =>
          session.query<{ flushed: boolean; delay: number }>(FLUSHED, [server.wal], {
            signal,
            doing: "waiting for the log",
          }),
        ),
      );
      if (!row || row.flushed || clock.now().getTime() - openedAt > 3 * row.delay) return;
      await clock.sleep(FLUSH_POLL, signal);
    }
  }

  #warnOnce(why: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.warn(`Watermarks may stay where they are, so the next batch reads more than it must: ${why}.`);
  }

  async digest({ table, since, keys, ...request }: DigestRequest): Promise<TableDigest> {
    const signal = this.#held.with(request.signal);
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

  async standing(table: ManifestTable, stop: AbortSignal): Promise<Standing | undefined> {
    const facts = this.#facts(table);
    if (!canGoOn(facts)) return undefined;
    const parts = await this.#read<Part & Record<string, unknown>>(table, PARTS, [facts.relation.oid], stop);
    return {
      fence: groundFence(facts.server, facts.ground),
      bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    };
  }

  cannotGoOn(table: ManifestTable, earlier: EarlierLoad): string | undefined {
    return whyNotOn(this.#facts(table), earlier);
  }

  async count(table: ManifestTable, stop: AbortSignal): Promise<number> {
    const rows = await this.#read<{ rows: string }>(
      table,
      `SELECT count(*) AS rows FROM ${qualified(table)}`,
      [],
      stop,
    );
    return Number(rows[0]?.rows);
  }

  #read<Row extends Record<string, unknown>>(
    table: ManifestTable,
    sql: string,
    params: readonly unknown[],
    stop: AbortSignal,
  ): Promise<Row[]> {
    const signal = this.#held.with(stop);
    const place = { table: `${table.sourceSchema}.${table.sourceTable}`, doing: `measuring ${table.name}` };
    return this.#limit(() =>
      this.#withReader(signal, (session) => session.query<Row>(sql, params, { signal, ...place })),
    );
  }

  extract(request: ExtractRequest): Promise<ExtractSummary> {
    const { guards, rate, server } = this.#options;
    const { ground, relation } = this.#facts(request.table);
    const oldest = guards.version === "oldest" ? oldestOf(server.snapshot) : nextOf(server.snapshot);
    return extractTable({
      request: { ...request, signal: this.#held.with(request.signal) },
      relation,
      ground,
      snapshot: server.snapshot,
      version: String(oldest),
      rate,
      readers: this.#options.readers,
      limit: this.#limit,
      withReader: (signal, work) => this.#withReader(signal, work),
    });
  }

  fingerprintBasis(table: ManifestTable, signal: AbortSignal) {
    return fingerprintBasis(this.#fingerprintSource(table), table, this.#held.with(signal));
  }

  fingerprint(request: SourceFingerprintRequest) {
    const limited = { ...request, signal: this.#held.with(request.signal) };
    return fingerprintTable(this.#fingerprintSource(request.table), limited);
  }

  fingerprintRows(request: SourceFingerprintRequest, take: (rows: readonly SourceRow[]) => Promise<void> | void) {
    const limited = { ...request, signal: this.#held.with(request.signal) };
    return fingerprintTableRows(this.#fingerprintSource(request.table), limited, take);
  }

  #fingerprintSource(table: ManifestTable): FingerprintSource {
    return {
      relation: this.#relation(table),
      readers: this.#options.readers,
      limit: this.#limit,
      withReader: (signal, work) => this.#withReader(signal, work),
    };
  }

  #facts(table: ManifestTable): TableFacts {
    const found = this.#options.facts.get(table.name);
    if (!found) throw new RangeError(`The snapshot was not opened for table ${table.name}`);
    return found;
  }

  #relation(table: ManifestTable): Relation {
    return this.#facts(table).relation;
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
      if (session?.usable && this.alive()) this.#idle.push(session);
      else await session?.[Symbol.asyncDispose]();
    }
  }

  async #leaderAnswers(): Promise<boolean> {
    await this.#options.leader.query("SELECT 1").catch(() => {});
    return this.alive();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#held.end();
    await this.#release();
  }

  async #release(): Promise<void> {
    for (const session of this.#idle.splice(0)) await session[Symbol.asyncDispose]();
    await this.#options.leader[Symbol.asyncDispose]();
  }
}

function lost(cause?: unknown): NovaError {
  return new NovaError("SOURCE_SNAPSHOT_LOST", "PostgreSQL closed the connection that holds the batch's snapshot.", {
    cause,
  });
}
