/**
 * Rows of one table on their way into staged files: several readers on one snapshot, each of which fills a file from as many page
 * ranges as it takes, hands it on and fills the next one meanwhile.
 */
import { join } from "node:path";
import type { LimitFunction } from "p-limit";
import type { StagedFile } from "../core/staged-file.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { literal } from "../core/sql.ts";
import type { Relation, RunQuery } from "./catalogue.ts";
import { copySql, extractSql, selectSql, type ExtractSql } from "./extract-sql.ts";
import { inBucketsSql } from "./fingerprint-sql.ts";
import { usable } from "./going-on.ts";
import type { TableGround } from "./ground.ts";
import { pagePieces, remainingPieces, type Part, type Piece } from "./page-ranges.ts";
import { noteOf, type PagesRead } from "./pages-read.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { Session } from "./session.ts";
import type { ExtractRequest, ExtractSummary } from "./source.ts";
import { sqlFile } from "./sql-file.ts";
import { StagedFileWriter } from "./staged-file-writer.ts";

const PARTS = sqlFile("parts");

/** A file ends with the range that fills it, so ranges are this much smaller than files: it is over its size by an eighth at most. */
const RANGES_PER_FILE = 8;
/** A range of less than this costs more to begin than to read. */
const SMALLEST_RANGE = 1 << 20;
/** Bytes between two reports of progress. */
const REPORT_EVERY = 1 << 20;

export interface ExtractOptions {
  readonly request: ExtractRequest;
  readonly relation: Relation;
  readonly ground: TableGround;
  /** pg_current_snapshot() */
  readonly snapshot: string;
  /** See PagesRead. */
  readonly version: string;
  readonly rate: RateLimit;
  /** How many readers may work at the same time. */
  readonly readers: number;
  /** Bounds the readers of all tables together. */
  readonly limit: LimitFunction;
  /** Lends a reader of the snapshot. */
  readonly withReader: <T>(signal: AbortSignal, work: (session: Session) => Promise<T>) => Promise<T>;
}

/** @throws NovaError SOURCE_*, STAGING_FAILED, what `take` throws, or the signal's reason; no file is left then */
export async function extractTable(options: ExtractOptions): Promise<ExtractSummary> {
  const { request, relation, limit, withReader } = options;
  const { table, what, since } = request;
  const { binaryTimestamps } = request.format;
  const all = extractSql({ table, relation, what, since, counted: what === "rows", binaryTimestamps });
  const { sql, pieces, known } = await limit(() =>
    withReader(request.signal, async (session) => {
      const query: RunQuery = (text, params) => session.query(text, params, { signal: request.signal });
      const wanted = await restricted(options, all, query);
      return { sql: wanted, ...(await planPieces(options, wanted, query)) };
    }),
  );
  const total: Worker["total"] = { rows: 0, bytes: 0, reported: 0, files: 0, misfits: {} };
  const queue = pieces.values();
  const workers = Array.from({ length: Math.min(options.readers, pieces.length) });
  await mapConcurrently(workers, { limit: options.readers, signal: request.signal }, (_, signal) =>
    fillFiles({ ...options, sql, queue, total, known, signal }),
  );
  request.progress({ rows: total.rows, bytes: total.bytes });
  return { rows: total.rows, bytes: total.bytes, misfits: total.misfits };
}

async function restricted(
  { request: { table, within }, relation }: ExtractOptions,
  sql: ExtractSql,
  query: RunQuery,
): Promise<ExtractSql> {
  if (!within) return sql;
  const [server] = await query<{ utf8: boolean }>("SELECT current_setting('server_encoding') = 'UTF8' AS utf8");
  const condition = inBucketsSql({ table, relation, selection: within, utf8: server?.utf8 === true });
  return { ...sql, where: sql.where === undefined ? condition : `${sql.where} AND ${condition}` };
}

interface Plan {
  readonly pieces: Piece[];
  /** Whether each piece is of a part whose pages a later load can tell from others. */
  readonly known: boolean;
}

/** Where an index finds the few rows that are wanted, one statement does; else the heap is read range by range. */
async function planPieces(
  { request, relation, ground, snapshot }: ExtractOptions,
  sql: ExtractSql,
  query: RunQuery,
): Promise<Plan> {
  const whole: Part = { schema: relation.schema, name: relation.name, ranged: false, pages: 0, bytes: 0 };
  const parts = await query<Part & { readable: boolean }>(PARTS, [relation.oid]);
  // Partitions may be closed to a user who may read their parent; ranges of pages work on the parent as well.
  const open = parts.every((part) => part.readable);
  const ranged: Part = {
    ...whole,
    ranged: parts.every((part) => part.ranged),
    pages: Math.max(0, ...parts.map((part) => part.pages)),
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
  };
  const pieceBytes = Math.max(SMALLEST_RANGE, request.format.targetBytes / RANGES_PER_FILE);
  const all = new Set(parts.map((part) => part.oid));
  // Not so where tables inherit from this one: its pages stand for theirs.
  const known = open && ground.versioned && all.symmetricDifference(new Set(ground.parts.keys())).size === 0;
  if (known && request.taken) {
    return { pieces: remainingPieces(parts, usable(request.taken, ground, snapshot), pieceBytes), known };
  }
  const pieces = pagePieces(open ? parts : [ranged], pieceBytes);
  const indexed = request.since?.by === "cursor" || request.within?.buckets.by === "range";
  if (!indexed || pieces.length === 1) return { pieces, known };
  const [row] = await query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(`EXPLAIN (FORMAT JSON) ${selectSql(sql, whole)}`);
  const plan = row?.["QUERY PLAN"][0].Plan;
  if (!plan || readsWholeTable(plan)) return { pieces, known };
  const few = plan["Plan Rows"] * plan["Plan Width"] <= request.format.targetBytes;
  return { pieces: few ? [{ part: whole, range: undefined }] : pieces, known };
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Plan Rows": number;
  readonly "Plan Width": number;
  readonly Plans?: readonly PlanNode[] | undefined;
}

