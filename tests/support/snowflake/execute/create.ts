/** CREATE TABLE, CREATE VIEW and CREATE STAGE. */
import { requireReadable } from "../access.ts";
import type { Column, Kind, Relation } from "../catalogue.ts";
import { temporaryKey, topLevelAs, type ObjectPath, type StatementContext } from "../context.ts";
import { alreadyExists, otherKind } from "../errors.ts";
import { TokenReader, type Token } from "../lexer.ts";
import { logicalName, physicalName, physicalPath, quoted } from "../names.ts";
import { STATEMENT_TYPES, status, type Outcome } from "../result.ts";
import { runInTransaction } from "../run.ts";
import { translate } from "../translation.ts";
import { columnDefinition, readType, typeOfResult } from "../types.ts";

interface Head {
  readonly replace: boolean;
  readonly ifNotExists: boolean;
  readonly kind: Kind;
  readonly path: ObjectPath;
}

function readHead(context: StatementContext, reader: TokenReader, object: string): Head {
  const replace = reader.words("OR", "REPLACE");
  let kind: Kind = object === "VIEW" ? "VIEW" : "TABLE";
  for (const word of ["LOCAL", "GLOBAL", "SECURE"]) reader.words(word);
  if (reader.words("TRANSIENT")) kind = "TRANSIENT";
  else if (["TEMPORARY", "TEMP", "VOLATILE"].some((word) => reader.words(word))) kind = "TEMPORARY";
  context.expect(reader, object);
  const before = reader.words("IF", "NOT", "EXISTS");
  const path = context.path(reader);
  return { replace, ifNotExists: before || reader.words("IF", "NOT", "EXISTS"), kind, path };
}

export async function createTable(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  const head = readHead(context, reader, "TABLE");
  const { path, kind } = head;
  require(context, path, kind === "TEMPORARY" ? "CREATE TEMPORARY TABLE" : "CREATE TABLE");
  const columns = reader.punctuation("(") ? readColumns(context, reader.untilClosed()) : undefined;
  const comment = readOptions(context, reader);
  const as = topLevelAs(context);
  const existing = standing(context, head);
  if (existing && head.ifNotExists) return already(path);
  const made: Relation = { ...path, kind, columns: columns ?? [], comment, createdOn: new Date(), loaded: new Set() };
  const place = context.place(made);
  const create = `CREATE ${existing ? "OR REPLACE " : ""}${kind === "TEMPORARY" ? "TEMP " : ""}TABLE ${place}`;
  let actual = columns ?? [];
  if (as === undefined) await runInTransaction(context, `${create} (${definitions(actual)})`);
  else {
    requireReadable(context, context.tokens.slice(as + 1));
    const query = await translate(context, context.sql.slice(context.tokens[as + 1]?.start).replace(/;\s*$/, ""));
    if (columns) {
      await runInTransaction(context, `${create} (${definitions(columns)})`);
      await runInTransaction(context, `INSERT INTO ${place} ${query}`);
    } else {
      await runInTransaction(context, `${create} AS ${query}`);
      actual = await columnsOf(context, place);
    }
  }
  remember(context, { ...made, columns: actual });
  return status(`Table ${path.name} successfully created.`);
}

function definitions(columns: readonly Column[]): string {
  return columns.map(({ name, type, nullable }) => columnDefinition(physicalName(name), type, nullable)).join(", ");
}

function remember(context: StatementContext, relation: Relation): void {
  if (relation.kind === "TEMPORARY") context.session.temporary.set(temporaryKey(relation), relation);
  else {
    context.account.catalogue.setRelation(relation);
    const { schema, name, kind } = relation;
    context.account.roles.made(context.session.role, kind === "VIEW" ? "VIEW" : "TABLE", `${schema}.${name}`);
  }
}

function require(context: StatementContext, { schema }: ObjectPath, privilege: string): void {
  context.requireSchema(schema);
  context.requirePrivilege(privilege, "SCHEMA", schema);
}

/** What is there under the name. @throws SnowflakeError if it may not be replaced */
function standing(context: StatementContext, { path, kind, replace, ifNotExists }: Head): Relation | undefined {
  const existing =
    kind === "TEMPORARY"
      ? context.session.temporary.get(temporaryKey(path))
      : context.account.catalogue.relation(path.schema, path.name);
  if (!existing) return undefined;
  const name = context.account.catalogue.path(path.schema, path.name);
  if ((existing.kind === "VIEW") !== (kind === "VIEW"))
    throw otherKind(name, existing.kind === "VIEW" ? "VIEW" : "TABLE");
  if (!replace && !ifNotExists) throw alreadyExists(name);
  return existing;
}

function already({ name }: ObjectPath): Outcome {
  return status(`${name} already exists, statement succeeded.`);
}

