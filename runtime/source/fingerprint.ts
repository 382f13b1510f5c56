/** Fingerprints of one table of the snapshot: several readers, each over page ranges of its own, whose sums are added up. */
import type { LimitFunction } from "p-limit";
import { mapConcurrently } from "../core/concurrency.ts";
import { identifier } from "../core/sql.ts";
import {
  identityColumns,
  isSummed,
  valueForm,
  type BucketFingerprint,
  type FingerprintColumn,
  type FingerprintRow,
  type FingerprintShape,
} from "../manifest/fingerprint.ts";
import { rangeColumn, type KeySpread } from "../manifest/key-buckets.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import { liveColumn, type Relation } from "./catalogue.ts";
import { fingerprintRowsSql, fingerprintSql, type ChangedSince, type FingerprintSql } from "./fingerprint-sql.ts";
import { pagePieces, type Part } from "./page-ranges.ts";
import type { Session } from "./session.ts";
import { sqlFile } from "./sql-file.ts";

const PARTS = sqlFile("parts");

/** Pieces for each reader, so that none waits long for the other at the end. */
const PIECES_PER_READER = 4;
/** A piece of less than this costs more to begin than to read. */
const SMALLEST_PIECE = 16 << 20;
/** Rows that are fetched at a time, where they are small; documents may be of 100 MB, so their size decides after the first few. */
const MOST_ROWS = 2_000;
const FIRST_ROWS = 10;
const FETCHED_BYTES = 4 << 20;

/** What a shape can be made from. */
export interface FingerprintBasis {
  readonly columns: readonly FingerprintColumn[];
  /** The single integer key, with its lowest and highest value; undefined where there is none, or no row. */
  readonly range?: (KeySpread & { readonly column: string }) | undefined;
  /** Estimated. */
  readonly rows: number;
  /** Whether rows have versions, so that those of later transactions can be told apart. */
  readonly versioned: boolean;
}

export interface SourceFingerprintRequest extends FingerprintShape {
  /** Only these buckets. */
  readonly only?: readonly bigint[] | undefined;
  /** Only how many rows each bucket has: sums are left empty. */
  readonly counts?: boolean | undefined;
  readonly changedSince?: ChangedSince | undefined;
  /** Rows that have been gone through so far. */
  readonly progress?: ((rows: number) => void) | undefined;
  /** For messages; verifying, unless told. */
  readonly doing?: string | undefined;
  readonly signal: AbortSignal;
}

export interface SourceFingerprint {
  /** Of the rows that have not changed since. */
  readonly buckets: readonly BucketFingerprint[];
  /** Rows that have. */
  readonly changed: number;
}

/** A row, and whether it is one of `changedSince`. */
export interface SourceRow extends FingerprintRow {
  readonly changed: boolean;
}

export interface FingerprintSource {
  readonly relation: Relation;
  readonly readers: number;
  readonly limit: LimitFunction;
  readonly withReader: <T>(signal: AbortSignal, work: (session: Session) => Promise<T>) => Promise<T>;
}

/** Reads only catalogue and index. */
export async function fingerprintBasis(
  source: FingerprintSource,
  table: ManifestTable,
  signal: AbortSignal,
): Promise<FingerprintBasis> {
  const { relation, limit, withReader } = source;
  const typeOf = (name: string) => liveColumn(relation, name).type;
  const columns = table.columns.map(({ name, type }) => ({ name, form: valueForm(typeOf(name), type) }));
  const column = rangeColumn(table, typeOf);
  const { schema, name } = relation;
  return limit(() =>
    withReader(signal, async (session) => {
      const options = { signal, doing: `looking at ${table.name}` };
      const [size] = await session.query<{ rows: number }>(
        `SELECT greatest(0, coalesce(sum(greatest(c.reltuples, pg_catalog.pg_relation_size(c.oid) / 1000)), 0))::float8 AS rows
         FROM (SELECT $1::oid AS oid UNION SELECT relid FROM pg_catalog.pg_partition_tree($1::oid)) AS part JOIN pg_catalog.pg_class c USING (oid) WHERE c.relkind IN ('r', 'm')`,
        [relation.oid],
        options,
      );
      const versioned = relation.kind === "r" || relation.kind === "p" || relation.kind === "m";
      const basis = { columns, rows: size?.rows ?? 0, versioned };
      if (column === undefined) return basis;
      const key = identifier(column);
      const [spread] = await session.query<{ min: string | null; max: string | null }>(
        `SELECT min(${key})::text AS min, max(${key})::text AS max FROM ${identifier(schema, name)}`,
        [],
        options,
      );
      const { min, max } = spread ?? {};
      const range =
        typeof min === "string" && typeof max === "string" ? { column, min: BigInt(min), max: BigInt(max) } : undefined;
      return { ...basis, range: range ?? { column, min: 0n, max: 0n } };
    }),
  );
}

type Totals = Map<string, { bucket: bigint | null; rows: number; key: bigint; sums: bigint[]; counts: bigint[] }>;

