/** ALTER, COMMENT, DROP, TRUNCATE and CREATE SCHEMA. */
import type { Column, Relation } from "../catalogue.ts";
import { temporaryKey, type StatementContext } from "../context.ts";
import { alreadyExists, invalidIdentifier, notFound, otherKind, SnowflakeError } from "../errors.ts";
import type { TokenReader } from "../lexer.ts";
import { physicalName, physicalPath, quoted } from "../names.ts";
import { status, type Outcome } from "../result.ts";
import { runInTransaction } from "../run.ts";
import { columnDefinition, readType } from "../types.ts";

const done = (): Outcome => status("Statement executed successfully.");

export async function alterTable(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  const isView = reader.words("VIEW");
  if (!isView) context.expect(reader, "TABLE");
  reader.words("IF", "EXISTS");
  const relation = context.relation(context.path(reader), isView ? "View" : "Table");
  requireOwner(context, relation);
  if (reader.words("SET", "COMMENT")) relation.comment = valueOf(context, reader, "=");
  else if (reader.words("ADD")) await addColumns(context, reader, relation);
  else if (reader.words("DROP", "COLUMN")) await dropColumns(context, reader, relation);
  else if (reader.words("RENAME", "TO")) await rename(context, reader, relation);
  else if (reader.words("ALTER") || reader.words("MODIFY")) await alterColumns(context, reader, relation);
  else throw context.unexpected(reader);
  return done();
}

/** `ALTER (COLUMN "A" COMMENT '…', COLUMN "B" TYPE NUMBER(12,2))`, brackets and COLUMN may be left out. */
async function alterColumns(context: StatementContext, reader: TokenReader, relation: Relation): Promise<void> {
  const bracketed = reader.punctuation("(");
  do {
    reader.words("COLUMN");
    const column = columnNamed(context, reader, relation);
    reader.words("SET", "DATA");
    if (reader.words("TYPE")) await widen(context, reader, { relation, column });
    else {
      context.expect(reader, "COMMENT");
      column.comment = valueOf(context, reader);
    }
  } while (reader.punctuation(","));
  if (bracketed && !reader.punctuation(")")) throw context.unexpected(reader);
}

/** Texts may become longer and numbers may get more digits, nothing else: https://docs.snowflake.com/en/sql-reference/sql/alter-table-column */
async function widen(
  context: StatementContext,
  reader: TokenReader,
  { relation, column }: { relation: Relation; column: Column },
): Promise<void> {
  const closing = reader.tokens.findIndex(({ text }, at) => at > reader.at && text === ")");
  const end = reader.tokens[reader.at + 1]?.text === "(" ? closing + 1 : reader.at + 1;
  const type = readType(reader.tokens.slice(reader.at, end));
  if (!type) throw context.unexpected(reader);
  reader.at = end;
  const before = column.type;
  const isWider =
    (type.kind === "number" &&
      before.kind === "number" &&
      type.scale === before.scale &&
      type.precision >= before.precision) ||
    (type.kind === "varchar" && before.kind === "varchar" && type.length >= before.length);
  if (!isWider)
    throw new SnowflakeError("002108", "22000", `SQL compilation error: cannot change column ${column.name}`);
  const place = physicalPath(relation.schema, relation.name);
  const definition = columnDefinition(physicalName(column.name), type, true).replace(/ CHECK .*$/s, "");
  const [, ...words] = definition.split(" ");
  await runInTransaction(
    context,
    `ALTER TABLE ${place} ALTER COLUMN "${physicalName(column.name)}" SET DATA TYPE ${words.join(" ")}`,
  );
  Object.assign(column, { type });
}

async function rename(context: StatementContext, reader: TokenReader, relation: Relation): Promise<void> {
  const { catalogue } = context.account;
  const to = context.path(reader);
  if (catalogue.relation(to.schema, to.name)) {
    throw new SnowflakeError("002002", "42710", `SQL compilation error:\nObject '${to.name}' already exists.`);
  }
  const word = relation.kind === "VIEW" ? "VIEW" : "TABLE";
  await runInTransaction(context, `ALTER ${word} ${context.place(relation)} RENAME TO "${physicalName(to.name)}"`);
  catalogue.dropRelation(relation);
  catalogue.setRelation({ ...relation, name: to.name });
  context.account.roles.renamed(word, `${relation.schema}.${relation.name}`, `${to.schema}.${to.name}`);
}