function readColumns(context: StatementContext, tokens: readonly Token[]): readonly Column[] {
  const columns: Column[] = [];
  const reader = new TokenReader(tokens);
  while (reader.peek()) {
    const name = reader.next();
    const typeStart = reader.at;
    while (reader.peek() && !reader.isPunctuation(",") && !isConstraint(reader)) {
      if (reader.punctuation("(")) reader.untilClosed();
      else reader.at++;
    }
    const type = readType(tokens.slice(typeStart, reader.at));
    if (!name || !type) throw context.unexpected(reader);
    let nullable = true;
    let comment: string | undefined;
    while (reader.peek() && !reader.punctuation(",")) {
      if (reader.words("NOT", "NULL")) nullable = false;
      else if (reader.words("COMMENT")) comment = reader.next()?.value;
      else if (!reader.words("NULL")) throw context.unexpected(reader);
    }
    columns.push({ name: name.value, type, nullable, comment });
  }
  return columns;
}

function isConstraint(reader: TokenReader): boolean {
  return ["NOT", "NULL", "COMMENT", "DEFAULT", "PRIMARY", "UNIQUE"].some((word) => reader.isWords(word));
}

/** COPY GRANTS, COMMENT = '…' and DATA_RETENTION_TIME_IN_DAYS = n, in any order. */
function readOptions(context: StatementContext, reader: TokenReader): string | undefined {
  let comment: string | undefined;
  while (!reader.done() && !reader.isWords("AS")) {
    if (reader.words("COPY", "GRANTS")) continue;
    if (reader.words("COMMENT") && reader.punctuation("=")) comment = reader.next()?.value;
    else if (reader.words("DATA_RETENTION_TIME_IN_DAYS") && reader.punctuation("=")) reader.at++;
    else throw context.unexpected(reader);
  }
  return comment;
}

export async function columnsOf(context: StatementContext, place: string): Promise<readonly Column[]> {
  const reader = await runInTransaction(context, `SELECT * FROM ${place} LIMIT 0`);
  const types = reader.columnTypes();
  return reader.columnNames().flatMap((name, at) => {
    const type = types[at];
    return type ? [{ name: logicalName(name), type: typeOfResult(type), nullable: true }] : [];
  });
}

export async function createView(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  const head = readHead(context, reader, "VIEW");
  const { path } = head;
  require(context, path, "CREATE VIEW");
  const listed = reader.punctuation("(") ? readViewColumns(context, reader.untilClosed()) : undefined;
  const comment = readOptions(context, reader);
  const as = topLevelAs(context);
  if (as === undefined) throw context.unexpected(reader);
  const existing = standing(context, head);
  if (existing && head.ifNotExists) return already(path);
  requireReadable(context, context.tokens.slice(as + 1));
  const text = context.sql.slice(context.tokens[as + 1]?.start).replace(/;\s*$/, "");
  const query = await translate(context, text);
  const names = listed ? ` (${listed.map(({ name }) => quoted(physicalName(name))).join(", ")})` : "";
  const place = physicalPath(path.schema, path.name);
  await runInTransaction(context, `CREATE OR REPLACE VIEW ${place}${names} AS ${query}`);
  const columns = (await columnsOf(context, place)).map((column, at) => ({
    ...column,
    comment: listed?.[at]?.comment,
  }));
  remember(context, { ...path, kind: "VIEW", columns, comment, createdOn: new Date(), loaded: new Set(), text });
  return status(`View ${path.name} successfully created.`);
}

interface ViewColumn {
  readonly name: string;
  readonly comment?: string | undefined;
}

function readViewColumns(context: StatementContext, tokens: readonly Token[]): readonly ViewColumn[] {
  const columns: ViewColumn[] = [];
  const reader = new TokenReader(tokens);
  while (reader.peek()) {
    const name = reader.next()?.value ?? "";
    const comment = reader.words("COMMENT") ? reader.next()?.value : undefined;
    if (reader.peek() && !reader.punctuation(",")) throw context.unexpected(reader);
    columns.push({ name, comment });
  }
  return columns;
}

export async function createStage(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  const { path, ifNotExists, replace } = readHead(context, reader, "STAGE");
  require(context, path, "CREATE STAGE");
  const { catalogue } = context.account;
  if (catalogue.stage(path.schema, path.name)) {
    if (ifNotExists) return already(path);
    if (!replace) throw alreadyExists(catalogue.path(path.schema, path.name));
  }
  const fileFormat = context.sql.slice(reader.peek()?.start ?? context.sql.length);
  await context.account.createStageFolder(path.schema, path.name);
  catalogue.setStage({ ...path, createdOn: new Date(), fileFormat });
  context.account.roles.made(context.session.role, "STAGE", `${path.schema}.${path.name}`);
  return status(`Stage area ${path.name} successfully created.`, STATEMENT_TYPES.ddl);
}
