/** What the stage tables must hold: the source as the batch's own snapshot shows it, read in that snapshot by somebody else. */
import type { Client } from "pg";
import { identifier, literal } from "../../../runtime/core/sql.ts";
import { keepsDeleted } from "../../../runtime/manifest/manifest.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import { MODEL_TABLES, selectSql, type Row, type TableName } from "./tables.ts";

export type Contents = ReadonlyMap<TableName, readonly Row[]>;

/** PostgreSQL names the file of an exported snapshot after the transaction that it belongs to: src/backend/utils/time/snapmgr.c. */
const EXPORTED = `
  SELECT name FROM pg_ls_dir('pg_snapshots') AS name WHERE name IN (
    SELECT format('%s-%s-1', upper(lpad(to_hex(split_part(virtualtransaction, '/', 1)::int), 8, '0')),
        upper(lpad(to_hex(split_part(virtualtransaction, '/', 2)::bigint), 8, '0')))
      FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE datname = current_database() AND application_name = 'novadrive')`;

/** All tables in the snapshot that a batch on this database has open. @throws Error if there is not exactly one */
export async function readInBatchSnapshot(client: Client, tables: readonly TableName[]): Promise<Contents> {
  const { rows } = await client.query<{ name: string }>(EXPORTED);
  const [only] = rows;
  if (!only || rows.length > 1) throw new Error(`${rows.length} snapshots are exported, not one`);
  await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${literal(only.name)}`);
  try {
    return await readSource(client, tables);
  } finally {
    await client.query("COMMIT");
  }
}

export async function readSource(client: Client, tables: readonly TableName[]): Promise<Contents> {
  const contents = new Map<TableName, readonly Row[]>();
  for (const name of tables) {
    const { rows } = await client.query<{ row: Row }>(selectSql(MODEL_TABLES[name].manifest));
    contents.set(
      name,
      rows.map(({ row }) => row),
    );
  }
  return contents;
}

/** Rows that were deleted softly are left out. */
export async function readStage(warehouse: Warehouse, tables: readonly TableName[]): Promise<Contents> {
  const contents = new Map<TableName, readonly Row[]>();
  for (const name of tables) {
    const columns = MODEL_TABLES[name].manifest.columns.map((column) => identifier(column.name).replaceAll('"', ""));
    const there = keepsDeleted(MODEL_TABLES[name].manifest) ? " where _deleted_at is null" : "";
    contents.set(name, (await warehouse.query(`select ${columns.join(", ")} from stage.${name}${there}`)).rows);
  }
  return contents;
}

export interface Allowance {
  /** Keys of rows that changed in a way that is documented to be found by a scan or a verification only. */
  readonly unseen: ReadonlySet<string>;
  /** Rows, as JSON, that the source has had: the stage table may keep them where deletes are not looked for. */
  readonly kept: ReadonlySet<string>;
}

/** What is not as it should be, in words; empty if all is well. */
export function differences(source: Contents, stage: Contents, { unseen, kept }: Allowance): readonly string[] {
  return [...source].flatMap(([name, wanted]) => {
    const { keyOf } = MODEL_TABLES[name];
    const loose = (row: Row) => name === "pointed" && unseen.has(keyOf(row) ?? "");
    const there = wanted.filter((row) => !loose(row)).map((row) => JSON.stringify(row));
    const found = (stage.get(name) ?? []).filter((row) => !loose(row));
    const here = found.map((row) => JSON.stringify(row));
    const keys = found.map((row) => keyOf(row)).filter((key) => key !== null);
    const missing = without(there, here).map((row) => `${name} lacks ${row}`);
    const extra = without(here, there)
      .filter((row) => name !== "appended" || !kept.has(row))
      .map((row) => `${name} has ${row}`);
    const twice = keys.filter((key, index) => keys.indexOf(key) !== index).map((key) => `${name} has ${key} twice`);
    return [...missing, ...extra, ...twice];
  });
}

/** Those of `all` that `others` does not have, each as often as it has fewer. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const one of others) left.set(one, (left.get(one) ?? 0) + 1);
  return all.filter((one) => {
    const count = left.get(one) ?? 0;
    left.set(one, count - 1);
    return count <= 0;
  });
}
