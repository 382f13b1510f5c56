/** Everything of a batch into the stage tables, in one transaction. */
import { NovaError } from "../../core/errors.ts";
import { keepsDeleted } from "../../manifest/manifest.ts";
import type { Publication, PublishedTable, StatementOptions, TablePublication } from "../warehouse.ts";
import { changes, single } from "./rows.ts";
import { SnowflakeFirstLoad } from "./snowflake-first-load.ts";
import { targetOf } from "./snowflake-incoming.ts";
import { endFirstLoads } from "./sql/first-load.ts";
import { findBatch, takeGuard, writeBatch, writeWatermarks } from "./sql/pipeline.ts";
import {
  countStageTables,
  deleteAll,
  deleteVanished,
  insertAll,
  markVanished,
  mergeRows,
  recordVanished,
} from "./sql/publish.ts";
import type { SnowflakeSession } from "./statement.ts";
import { endedFromOutside, inTransaction, type TransactionOptions } from "./transaction.ts";

export interface PublishOptions extends Pick<TransactionOptions, "sessions" | "clock"> {
  readonly publication: Publication;
  /** The batch that the warehouse's state was read after. */
  readonly expected: number;
  /** What an earlier attempt would have published, by the batch's UUID; its outcome may not have become known. */
  readonly attempted: Map<string, readonly PublishedTable[]>;
  readonly statement: StatementOptions;
}

/**
 * @throws NovaError BATCH_RUNNING if the last batch is not the expected one any more, or this batch's number is not above it; whatever is
 * thrown, nothing was published, unless it is WAREHOUSE_UNREACHABLE at the commit
 */
export async function publish({
  publication,
  expected,
  attempted,
  sessions,
  clock,
  statement,
}: PublishOptions): Promise<readonly PublishedTable[]> {
  const { batch, tables } = publication;
  if (batch.id <= expected) throw alreadyPublished(batch.id, expected);
  const transaction = {
    step: "publish",
    id: batch.uuid,
    what: `batch ${batch.id}`,
    find: findBatch(batch.uuid),
  } as const;
  const earlier = attempted.get(batch.uuid);
  if (earlier && (await sessions.use(async (session) => single(await session.run(transaction.find)))) === "1")
    return earlier;
  return inTransaction({ sessions, clock, ...transaction }, async (transactionSession) => {
    const session: SnowflakeSession = { run: (sent) => transactionSession.run(sent, statement) };
    const { inserted, updated } = changes(await session.run(takeGuard(expected, batch.id)));
    if (inserted + updated === 0) throw overtaken(batch.id, expected);
    const counts: Omit<PublishedTable, "rows">[] = [];
    for (const table of tables) counts.push(await publishTable(session, table, batch));
    const rows = await countRows(session, tables);
    if (tables.length > 0) {
      await session.run(
        writeWatermarks(batch.id, new Map(tables.map(({ table, watermark }) => [table.name, watermark]))),
      );
    }
    const ended = tables
      .filter(({ rows: taken }) => taken instanceof SnowflakeFirstLoad)
      .map(({ table }) => table.name);
    if (ended.length > 0) await session.run(endFirstLoads(ended, batch.id));
    if (changes(await session.run(writeBatch(batch))).inserted !== 1) throw endedFromOutside(`batch ${batch.id}`);
    const published = counts.map((count, index) => ({ ...count, rows: rows[index] ?? 0 }));
    attempted.set(batch.uuid, published);
    return published;
  });
}

async function publishTable(
  session: SnowflakeSession,
  publication: TablePublication,
  batch: Publication["batch"],
): Promise<Omit<PublishedTable, "rows">> {
  const { table, action } = publication;
  const rows = targetOf(publication.rows);
  let deleted = await deleteVanishedRows(session, publication, batch);
  if (action === "replace") deleted += changes(await session.run(deleteAll(table, batch.id))).deleted;
  const write = action === "merge" ? mergeRows : insertAll;
  const { inserted, updated } = changes(await session.run(write(table, rows, batch)));
  return { name: table.name, inserted, updated, deleted };
}

/** Recording them counts them; only where there are any is the table gone through once more. */
async function deleteVanishedRows(
  session: SnowflakeSession,
  { table, keys, keysWithin: within }: TablePublication,
  batch: Publication["batch"],
): Promise<number> {
  if (!keys) return 0;
  const vanished = { table, keys: targetOf(keys), within, batch };
  const { inserted } = changes(await session.run(recordVanished(vanished)));
  if (inserted === 0) return 0;
  if (keepsDeleted(table)) return changes(await session.run(markVanished(vanished))).updated;
  return changes(await session.run(deleteVanished(vanished))).deleted;
}

async function countRows(session: SnowflakeSession, tables: readonly TablePublication[]): Promise<readonly number[]> {
  if (tables.length === 0) return [];
  const { rows } = await session.run(countStageTables(tables.map(({ table }) => table)));
  const counts = new Map(rows.map(([position, count]) => [Number(position), Number(count)]));
  return tables.map((_, index) => counts.get(index) ?? 0);
}

function alreadyPublished(batchId: number, last: number): NovaError {
  return new NovaError("BATCH_RUNNING", `Batch ${batchId} cannot be published: batch ${last} is already.`, {
    remedy: "Run again: the next batch takes the next number.",
    details: { batchId, lastBatchId: last },
  });
}

function overtaken(batchId: number, expected: number): NovaError {
  return new NovaError(
    "BATCH_RUNNING",
    `Batch ${batchId} cannot be published: another process has published since batch ${expected}, on which this one builds.`,
    {
      remedy:
        "Run again; and see that only one machine loads into this database. If it stays so, compare PIPELINE.GUARD with the last row of PIPELINE.BATCHES.",
      details: { batchId, lastBatchId: expected },
    },
  );
}
