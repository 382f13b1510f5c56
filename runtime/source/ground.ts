/**
 * What a table stands on: server, history, relation, columns and files. A fence says something only where that is what it was when the fence was
 * taken; a partition that was attached, or a file that was written anew, may hold rows which are older than the fence and were never read.
 */
import { createHash } from "node:crypto";
import type { ManifestTable } from "../manifest/manifest.ts";
import { liveColumn, type Relation, type RunQuery } from "./catalogue.ts";
import { sqlFile } from "./sql-file.ts";

const GROUND = sqlFile("ground");

/** Of the server, at the snapshot. */
export interface ServerGround {
  /** `<system identifier>/<timeline>/<OID of the database>`; undefined where the server does not tell. */
  readonly server: string | undefined;
  /** pg_current_snapshot() */
  readonly snapshot: string;
  /** Where the write-ahead log had got to; null on a standby, and where the server does not tell. */
  readonly wal: string | null;
}

export interface TableGround {
  readonly oid: number;
  /**
   * By OID of whatever holds rows of the table: the number of its file, `4711`; of a partition also a hash of its own columns, `4711/0c1d2e3f`,
   * which it may have got while it was detached.
   */
  readonly parts: ReadonlyMap<number, string>;
  /** Hash of the manifest's columns as the relation has them: one that was dropped and added again, or renamed, is another. */
  readonly columns: string;
  /** Whether every row has a version: all of it is heap. */
  readonly versioned: boolean;
  /** Whether its rows outlast a crash, and come with transactions only. */
  readonly durable: boolean;
  /** As of the last VACUUM or ANALYZE. */
  readonly rows: number;
  readonly bytes: number;
}

interface PartRow {
  position: number;
  oid: number;
  file: number;
  columns: string | null;
  heap: boolean;
  logged: boolean;
  rows: number;
  bytes: number;
}

/** By name of the table. @param query in the snapshot, behind the locks */
export async function readGrounds(
  query: RunQuery,
  tables: readonly { readonly table: ManifestTable; readonly relation: Relation }[],
): Promise<ReadonlyMap<string, TableGround>> {
  const wanted = tables.map(({ table, relation }, position) => ({
    position,
    relation: relation.oid,
    columns: table.columns.map(({ name }) => name),
  }));
  const parts = Map.groupBy(await query<PartRow>(GROUND, [JSON.stringify(wanted)]), (row) => row.position);
  return new Map(
    tables.map(({ table, relation }, position) => [table.name, groundOf(table, relation, parts.get(position) ?? [])]),
  );
}

function groundOf(table: ManifestTable, relation: Relation, parts: readonly PartRow[]): TableGround {
  const columns = table.columns.map(({ name }) => {
    const { number, type } = liveColumn(relation, name);
    return [name, number, type.name, type.modifier];
  });
  return {
    oid: relation.oid,
    parts: new Map(parts.map(({ oid, file, columns: own }) => [oid, own === null ? String(file) : `${file}/${own}`])),
    columns: createHash("sha256").update(JSON.stringify(columns)).digest("base64url").slice(0, 16),
    versioned: parts.every(({ heap }) => heap),
    durable: parts.every(({ heap, logged }) => heap && logged),
    rows: sum(parts, ({ rows }) => Math.max(rows, 0)),
    bytes: sum(parts, ({ bytes }) => bytes),
  };
}

const sum = (parts: readonly PartRow[], value: (part: PartRow) => number): number =>
  parts.reduce((total, part) => total + value(part), 0);

/** For the next batch. */
export function groundFence({ server, snapshot, wal }: ServerGround, { oid, parts, columns }: TableGround) {
  return {
    ...(server !== undefined && { server }),
    ...(wal !== null && { wal }),
    snapshot,
    relation: String(oid),
    columns,
    parts: [...parts].map(([part, file]) => `${part}:${file}`).join(" "),
  };
}

export type GroundChange =
  | { readonly change: "none" }
  /** Only these parts are new, or their files are; perhaps none, where parts are gone. */
  | { readonly change: "parts"; readonly parts: readonly number[] }
  | { readonly change: "all"; readonly why: string };

/** @param fence of the last batch */
export function groundChange(
  fence: Readonly<Record<string, string>>,
  server: ServerGround,
  ground: TableGround,
): GroundChange {
  const why = serverChange(fence, server) ?? relationChange(fence, ground);
  if (why !== undefined) return { change: "all", why };
  const before = new Map(
    (fence["parts"] ?? "").split(" ").flatMap((part): [number, string][] => {
      const [oid, file] = part.split(":");
      return file === undefined ? [] : [[Number(oid), file]];
    }),
  );
  const parts = [...ground.parts].flatMap(([oid, file]) => (isSame(before.get(oid), file) ? [] : [oid]));
  if (parts.length > 0 && parts.length === ground.parts.size) {
    return { change: "all", why: "it was truncated or rewritten" };
  }
  return parts.length > 0 || before.size !== ground.parts.size ? { change: "parts", parts } : { change: "none" };
}

/** Older versions noted no columns. */
function isSame(before: string | undefined, now: string): boolean {
  return before === now || (before !== undefined && !before.includes("/") && before === now.split("/")[0]);
}

function serverChange(
  fence: Readonly<Record<string, string>>,
  { server, snapshot, wal }: ServerGround,
): string | undefined {
  if (fence["snapshot"] === undefined) return "the last batch did not note what it stands on";
  if (!isSameServer(fence["server"], server)) {
    return `the source is another server or database, or was restored or promoted (${fence["server"] ?? "unknown"} before, ${server ?? "unknown"} now)`;
  }
  if (nextOf(snapshot) < nextOf(fence["snapshot"])) {
    return "the source has counted fewer transactions than before, so it was set back to an earlier state";
  }
  if (wal !== null && fence["wal"] !== undefined && walNumber(wal) < walNumber(fence["wal"])) {
    return "the source has written less than before, so it was set back to an earlier state";
  }
  return undefined;
}

/** Older versions noted no database. */
function isSameServer(before: string | undefined, now: string | undefined): boolean {
  return before === now || (before?.split("/").length === 2 && now?.startsWith(`${before}/`) === true);
}

function relationChange(fence: Readonly<Record<string, string>>, { oid, columns }: TableGround): string | undefined {
  if (fence["relation"] !== String(oid))
    return "it is another table of the same name (dropped and made anew, or swapped)";
  return fence["columns"] === columns
    ? undefined
    : "its columns are others (renamed, retyped, or dropped and added again)";
}

/** The lowest transaction that was still running, and the first that had not ended nor begun: xid8. */
export const oldestOf = (snapshot: string): bigint => BigInt(snapshot.split(":")[0] ?? "");
export const nextOf = (snapshot: string): bigint => BigInt(snapshot.split(":")[1] ?? "");

/** `16/B374D848` */
function walNumber(lsn: string): bigint {
  const [high = "0", low = "0"] = lsn.split("/");
  return BigInt(`0x${high}`) * 0x1_0000_0000n + BigInt(`0x${low}`);
}