function requireOwner(context: StatementContext, { kind, schema, name }: Relation): void {
  if (kind === "TEMPORARY") return;
  context.requirePrivilege("OWNERSHIP", kind === "VIEW" ? "VIEW" : "TABLE", `${schema}.${name}`);
}

/** `ADD COLUMN "A" VARCHAR(20) NOT NULL COMMENT '…'`, of which all but name and type may be left out. */
async function addColumns(context: StatementContext, reader: TokenReader, relation: Relation): Promise<void> {
  reader.words("COLUMN");
  reader.words("IF", "NOT", "EXISTS");
  const name = reader.next();
  const start = reader.at;
  while (!reader.done() && !reader.isWords("NOT") && !reader.isWords("COMMENT")) reader.at++;
  const type = readType(reader.tokens.slice(start, reader.at));
  if (!name || !type) throw context.unexpected(reader);
  const required = reader.words("NOT", "NULL");
  const comment = reader.words("COMMENT") ? valueOf(context, reader) : undefined;
  if (relation.columns.some((column) => column.name === name.value)) return;
  const place = physicalPath(relation.schema, relation.name);
  if (required) {
    const [count] = (await runInTransaction(context, `SELECT count(*) FROM ${place}`)).getRows();
    if (Number(count?.[0]) > 0) {
      throw new SnowflakeError(
        "002028",
        "42601",
        `SQL compilation error:\nNon-nullable column '${name.value}' cannot be added to non-empty table '${relation.name}' unless it has a non-null default value.`,
      );
    }
  }
  const column = columnDefinition(physicalName(name.value), type, true).replace(/ CHECK .*$/s, "");
  await runInTransaction(context, `ALTER TABLE ${place} ADD COLUMN ${column}`);
  context.account.catalogue.setRelation({
    ...relation,
    columns: [...relation.columns, { name: name.value, type, nullable: !required, comment }],
  });
}

async function dropColumns(context: StatementContext, reader: TokenReader, relation: Relation): Promise<void> {
  const dropped: Column[] = [];
  do dropped.push(columnNamed(context, reader, relation));
  while (reader.punctuation(","));
  for (const { name } of dropped) {
    const column = quoted(physicalName(name));
    await runInTransaction(
      context,
      `ALTER TABLE ${physicalPath(relation.schema, relation.name)} DROP COLUMN ${column}`,
    );
  }
  const columns = relation.columns.filter((column) => !dropped.includes(column));
  context.account.catalogue.setRelation({ ...relation, columns });
}

/** COMMENT [IF EXISTS] ON TABLE | VIEW | COLUMN … IS '…' */
export async function comment(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  reader.words("IF", "EXISTS");
  context.expect(reader, "ON");
  if (reader.words("COLUMN")) {
    const end = context.tokens.findLastIndex(({ text }, at) => text === "." && context.tokens[at + 2]?.value === "IS");
    const names = context.tokens.slice(reader.at, end).filter(({ text }) => text !== ".");
    const relation = context.relation(context.resolve(names.map(({ value }) => value)), "Table");
    reader.at = end + 1;
    const column = columnNamed(context, reader, relation);
    context.expect(reader, "IS");
    column.comment = valueOf(context, reader);
  } else {
    const isView = reader.words("VIEW");
    if (!isView) context.expect(reader, "TABLE");
    const relation = context.relation(context.path(reader), isView ? "View" : "Table");
    context.expect(reader, "IS");
    relation.comment = valueOf(context, reader);
  }
  return done();
}

function columnNamed(context: StatementContext, reader: TokenReader, relation: Relation): Column {
  const name = reader.next()?.value ?? "";
  const column = relation.columns.find((one) => one.name === name);
  if (!column) throw invalidIdentifier(1, context.tokens[reader.at - 1]?.start ?? 0, name);
  return column;
}