const readsWholeTable = (node: PlanNode): boolean =>
  node["Node Type"] === "Seq Scan" || (node.Plans ?? []).some((child) => readsWholeTable(child));

interface Worker extends ExtractOptions {
  readonly sql: ExtractSql;
  readonly queue: Iterator<Piece>;
  readonly known: boolean;
  readonly total: {
    rows: number;
    bytes: number;
    reported: number;
    files: number;
    readonly misfits: Record<string, number>;
  };
  readonly signal: AbortSignal;
}

/** One reader: at most one file being filled and one being taken. */
async function fillFiles(worker: Worker): Promise<void> {
  let taking: Promise<void> = Promise.resolve();
  try {
    // The last file is still being taken when the reader is free for another table.
    await worker.limit(() =>
      worker.withReader(worker.signal, async (session) => {
        await resetCounters(worker, session);
        for (let next = worker.queue.next(); !next.done; next = worker.queue.next()) {
          const filled = await fillFile(worker, session, next.value);
          if (!filled) continue;
          try {
            await taking;
            worker.signal.throwIfAborted();
          } catch (thrown) {
            await filled.writer.remove();
            throw thrown;
          }
          taking = hand(worker, filled);
          taking.catch(() => {});
        }
        await readCounters(worker, session);
      }),
    );
  } finally {
    await taking;
  }
}

const countersOf = ({ sql }: Worker) =>
  sql.columns.flatMap(({ name, counter }) => (counter === undefined ? [] : [{ name, counter }]));

/** A reader may have counted for another table before. */
async function resetCounters(worker: Worker, session: Session): Promise<void> {
  const counters = countersOf(worker).map(({ counter }) => `set_config(${literal(counter)}, '0', true)`);
  if (counters.length > 0) await session.query(`SELECT ${counters.join(", ")}`, [], { signal: worker.signal });
}

async function readCounters(worker: Worker, session: Session): Promise<void> {
  const counters = countersOf(worker);
  if (counters.length === 0) return;
  const counts = counters.map(({ counter }) => `current_setting(${literal(counter)})::bigint`);
  const [row] = await session.query<{ counts: string[] }>(`SELECT ARRAY[${counts.join(", ")}]::text[] AS counts`, [], {
    signal: worker.signal,
  });
  for (const [index, { name }] of counters.entries()) {
    const count = Number(row?.counts[index]);
    if (count > 0) worker.total.misfits[name] = (worker.total.misfits[name] ?? 0) + count;
  }
}

interface FilledFile {
  readonly writer: StagedFileWriter;
  readonly file: StagedFile;
  readonly note: string | undefined;
}

/** Fills one file from the piece and those after it; undefined if they hold no row. */
async function fillFile(worker: Worker, session: Session, first: Piece): Promise<FilledFile | undefined> {
  const { request, total, sql, queue, rate, signal } = worker;
  const { table, what, format } = request;
  const ending = format.compression === "gzip" ? "csv.gz" : "csv";
  total.files += 1;
  const name = `${encodeURIComponent(table.name)}-${what}-${String(total.files).padStart(5, "0")}.${ending}`;
  const writer = new StagedFileWriter(join(request.folder, name), format.compression);
  try {
    let rows = 0;
    let longestRow = 0;
    const pieces: Piece[] = [];
    for (
      let piece: Piece | undefined = first;
      piece;
      piece = writer.bytes < format.targetBytes ? after(queue) : undefined
    ) {
      const text = copySql(sql, selectSql(sql, piece.part, piece.range, piece.since));
      let paid = 0;
      const copied = await session.copy(
        text,
        async (bytes, soFar) => {
          await writer.write(bytes);
          await rate.take(soFar - paid, signal);
          paid = soFar;
          total.bytes += bytes.length;
          if (total.bytes - total.reported >= REPORT_EVERY) report(worker);
        },
        { signal, table: `${table.sourceSchema}.${table.sourceTable}`, doing: `reading ${table.name}` },
      );
      rows += copied.rows;
      total.rows += copied.rows;
      longestRow = Math.max(longestRow, copied.longestRow);
      pieces.push(piece);
    }
    if (rows > 0) {
      return { writer, file: await writer.close({ rows, longestRow }), note: note(worker, pieces) };
    }
    await writer.remove();
    return undefined;
  } catch (thrown) {
    await writer.remove();
    throw thrown;
  }
}

function note({ request, ground, known, version }: Worker, pieces: readonly Piece[]): string | undefined {
  if (!known || request.what !== "rows" || request.since) return undefined;
  const read = pieces.flatMap(({ part, range }): PagesRead[] => {
    const file = part.oid === undefined ? undefined : ground.parts.get(part.oid);
    return part.oid === undefined || file === undefined ? [] : [{ from: 0, ...range, part: part.oid, file, version }];
  });
  return noteOf(read);
}

function after(queue: Iterator<Piece>): Piece | undefined {
  const next = queue.next();
  return next.done ? undefined : next.value;
}

function report({ request, total }: Worker): void {
  total.reported = total.bytes;
  request.progress({ rows: total.rows, bytes: total.bytes });
}

async function hand({ request }: Worker, { writer, file, note: told }: FilledFile): Promise<void> {
  try {
    await request.take(file, told);
  } finally {
    await writer.remove();
  }
}
