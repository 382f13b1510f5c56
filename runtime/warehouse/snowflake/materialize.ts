/** Builds one model. DDL commits in Snowflake, so only what an incremental model adds to its table is one transaction. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { NovaError } from "../../core/errors.ts";
import type { Materialization, Materialized, Relation, StatementOptions } from "../warehouse.ts";
import { incrementalColumns, incrementalKey, type TableColumn } from "./incremental-check.ts";
import { changes, named, single } from "./rows.ts";
import {
  commentColumns,
  countRelation,
  createResult,
  createTable,
  createView,
  describeRelation,
  describeResult,
  dropRelation,
  findBadResultKey,
  insertResult,
  mergeResult,
  renameRelation,
  showRelation,
  userStatement,
  widenColumns,
} from "./sql/models.ts";
import { findModelTransaction, finishModelBuild, openModelTransaction, startModelBuild } from "./sql/pipeline.ts";
import type { SnowflakeSession, SnowflakeSessions, Statement, StatementResult } from "./statement.ts";
import { endedFromOutside, inTransaction } from "./transaction.ts";

export interface MaterializeOptions {
  readonly sessions: SnowflakeSessions;
  readonly clock: Clock;
  readonly model: Materialization;
  /** The last batch that was published. */
  readonly lastBatchId: number;
  readonly statement: StatementOptions;
}

type Incremental = Extract<Materialization, { kind: "incremental" }>;

/**
 * Hooks before the rows commit one by one. Those after them belong to the transaction of an incremental model as long as they are DML; from the
 * first one that is not (GRANT, ALTER, CALL), which would commit, they run after it. What a view or a new table holds is there as soon as it is
 * created; should the build of an incremental model end between that and its last hook, its table counts as unfinished and is made anew.
 */
export async function materialize(options: MaterializeOptions): Promise<Materialized> {
  const { model, sessions } = options;
  const live = await sessions.use((session) => kindOf(session, model.relation));
  if (model.kind === "incremental" && !model.fullRefresh && live === "table") return addRows(options, model);
  return sessions.use((session) => replace(session, options, live));
}

/** @returns undefined if nothing bears the name */
async function kindOf(session: SnowflakeSession, relation: Relation): Promise<"table" | "view" | undefined> {
  const found = named(await session.run(showRelation(relation)), "name", "kind");
  const kind = found.find(({ name }) => name === relation.name.toUpperCase())?.kind?.toLowerCase();
  if (kind === undefined) return undefined;
  return kind.includes("view") ? "view" : "table";
}

async function replace(
  session: SnowflakeSession,
  { model, lastBatchId, statement }: MaterializeOptions,
  live: "table" | "view" | undefined,
): Promise<Materialized> {
  const run = (sent: Statement): Promise<StatementResult> => session.run(sent, statement);
  const { relation } = model;
  const kind = model.kind === "view" ? "view" : "table";
  for (const hook of model.preHooks) await run(userStatement("hook", hook, relation.name));
  if (model.kind === "incremental") await run(startModelBuild({ model: relation.name, buildId: randomUUID() }));
  // Beside what bears the name, so that a model that cannot be built leaves it standing.
  const changesKind = live !== undefined && live !== kind;
  const made = changesKind ? { ...relation, name: `${relation.name}__nd_new` } : relation;
  const described = { ...model, relation: made };
  await run(kind === "view" ? createView(described, model.sql) : createTable(described, model.sql));
  await describeColumns(run, described, kind);
  if (changesKind) {
    await run(dropRelation(live, relation));
    await run(renameRelation(kind, made, relation));
  }
  for (const hook of model.postHooks) await run(userStatement("hook", hook, relation.name));
  await run(finishModelBuild(relation.name, lastBatchId));
  return { rows: kind === "view" ? null : Number(single(await run(countRelation(relation)))) };
}