function valueOf(context: StatementContext, reader: TokenReader, sign?: string): string {
  if (sign !== undefined && !reader.punctuation(sign)) throw context.unexpected(reader);
  const token = reader.next();
  if (token?.kind !== "string") throw context.unexpected(reader);
  return token.value;
}

export async function dropObject(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  const word = ["TABLE", "VIEW", "STAGE", "SCHEMA"].find((kind) => reader.words(kind));
  if (word === undefined) throw context.unexpected(reader);
  const ifExists = reader.words("IF", "EXISTS");
  if (word === "SCHEMA") return dropSchema(context, reader, ifExists);
  const path = context.path(reader);
  const { grants } = context;
  const { catalogue, roles } = context.account;
  const full = catalogue.path(path.schema, path.name);
  const own = context.session.temporary.get(temporaryKey(path));
  if (word === "STAGE") {
    const stage = catalogue.stage(path.schema, path.name);
    if (!stage && !ifExists) throw notFound("Stage", full);
    if (stage) catalogue.dropStage(stage);
    roles.gone("STAGE", `${path.schema}.${path.name}`);
    return status(stage ? `${path.name} successfully dropped.` : dropped(path.name));
  }
  const found = own ?? (grants.sees("SCHEMA", path.schema) ? catalogue.relation(path.schema, path.name) : undefined);
  if (!found) {
    if (!ifExists) throw notFound(word === "VIEW" ? "View" : "Table", full);
    return status(dropped(path.name));
  }
  if ((found.kind === "VIEW") !== (word === "VIEW")) throw otherKind(full, found.kind === "VIEW" ? "VIEW" : "TABLE");
  requireOwner(context, found);
  await runInTransaction(context, `DROP ${word} ${context.place(found)}`);
  if (own) context.session.temporary.delete(temporaryKey(path));
  else {
    catalogue.dropRelation(found);
    roles.gone(word, `${path.schema}.${path.name}`);
  }
  return status(`${path.name} successfully dropped.`);
}

function dropped(name: string): string {
  return `Drop statement executed successfully (${name} already dropped).`;
}

async function dropSchema(context: StatementContext, reader: TokenReader, ifExists: boolean): Promise<Outcome> {
  const { catalogue } = context.account;
  const first = reader.next()?.value ?? "";
  const name = reader.punctuation(".") ? (reader.next()?.value ?? "") : first;
  if (!catalogue.schemas.has(name)) {
    if (!ifExists) throw notFound("Schema", catalogue.path(name));
    return status(dropped(name));
  }
  context.requirePrivilege("OWNERSHIP", "SCHEMA", name);
  await runInTransaction(context, `DROP SCHEMA ${physicalPath(name)} CASCADE`);
  catalogue.dropSchema(name);
  context.account.roles.gone("SCHEMA", name);
  return status(`${name} successfully dropped.`);
}

/** What follows the name, WITH MANAGED ACCESS and a comment, changes nothing here: grants of all schemas are their owners'. */
export async function createSchema(context: StatementContext): Promise<Outcome> {
  const { account, session } = context;
  const reader = context.reader(1);
  reader.words("TRANSIENT");
  context.expect(reader, "SCHEMA");
  const ifNotExists = reader.words("IF", "NOT", "EXISTS");
  const first = reader.next()?.value ?? "";
  const name = reader.punctuation(".") ? (reader.next()?.value ?? "") : first;
  if (account.catalogue.schemas.has(name)) {
    if (!ifNotExists) throw alreadyExists(account.catalogue.path(name));
    return status(`${name} already exists, statement succeeded.`);
  }
  context.requirePrivilege("CREATE SCHEMA", "DATABASE", account.catalogue.database);
  await account.createSchema(name);
  account.roles.made(session.role, "SCHEMA", name);
  return status(`Schema ${name} successfully created.`);
}

export async function truncate(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  reader.words("TABLE");
  reader.words("IF", "EXISTS");
  const relation = context.relation(context.path(reader), "Table");
  context.requirePrivilege("TRUNCATE", "TABLE", `${relation.schema}.${relation.name}`);
  await runInTransaction(context, `DELETE FROM ${context.place(relation)}`);
  relation.loaded.clear();
  return done();
}
