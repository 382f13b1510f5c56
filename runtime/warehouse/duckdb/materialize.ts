/** Builds one model: hooks, rows, comments and bookkeeping in one transaction. */
import { NovaError } from "../../core/errors.ts";
import type { Materialization, Materialized, StatementOptions } from "../warehouse.ts";
import { relationColumnFacts } from "./catalogue.ts";
import { assignable } from "./duckdb-type.ts";
import type { Session } from "./engine.ts";
import { userSqlError, type UserStatement } from "./model-sql.ts";
import { writeModelBuild } from "./sql/bookkeeping.ts";
import {
  commentRelation,
  countRelation,
  createRelationPrefix,
  createResultPrefix,
  dropRelation,
  dropResult,
  findBadKey,
  findRelation,
  insertResult,
  mergeResult,
  resultColumns,
  type RelationKind,
} from "./sql/materialize.ts";

/** A statement of the user and its translation. */
export interface TranslatedSql {
  readonly written: string;
  readonly statements: readonly string[];
}

export interface TranslatedMaterialization {
  readonly model: Materialization;
  readonly select: TranslatedSql;
  readonly preHooks: readonly TranslatedSql[];
  readonly postHooks: readonly TranslatedSql[];
}

/** @throws NovaError MODEL_SQL_FAILED, MODEL_SCHEMA_CHANGED; EngineError for conflicts with another transaction */
export async function materialize(
  session: Session,
  translated: TranslatedMaterialization,
  options: StatementOptions,
): Promise<Materialized> {
  const { model } = translated;
  return session.transaction(async () => {
    await runHooks(session, translated.preHooks, "a pre-hook", options);
    const rows = await build(session, translated, options);
    await runHooks(session, translated.postHooks, "a post-hook", options);
    for (const statement of writeModelBuild(model.relation.name)) await session.run(statement, options);
    return { rows };
  });
}

async function build(
  session: Session,
  { model, select }: TranslatedMaterialization,
  options: StatementOptions,
): Promise<number | null> {
  const live = (await session.run(findRelation(model.relation))).rows[0]?.[0];
  if (model.kind === "incremental" && !model.fullRefresh && live === "table") {
    return addRows(session, model, select, options);
  }
  const kind: RelationKind = model.kind === "view" ? "view" : "table";
  if (live !== undefined && live !== kind) {
    await session.run(dropRelation(live === "view" ? "view" : "table", model.relation), options);
  }
  const prefix = createRelationPrefix(kind, model.relation);
  await runUserSql(session, { ...only(select), prefix, role: "the model" }, options);
  const columns = (await relationColumnFacts(session, model.relation)).map(({ name }) => name);
  const { description, columnDescriptions } = model;
  const described = { kind, relation: model.relation, columns, description, columnDescriptions };
  for (const statement of commentRelation(described)) await session.run(statement, options);
  return kind === "view" ? null : Number((await session.run(countRelation(model.relation))).rows[0]?.[0]);
}

type Incremental = Extract<Materialization, { kind: "incremental" }>;

async function addRows(
  session: Session,
  model: Incremental,
  select: TranslatedSql,
  options: StatementOptions,
): Promise<number> {
  await runUserSql(session, { ...only(select), prefix: createResultPrefix(), role: "the model" }, options);
  const columns = await sameColumns(session, model);
  let changed: number;
  if (model.uniqueKey.length === 0) {
    ({ changed } = await session.run(insertResult(model.relation), options));
  } else {
    await checkKey(session, model, columns, options);
    ({ changed } = await session.run(mergeResult(model.relation, columns, model.uniqueKey), options));
  }
  await session.run(dropResult(), options);
  return changed;
}

/** @returns the columns that table and result share, in order */
async function sameColumns(session: Session, { relation }: Incremental): Promise<readonly string[]> {
  const live = await relationColumnFacts(session, relation);
  const result = (await session.run(resultColumns())).rows.map(([name, type]) => ({
    name: String(name),
    type: String(type),
  }));
  const text = (columns: readonly { name: string; type: string }[]): string =>
    columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  const same =
    live.length === result.length &&
    live.every(({ name, type }, index) => {
      const other = result[index];
      return other !== undefined && other.name.toLowerCase() === name.toLowerCase() && assignable(other.type, type);
    });
  if (same) return live.map(({ name }) => name);
  const only = (left: typeof result, right: typeof result): string[] =>
    left
      .filter(({ name }) => !right.some((other) => other.name.toLowerCase() === name.toLowerCase()))
      .map(({ name }) => name);
  const changes = [
    ...only(result, [...live]).map((name) => `${name} is new`),
    ...only([...live], result).map((name) => `${name} is gone`),
    ...live.flatMap(({ name, type }) => {
      const other = result.find((column) => column.name.toLowerCase() === name.toLowerCase());
      return other && !assignable(other.type, type) ? [`${name} was ${type} and is ${other.type}`] : [];
    }),
  ];
  throw new NovaError(
    "MODEL_SCHEMA_CHANGED",
    `${relation.name} has other columns than its table: ${changes.length > 0 ? changes.join("; ") : "their order has changed"}.`,
    {
      remedy: `Build it anew: novadrive build --select ${relation.name} --full-refresh.`,
      details: { table: text(live), model: text(result), changes },
    },
  );
}

async function checkKey(
  session: Session,
  { relation, uniqueKey }: Incremental,
  columns: readonly string[],
  options: StatementOptions,
): Promise<void> {
  const missing = uniqueKey.filter((name) => !columns.some((column) => column.toLowerCase() === name.toLowerCase()));
  if (missing.length > 0) {
    throw new NovaError(
      "MODEL_SQL_FAILED",
      `${relation.name} has no column ${missing.join(", ")}, which its unique_key names.`,
      {
        remedy: "Correct unique_key in the model's config.",
        details: { columns, missing },
      },
    );
  }
  const [bad] = (await session.run(findBadKey(uniqueKey), options)).rows;
  if (!bad) return;
  const [key, count, isNull] = bad;
  const problem =
    isNull === true
      ? `a row with NULL in its unique_key: (${String(key)})`
      : `${String(count)} rows with the unique_key (${String(key)})`;
  throw new NovaError("MODEL_SQL_FAILED", `${relation.name} gives ${problem}; rows could not be told apart.`, {
    remedy: `Correct the model or its unique_key (${uniqueKey.join(", ")}).`,
    details: { uniqueKey, key: String(key), rows: Number(count) },
  });
}

async function runHooks(
  session: Session,
  hooks: readonly TranslatedSql[],
  role: string,
  options: StatementOptions,
): Promise<void> {
  for (const { written, statements } of hooks) {
    for (const sent of statements) await runUserSql(session, { written, sent, prefix: "", role }, options);
  }
}

/** @param statement `sent` without its prefix */
async function runUserSql(session: Session, statement: UserStatement, options: StatementOptions): Promise<void> {
  const sent = statement.prefix + statement.sent;
  try {
    await session.run(sent, options);
  } catch (thrown) {
    throw userSqlError(thrown, { ...statement, sent });
  }
}

function only({ written, statements }: TranslatedSql): { readonly written: string; readonly sent: string } {
  const [sent] = statements;
  if (sent !== undefined && statements.length === 1) return { written, sent };
  const found = sent === undefined ? "no statement" : `${statements.length} statements`;
  throw new NovaError("MODEL_SQL_FAILED", `A model must be one SELECT; this one has ${found}.`, {
    remedy: "Leave one SELECT; other statements belong in pre_hook and post_hook.",
  });
}
