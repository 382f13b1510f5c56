/** ALTER, COMMENT, DROP, TRUNCATE and CREATE SCHEMA. */
import type { Column, Relation } from "../catalogue.ts";
import { temporaryKey, type StatementContext } from "../context.ts";
import { invalidIdentifier, notFound, otherKind, SnowflakeError } from "../errors.ts";
import type { TokenReader } from "../lexer.ts";
import { physicalName, physicalPath } from "../names.ts";
import { status, type Outcome } from "../result.ts";
import { runInTransaction } from "../run.ts";
import { columnDefinition, readType } from "../types.ts";

const done = (): Outcome => status("Statement executed successfully.");

export async function alterTable(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  if (reader.words("WAREHOUSE")) return alterWarehouse(context, reader);
  const isView = reader.words("VIEW");
  if (!isView) context.expect(reader, "TABLE");
  reader.words("IF", "EXISTS");
  const relation = context.relation(context.path(reader), isView ? "View" : "Table");
  if (reader.words("SET", "COMMENT")) relation.comment = valueOf(context, reader, "=");
  else if (reader.words("ADD")) await addColumns(context, reader, relation);
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
}

/** Privileges are the account's to give here; what matters is that it commits. */
export async function grant(): Promise<Outcome> {
  return done();
}

async function addColumns(context: StatementContext, reader: TokenReader, relation: Relation): Promise<void> {
  reader.words("COLUMN");
  reader.words("IF", "NOT", "EXISTS");
  const name = reader.next();
  const type = readType(reader.tokens.slice(reader.at).filter(({ text }) => text !== ";"));
  if (!name || !type) throw context.unexpected(reader);
  if (relation.columns.some((column) => column.name === name.value)) return;
  const column = columnDefinition(physicalName(name.value), type, true).replace(/ CHECK .*$/s, "");
  await runInTransaction(context, `ALTER TABLE ${physicalPath(relation.schema, relation.name)} ADD COLUMN ${column}`);
  context.account.catalogue.setRelation({
    ...relation,
    columns: [...relation.columns, { name: name.value, type, nullable: true }],
  });
}

function alterWarehouse(context: StatementContext, reader: TokenReader): Outcome {
  reader.words("IF", "EXISTS");
  const name = reader.next()?.value ?? "";
  const warehouse = context.account.warehouses.get(name);
  if (!warehouse) throw notFound("Warehouse", name);
  context.requirePrivilege("OPERATE", "WAREHOUSE", name);
  if (reader.words("RESUME")) warehouse.state = "STARTED";
  else if (reader.words("SUSPEND")) warehouse.state = "SUSPENDED";
  else throw context.unexpected(reader);
  return done();
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
  const { catalogue, grants } = context.account;
  const full = catalogue.path(path.schema, path.name);
  const own = context.session.temporary.get(temporaryKey(path));
  if (word === "STAGE") {
    const stage = catalogue.stage(path.schema, path.name);
    if (!stage && !ifExists) throw notFound("Stage", full);
    if (stage) catalogue.dropStage(stage);
    return status(stage ? `${path.name} successfully dropped.` : dropped(path.name));
  }
  const found = own ?? (grants.sees("SCHEMA", path.schema) ? catalogue.relation(path.schema, path.name) : undefined);
  if (!found) {
    if (!ifExists) throw notFound(word === "VIEW" ? "View" : "Table", full);
    return status(dropped(path.name));
  }
  if ((found.kind === "VIEW") !== (word === "VIEW")) throw otherKind(full, found.kind === "VIEW" ? "VIEW" : "TABLE");
  await runInTransaction(context, `DROP ${word} ${context.place(found)}`);
  if (own) context.session.temporary.delete(temporaryKey(path));
  else catalogue.dropRelation(found);
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
  await runInTransaction(context, `DROP SCHEMA ${physicalPath(name)} CASCADE`);
  catalogue.dropSchema(name);
  return status(`${name} successfully dropped.`);
}

export async function createSchema(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  reader.words("TRANSIENT");
  context.expect(reader, "SCHEMA");
  reader.words("IF", "NOT", "EXISTS");
  const first = reader.next()?.value ?? "";
  const name = reader.punctuation(".") ? (reader.next()?.value ?? "") : first;
  if (!context.account.catalogue.schemas.has(name))
    context.requirePrivilege("CREATE SCHEMA", "DATABASE", context.account.catalogue.database);
  await context.account.createSchema(name);
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