/** @throws NovaError SOURCE_*, or the signal's reason */
export async function fingerprintTable(
  source: FingerprintSource,
  request: SourceFingerprintRequest,
): Promise<SourceFingerprint> {
  const { limit, withReader, readers } = source;
  const { signal, table } = request;
  const summed = request.counts === true ? [] : request.columns.filter(isSummed);
  const plan = await planPieces(source, request);
  const totals: Totals = new Map();
  const done = { rows: 0, changed: 0 };
  await mapConcurrently(plan, { limit: readers, signal }, (sql, stop) =>
    limit(() =>
      withReader(stop, async (session) => {
        const rows = await session.query<Record<string, string | boolean | null>>(fingerprintSql(sql), [], {
          signal: stop,
          table: `${table.sourceSchema}.${table.sourceTable}`,
          doing: request.doing ?? `verifying ${table.name}`,
        });
        for (const row of rows) {
          done.rows += Number(row["rows"]);
          if (row["is_new"] === true) done.changed += Number(row["rows"]);
          else add(totals, row, summed.length);
        }
        request.progress?.(done.rows);
      }),
    ),
  );
  const buckets = [...totals.values()].map(({ bucket, rows, key, sums, counts }) => ({
    bucket,
    rows,
    key: String(key),
    columns: sums.map((sum, index) => `${sum}/${counts[index]}`),
  }));
  return { buckets, changed: done.changed };
}

function add(totals: Totals, row: Record<string, string | boolean | null>, columns: number): void {
  const name = String(row["bucket"]);
  let total = totals.get(name);
  if (!total) {
    const zeros = () => Array.from({ length: columns }, () => 0n);
    total = { bucket: row["bucket"] === null ? null : BigInt(name), rows: 0, key: 0n, sums: zeros(), counts: zeros() };
    totals.set(name, total);
  }
  total.rows += Number(row["rows"]);
  total.key += BigInt(String(row["key"]));
  for (let index = 0; index < columns; index++) {
    total.sums[index] = (total.sums[index] ?? 0n) + BigInt(String(row[`s${index}`]));
    total.counts[index] = (total.counts[index] ?? 0n) + BigInt(String(row[`c${index}`]));
  }
}

/** One statement for each piece of the heap; one alone where buckets are looked up by an index. */
async function planPieces(
  { relation, limit, withReader, readers }: FingerprintSource,
  { signal, ...request }: SourceFingerprintRequest,
): Promise<FingerprintSql[]> {
  return limit(() =>
    withReader(signal, async (session) => {
      const [server] = await session.query<{ utf8: boolean }>(
        "SELECT current_setting('server_encoding') = 'UTF8' AS utf8",
        [],
        { signal },
      );
      const whole = { schema: relation.schema, name: relation.name };
      const common = { ...request, relation, from: whole, utf8: server?.utf8 === true };
      if (request.only && request.buckets.by === "range") return [common];
      const parts = await session.query<Part & { readable: boolean }>(PARTS, [relation.oid], { signal });
      if (!parts.every((part) => part.readable)) return [common];
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      const pieces = pagePieces(parts, Math.max(SMALLEST_PIECE, bytes / (readers * PIECES_PER_READER)));
      return pieces.map(({ part, range }) => ({ ...common, from: { schema: part.schema, name: part.name }, range }));
    }),
  );
}

/**
 * Hands over the rows of `only`, or of the whole table, in pieces; `take` is awaited.
 *
 * @throws NovaError SOURCE_*, what `take` throws, or the signal's reason
 */
export async function fingerprintTableRows(
  { relation, limit, withReader }: FingerprintSource,
  { signal, ...request }: SourceFingerprintRequest,
  take: (rows: readonly SourceRow[]) => Promise<void> | void,
): Promise<void> {
  const { table, columns } = request;
  const keys = identityColumns(request).length;
  await limit(() =>
    withReader(signal, async (session) => {
      const options = { signal, doing: `verifying ${table.name}` };
      const [server] = await session.query<{ utf8: boolean }>(
        "SELECT current_setting('server_encoding') = 'UTF8' AS utf8",
        [],
        options,
      );
      const from = { schema: relation.schema, name: relation.name };
      const sql = fingerprintRowsSql({ ...request, relation, from, utf8: server?.utf8 === true });
      await session.query(`DECLARE novadrive_rows NO SCROLL CURSOR FOR ${sql}`, [], options);
      let size = columns.every(isSummed) ? MOST_ROWS : FIRST_ROWS;
      for (;;) {
        const rows = await session.query<Record<string, string | boolean | null>>(
          `FETCH ${size} FROM novadrive_rows`,
          [],
          options,
        );
        if (rows.length > 0) await take(rows.map((row) => readRow(row, keys, columns.length)));
        if (rows.length < size) break;
        size = Math.max(1, Math.min(MOST_ROWS, Math.floor((FETCHED_BYTES * rows.length) / (lengthOf(rows) + 1))));
      }
      await session.query("CLOSE novadrive_rows", [], options);
    }),
  );
}

function lengthOf(rows: readonly Record<string, string | boolean | null>[]): number {
  return rows.reduce(
    (sum, row) =>
      Object.values(row).reduce(
        (length: number, value) => length + (typeof value === "string" ? value.length : 0),
        sum,
      ),
    0,
  );
}

function readRow(row: Record<string, string | boolean | null>, keys: number, values: number): SourceRow {
  const text = (name: string): string | null => {
    const value = row[name];
    return typeof value === "string" ? value : null;
  };
  return {
    changed: row["is_new"] === true,
    key: Array.from({ length: keys }, (_, index) => text(`k${index}`)),
    values: Array.from({ length: values }, (_, index) => text(`v${index}`)),
  };
}
