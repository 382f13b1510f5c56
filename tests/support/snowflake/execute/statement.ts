/** Which kind of statement it is, whether it runs on a warehouse, and what executes it. */
import { topLevelAs, type StatementContext } from "../context.ts";
import type { Outcome } from "../result.ts";
import { createDatabase, dropDatabase } from "./database.ts";
import { alterSession, use } from "./settings.ts";
import { copyInto } from "./copy.ts";
import { createStage, createTable, createView } from "./create.ts";
import { accountKind, alterAccountObject, createAccountObject, dropAccountObject } from "./account.ts";
import { alterTable, comment, createSchema, dropObject, truncate } from "./ddl.ts";
import { grant } from "./grant.ts";
import { deleteRows, insert, update } from "./dml.ts";
import { merge } from "./merge.ts";
import { describeObject } from "./describe.ts";
import { select } from "./query.ts";
import { show } from "./show.ts";
import { list, put, remove } from "./stage.ts";
import { begin, commit, rollback } from "./transaction.ts";

export interface Kind {
  /** https://docs.snowflake.com/en/user-guide/warehouses-overview: queries and DML; metadata is served without one. */
  readonly needsWarehouse: boolean;
  /** DDL commits the open transaction: https://docs.snowflake.com/en/sql-reference/transactions#ddl. */
  readonly isDdl: boolean;
  readonly execute: (context: StatementContext) => Promise<Outcome>;
}

const metadata = (execute: Kind["execute"]): Kind => ({ needsWarehouse: false, isDdl: false, execute });
const ddl = (execute: Kind["execute"]): Kind => ({ needsWarehouse: false, isDdl: true, execute });
const rows = (execute: Kind["execute"]): Kind => ({ needsWarehouse: true, isDdl: false, execute });

const KINDS: Readonly<Record<string, Kind>> = {
  ALTER: ddl(alterTable),
  BEGIN: metadata(begin),
  COMMENT: ddl(comment),
  COMMIT: metadata(commit),
  COPY: rows(copyInto),
  DELETE: rows(deleteRows),
  DESC: metadata(describeObject),
  DESCRIBE: metadata(describeObject),
  DROP: ddl(dropObject),
  GRANT: ddl(grant),
  INSERT: rows(insert),
  LIST: metadata(list),
  LS: metadata(list),
  MERGE: rows(merge),
  PUT: metadata(put),
  REMOVE: metadata(remove),
  RM: metadata(remove),
  REVOKE: ddl(grant),
  ROLLBACK: metadata(rollback),
  SHOW: metadata(show),
  START: metadata(begin),
  TRUNCATE: rows(truncate),
  UPDATE: rows(update),
  USE: metadata(use),
};

/** @throws SnowflakeError for a statement that the server cannot read */
export function kindOf(context: StatementContext): Kind {
  const [first, second] = context.tokens;
  const word = first?.kind === "word" ? first.value : undefined;
  if (word === "SELECT" || word === "WITH" || word === "VALUES" || first?.text === "(") {
    return {
      needsWarehouse: context.tokens.some(({ value }) => value === "FROM") || word !== "SELECT",
      isDdl: false,
      execute: select,
    };
  }
  if (word === "CREATE" || word === "ALTER" || word === "DROP") {
    if (accountKind(context)) return ddl(ACCOUNT_OBJECTS[word]);
  }
  if (word === "CREATE") return createKind(context);
  if (word === "ALTER" && second?.value === "SESSION") return metadata(alterSession);
  if (word === "DROP" && second?.value === "DATABASE") return ddl(dropDatabase);
  const kind = word === undefined ? undefined : KINDS[word];
  if (!kind) throw context.unexpected(context.reader());
  return kind;
}

const ACCOUNT_OBJECTS = { CREATE: createAccountObject, ALTER: alterAccountObject, DROP: dropAccountObject } as const;

const MODIFIERS = new Set("OR REPLACE LOCAL GLOBAL SECURE TRANSIENT TEMPORARY TEMP VOLATILE".split(" "));

function createKind(context: StatementContext): Kind {
  const object = context.tokens.slice(1).find(({ value }) => !MODIFIERS.has(value))?.value;
  if (object === "DATABASE") return ddl(createDatabase);
  if (object === "SCHEMA") return ddl(createSchema);
  if (object === "VIEW") return ddl(createView);
  if (object === "STAGE") return ddl(createStage);
  return { needsWarehouse: topLevelAs(context) !== undefined, isDdl: true, execute: createTable };
}
