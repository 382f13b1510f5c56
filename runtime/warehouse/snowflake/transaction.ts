/** Transactions whose end is known, whatever becomes of the connection. */
import type { Clock } from "../../core/clock.ts";
import { NovaError } from "../../core/errors.ts";
import { named, single } from "./rows.ts";
import { abortTransaction, begin, commit, rollback, showTransactions, type TransactionStep } from "./sql/pipeline.ts";
import type { SnowflakeSession, SnowflakeSessions, Statement } from "./statement.ts";

/** How the transactions of this program are named, in front of what tells one from the other. */
const PREFIX = "NOVADRIVE_";
/** Pauses between attempts to find out what became of a commit, in seconds: half a minute in all. */
const PAUSES = [0, 1, 2, 4, 8, 16];

export interface TransactionOptions {
  readonly sessions: SnowflakeSessions;
  readonly clock: Clock;
  readonly step: TransactionStep;
  readonly subject?: string | undefined;
  /** Tells it from every other: a UUID. */
  readonly id: string;
  /** For messages. */
  readonly what: string;
  /** Counts a row that the transaction writes: 1 if it was committed. */
  readonly find: Statement;
  /** Done in the same session before the transaction begins, e.g. what would commit it. */
  readonly before?: ((session: SnowflakeSession) => Promise<void>) | undefined;
}

/**
 * Runs `work` in one transaction. When the answer to COMMIT is lost, the row that the transaction wrote decides; it is looked for only after
 * the transaction has ended.
 *
 * @throws what `work` throws, after a rollback; NovaError of COMMIT if nothing was committed, or if it could not be found out
 */
export async function inTransaction<T>(
  options: TransactionOptions,
  work: (session: SnowflakeSession) => Promise<T>,
): Promise<T> {
  const { sessions, step, subject, id, what } = options;
  let result: { readonly value: T } | undefined;
  try {
    await sessions.use(async (session) => {
      await options.before?.(session);
      await session.run(begin(step, transactionName(id), subject));
      try {
        result = { value: await work(session) };
      } catch (thrown) {
        // Where this fails too, the session is gone, and its transaction is ended below.
        await session.run(rollback(step, subject)).catch(() => undefined);
        throw thrown;
      }
      await session.run(commit(step, subject));
      // COMMIT succeeds too where there is no transaction any more.
      if (Number(single(await session.run(options.find))) === 0) throw endedFromOutside(what);
    });
  } catch (thrown) {
    if (!result) {
      await abortOwn(options).catch(() => undefined);
      throw thrown;
    }
    if (!(await wasCommitted(options, thrown))) throw thrown;
  }
  if (!result) throw new NovaError("INTERNAL", `The transaction of ${what} has ended without a result.`);
  return result.value;
}

async function wasCommitted(options: TransactionOptions, failure: unknown): Promise<boolean> {
  for (const pause of PAUSES) {
    try {
      await options.clock.sleep(pause * 1000);
      await abortOwn(options);
      return await options.sessions.use(async (session) => Number(single(await session.run(options.find))) > 0);
    } catch (thrown) {
      if (thrown instanceof NovaError && !thrown.transient) throw outcomeUnknown(options.what, thrown);
    }
  }
  throw outcomeUnknown(options.what, failure);
}

/** @param cause why the warehouse cannot be asked */
function outcomeUnknown(what: string, cause: unknown): NovaError {
  const reason = cause instanceof NovaError ? `: ${cause.message}` : ".";
  return new NovaError(
    "WAREHOUSE_UNREACHABLE",
    `The connection broke while ${what} was being committed, and the warehouse cannot be asked whether it was${reason}`,
    {
      cause,
      remedy: "Run again when the warehouse can be reached: the next batch goes on from what it finds there.",
    },
  );
}

/** Somebody, or the server, has ended the transaction before it was committed. */
export function endedFromOutside(what: string): NovaError {
  return new NovaError("WAREHOUSE_CONFLICT", `The transaction of ${what} was ended from outside before its commit.`, {
    remedy: "Run again: nothing of it was published. See in QUERY_HISTORY who has called SYSTEM$ABORT_TRANSACTION.",
  });
}

/** Ends transactions that dead connections have left open, and which would hold their locks for hours. */
export async function abortLeftovers(sessions: SnowflakeSessions, step: TransactionStep): Promise<void> {
  await abort(sessions, step, (name) => name.startsWith(PREFIX));
}

function abortOwn({ sessions, step, id }: TransactionOptions): Promise<void> {
  return abort(sessions, step, (name) => name === transactionName(id));
}

/** A plain identifier, of at most 255 letters, digits and underscores. */
function transactionName(id: string): string {
  return PREFIX + id.replaceAll("-", "_").toUpperCase();
}

async function abort(
  sessions: SnowflakeSessions,
  step: TransactionStep,
  which: (name: string) => boolean,
): Promise<void> {
  await sessions.use(async (session) => {
    const open = await openTransactions(session, step, which);
    for (const id of open) {
      // One that has ended by now cannot be aborted, which is as good.
      await session.run(abortTransaction(id, step)).catch(ignoreRefusal);
    }
    if (open.length > 0 && (await openTransactions(session, step, which)).length > 0) {
      throw new NovaError("WAREHOUSE_LOCKED", "An earlier transaction of this user does not end.", {
        remedy: `Find it with SHOW TRANSACTIONS, and end it with SELECT SYSTEM$ABORT_TRANSACTION(${open.join(", ")});`,
        details: { transactions: open },
      });
    }
  });
}

async function openTransactions(
  session: SnowflakeSession,
  step: TransactionStep,
  which: (name: string) => boolean,
): Promise<readonly string[]> {
  const found = named(await session.run(showTransactions(step)), "id", "name");
  return found.flatMap(({ id, name }) => (id !== null && name !== null && which(name.toUpperCase()) ? [id] : []));
}

function ignoreRefusal(thrown: unknown): void {
  if (!(thrown instanceof NovaError) || thrown.transient) throw thrown;
}