/** Descriptions of columns that the model does not have are left out: they are the documentation's mistake, not the data's. */
async function describeColumns(
  run: (statement: Statement) => Promise<StatementResult>,
  model: Materialization,
  kind: "table" | "view",
): Promise<void> {
  const descriptions = new Map(
    Object.entries(model.columnDescriptions ?? {}).map(([name, text]) => [name.toUpperCase(), text]),
  );
  if (descriptions.size === 0) return;
  const columns = named(await run(describeRelation(kind, model.relation)), "name").map(({ name }) => {
    return { name: name ?? "", description: descriptions.get((name ?? "").toUpperCase()) };
  });
  const described = columns.flatMap(({ name, description }) =>
    description === undefined ? [] : [{ name, description }],
  );
  if (described.length === 0) return;
  await run(kind === "view" ? createView(model, model.sql, columns) : commentColumns(model.relation, described));
}

async function addRows(options: MaterializeOptions, model: Incremental): Promise<Materialized> {
  const { sessions, clock, lastBatchId, statement } = options;
  const { relation, uniqueKey } = model;
  const build = { model: relation.name, buildId: randomUUID() };
  const { inside, after } = splitHooks(model.postHooks);
  let columns: readonly string[] = [];
  let key: readonly string[] = [];
  const hooks = async (session: SnowflakeSession, which: readonly string[]): Promise<void> => {
    for (const hook of which) await session.run(userStatement("hook", hook, relation.name), statement);
  };
  const changed = await inTransaction(
    {
      sessions,
      clock,
      step: "build",
      subject: relation.name,
      id: build.buildId,
      what: `model ${relation.name}`,
      find: findModelTransaction(build),
      async before(session) {
        await hooks(session, model.preHooks);
        await session.run(createResult(relation.name, model.sql), statement);
        const table = await described(session, describeRelation("table", relation));
        const shared = incrementalColumns(
          relation.name,
          table,
          await described(session, describeResult(relation.name)),
        );
        columns = shared.names;
        key = incrementalKey(relation.name, uniqueKey, columns);
        if (key.length > 0) await checkKey(session, options, relation.name, key);
        if (shared.widened.length > 0) await session.run(widenColumns(relation, shared.widened), statement);
      },
    },
    async (session) => {
      await session.run(openModelTransaction(build), statement);
      const result = { relation, columns, buildId: build.buildId };
      const write = key.length === 0 ? insertResult(result) : mergeResult(result, key);
      const { inserted, updated } = changes(await session.run(write, statement));
      await hooks(session, inside);
      const finished = changes(
        await session.run(finishModelBuild(relation.name, lastBatchId, build.buildId), statement),
      );
      if (finished.inserted + finished.updated === 0) throw endedFromOutside(`model ${relation.name}`);
      return inserted + updated;
    },
  );
  if (after.length > 0) await sessions.use((session) => hooks(session, after));
  return { rows: changed };
}

/** DML: https://docs.snowflake.com/en/sql-reference/transactions#introduction; queries do no harm either. */
const IN_TRANSACTION = /^(?:\s|--.*\n|\/\*[\s\S]*?\*\/)*(?:insert|update|delete|merge|truncate|select|with)\b/i;

function splitHooks(hooks: readonly string[]): {
  readonly inside: readonly string[];
  readonly after: readonly string[];
} {
  const first = hooks.findIndex((hook) => !IN_TRANSACTION.test(hook));
  return first === -1 ? { inside: hooks, after: [] } : { inside: hooks.slice(0, first), after: hooks.slice(first) };
}

async function described(session: SnowflakeSession, statement: Statement): Promise<readonly TableColumn[]> {
  return named(await session.run(statement), "name", "type").map(({ name, type }) => ({
    name: name ?? "",
    type: type ?? "",
  }));
}

async function checkKey(
  session: SnowflakeSession,
  { statement }: MaterializeOptions,
  model: string,
  key: readonly string[],
): Promise<void> {
  const [bad] = (await session.run(findBadResultKey(model, key), statement)).rows;
  if (!bad) return;
  const [count, nulls, ...values] = bad;
  const shown = values.map((part) => part ?? "NULL").join(", ");
  const problem =
    Number(nulls) > 0
      ? `a row with NULL in its unique_key: (${shown})`
      : `${count} rows with the unique_key (${shown})`;
  throw new NovaError("MODEL_SQL_FAILED", `${model} gives ${problem}; rows could not be told apart.`, {
    remedy: `Correct the model or its unique_key (${key.join(", ").toLowerCase()}).`,
    details: { uniqueKey: key, key: shown, rows: Number(count) },
  });
}
