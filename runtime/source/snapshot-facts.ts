/** What a snapshot knows of itself and of each table, from which it is decided what a batch reads: read once, when the snapshot is opened. */
import { cursorsOf, type ManifestTable } from "../manifest/manifest.ts";
import { cursorKindOf } from "../manifest/postgres-type.ts";
import { liveColumn, type Relation, type RunQuery } from "./catalogue.ts";
import type { TableFacts } from "./detection.ts";
import type { Activity } from "./fence.ts";
import { readGrounds, type ServerGround } from "./ground.ts";
import { readSequences, type SequenceFacts } from "./sequence-fence.ts";
import { sqlFile } from "./sql-file.ts";

const IDENTITY = sqlFile("identity");
const CURSOR_INDEXES = sqlFile("cursor-indexes");
const WAL = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END::text AS wal";

export interface TableRelation {
  readonly table: ManifestTable;
  readonly relation: Relation;
}

/** Which server this is. A server that keeps that to itself, as some that are rented do, costs a batch no more than level 0. */
export async function readServer(query: RunQuery): Promise<string | undefined> {
  try {
    const [row] = await query<{ server: string }>(IDENTITY);
    return row?.server;
  } catch {
    // If the connection is gone, the next statement says so.
    return undefined;
  }
}

/** Where the log had got to when the snapshot could be taken. A server that does not say which one it is may not have one either. */
export async function readWal(query: RunQuery, server: string | undefined): Promise<string | null> {
  if (server === undefined) return null;
  const [row] = await query<{ wal: string | null }>(WAL);
  return row?.wal ?? null;
}

/** Of the tables whose cursor counts, by OID. */
export function readTableSequences(
  query: RunQuery,
  tables: readonly TableRelation[],
): Promise<ReadonlyMap<number, SequenceFacts>> {
  const wanted = tables.flatMap(({ table, relation }) => {
    const [column, ...more] = cursorsOf(table.sync);
    const counts = column !== undefined && cursorKindOf(liveColumn(relation, column).type) === "number";
    return counts && more.length === 0 && table.sync.mode !== "full_refresh"
      ? [{ relation: relation.oid, column }]
      : [];
  });
  return readSequences(query, wanted);
}

export interface FactsOptions {
  /** In the snapshot. */
  readonly query: RunQuery;
  readonly tables: readonly TableRelation[];
  readonly server: ServerGround;
  readonly activity: Activity;
  readonly sequences: ReadonlyMap<number, SequenceFacts>;
}

/** By name of the table. */
export async function readFacts({
  query,
  tables,
  sequences,
  ...shared
}: FactsOptions): Promise<ReadonlyMap<string, TableFacts>> {
  const grounds = await readGrounds(query, tables);
  const indexed = await readIndexed(query, tables);
  const facts = tables.flatMap(({ table, relation }): TableFacts[] => {
    const ground = grounds.get(table.name);
    const sequence = sequences.get(relation.oid);
    return ground ? [{ ...shared, table, relation, ground, sequence, indexed: indexed.has(table.name) }] : [];
  });
  return new Map(facts.map((one) => [one.table.name, one]));
}

/** Names of the tables of which every cursor has an index that begins with it. */
async function readIndexed(query: RunQuery, tables: readonly TableRelation[]): Promise<ReadonlySet<string>> {
  const wanted = tables.flatMap(({ table, relation }) =>
    cursorsOf(table.sync).map((cursor) => ({ relation: relation.oid, cursor })),
  );
  if (wanted.length === 0) return new Set();
  const rows = await query<{ relation: number; cursor: string; indexed: boolean }>(CURSOR_INDEXES, [
    JSON.stringify(wanted),
  ]);
  const known = new Set(rows.filter((row) => row.indexed).map((row) => JSON.stringify([row.relation, row.cursor])));
  const isIndexed = ({ table, relation }: TableRelation): boolean =>
    cursorsOf(table.sync).every((cursor) => known.has(JSON.stringify([relation.oid, cursor])));
  return new Set(tables.filter(isIndexed).map(({ table }) => table.name));
}
