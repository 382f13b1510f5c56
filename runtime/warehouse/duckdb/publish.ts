/** Everything of a batch into the stage tables, in one transaction. */
import { NovaError } from "../../core/errors.ts";
import { keepsDeleted, stageColumns, type ManifestTable } from "../../manifest/manifest.ts";
import type { Publication, PublishedTable, TablePublication } from "../warehouse.ts";
import { relationColumnFacts } from "./catalogue.ts";
import { isEmpty, targetOf, VERY_MANY_COLUMNS } from "./duckdb-incoming.ts";
import type { Session } from "./engine.ts";
import { countRows, createIncoming } from "./sql/incoming.ts";
import { DuckDbFirstLoad } from "./first-loads.ts";
import { forgetFirstLoad } from "./sql/first-load.ts";
import { lastBatchId, writeBatch, writeWatermark } from "./sql/bookkeeping.ts";
import {
  countStage,
  deleteAll,
  deleteChanged,
  deleteVanished,
  DROP_KEPT,
  insertAll,
  insertMissing,
  insertMissingWithLeft,
  keepLeft,
  markVanished,
  recordVanished,
} from "./sql/publish.ts";

/** @throws NovaError BATCH_RUNNING if a batch with this number or a higher one is published already; EngineError */
export async function publish(session: Session, publication: Publication): Promise<readonly PublishedTable[]> {
  const isWide = publication.tables.some(({ table }) => table.columns.length > VERY_MANY_COLUMNS);
  return await (isWide
    ? withOneThread(session, () => publishAll(session, publication))
    : publishAll(session, publication));
}

/** See VERY_MANY_COLUMNS. */
async function withOneThread<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const threads = await single(session, "SELECT current_setting('threads')");
  await session.run("SET threads = 1");
  try {
    return await work();
  } finally {
    await session.run(`SET threads = ${threads}`);
  }
}

function publishAll(session: Session, { batch, tables }: Publication): Promise<PublishedTable[]> {
  return session.transaction(async () => {
    const last = await single(session, lastBatchId());
    if (batch.id <= last) {
      throw new NovaError("BATCH_RUNNING", `Batch ${batch.id} cannot be published: batch ${last} is already.`, {
        remedy: "Run again: the next batch takes the next number.",
        details: { batchId: batch.id, lastBatchId: last },
      });
    }
    const results: PublishedTable[] = [];
    for (const table of tables) results.push(await publishTable(session, table, batch));
    await session.run(writeBatch(batch));
    await dropIncoming(session, tables);
    return results;
  });
}

async function publishTable(
  session: Session,
  publication: TablePublication,
  batch: Publication["batch"],
): Promise<PublishedTable> {
  const { table, action, watermark } = publication;
  const rows = targetOf(publication.rows);
  const before = await single(session, countStage(table));
  const deletedNow = await deleteVanishedRows(session, publication, batch, before);
  // Rows that are deleted softly stay.
  let deleted = keepsDeleted(table) ? 0 : deletedNow;
  if (action === "replace" && before > deleted) deleted += (await session.run(deleteAll(table))).changed;
  const left = before - deleted;
  const { inserted, updated, removed } = isEmpty(publication.rows)
    ? { inserted: 0, updated: 0, removed: 0 }
    : action === "merge" && left > 0
      ? await mergeRows(session, table, rows, batch)
      : { inserted: (await session.run(insertAll(table, rows, batch))).changed, updated: 0, removed: 0 };
  for (const statement of writeWatermark(table.name, watermark)) await session.run(statement);
  if (publication.rows instanceof DuckDbFirstLoad) {
    for (const statement of forgetFirstLoad(table.name)) await session.run(statement);
  }
  const gone = keepsDeleted(table) ? deletedNow + deleted : deleted;
  return { name: table.name, rows: left + inserted - removed, inserted, updated, deleted: gone + removed };
}

async function mergeRows(session: Session, table: ManifestTable, rows: string, batch: Publication["batch"]) {
  const left = await columnsLeft(session, table);
  const keep = left.length === 0 ? undefined : keepLeft(table, rows, left);
  if (keep !== undefined) {
    await session.run(DROP_KEPT);
    await session.run(keep);
  }
  const change = deleteChanged(table, rows);
  const updated = change === undefined ? 0 : (await session.run(change)).changed;
  const { changed } = await session.run(
    keep === undefined ? insertMissing(table, rows, batch) : insertMissingWithLeft(table, rows, batch, left),
  );
  if (keep !== undefined) await session.run(DROP_KEPT);
  // Of rows that stood there twice, one is put in again.
  const again = Math.min(updated, changed);
  return { inserted: changed - again, updated: again, removed: updated - again };
}

/** Columns of the stage table that the manifest does not have: what a row holds there outlasts its change. */
async function columnsLeft(session: Session, table: ManifestTable): Promise<readonly string[]> {
  const known = new Set(stageColumns(table).map(({ name }) => name.toLowerCase()));
  const live = await relationColumnFacts(session, { schema: table.schema, name: table.name });
  return live.map(({ name }) => name).filter((name) => !known.has(name.toLowerCase()));
}

/**
 * Keys that are compared at a time. For 5 M keys in one go the hash table does not fit into the memory for loading (the process grew to
 * 460 MB); in parts of 1.25 M it stayed below 395 MB, in parts of 0.5 M below 280 MB, for half a second more.
 */
const KEYS_AT_A_TIME = 500_000;

/** Recording them counts them; only where there are any is the table gone through once more. */
async function deleteVanishedRows(
  session: Session,
  { table, keys, keysWithin: within }: TablePublication,
  batch: Publication["batch"],
  before: number,
): Promise<number> {
  if (!keys || before === 0) return 0;
  const target = targetOf(keys);
  if (isEmpty(keys)) await session.run(createIncoming(target, keys.table, keys.purpose));
  const most = within ? Math.min(within.rows, before) : before;
  const of = Math.max(1, Math.ceil(Math.max(most, await single(session, countRows(target))) / KEYS_AT_A_TIME));
  const remove = keepsDeleted(table) ? markVanished : deleteVanished;
  let deleted = 0;
  for (let index = 0; index < of; index += 1) {
    const vanished = { table, keys: target, within, part: of === 1 ? undefined : { index, of }, batch };
    const { changed } = await session.run(recordVanished(vanished));
    if (changed > 0) deleted += (await session.run(remove(vanished))).changed;
  }
  return deleted;
}

/** In the same transaction: the checkpoint that may follow it would compress and write rows that nobody needs any more. */
async function dropIncoming(session: Session, tables: readonly TablePublication[]): Promise<void> {
  const incoming = new Set(
    tables.flatMap(({ rows, keys }) => (keys ? [targetOf(rows), targetOf(keys)] : [targetOf(rows)])),
  );
  await session.run([...incoming].map((target) => `DROP TABLE IF EXISTS ${target}`).join(";\n"));
}

async function single(session: Session, sql: string): Promise<number> {
  return Number((await session.run(sql)).rows[0]?.[0]);
}
