/** What the execution of one statement has at hand. */
import type { Account } from "./account.ts";
import { insufficientPrivileges, lockTimedOut, noCurrent, notFound, syntaxError } from "./errors.ts";
import type { Relation, Stage } from "./catalogue.ts";
import type { Privileges } from "./grants.ts";
import { tokenize, TokenReader, type Token } from "./lexer.ts";
import { physicalName, physicalPath, quoted } from "./names.ts";
import type { SessionParameters } from "./parameters.ts";
import type { Session } from "./session.ts";
import { linePosition } from "../../../runtime/warehouse/sql-text.ts";

export interface ObjectPath {
  readonly schema: string;
  readonly name: string;
}

export class StatementContext {
  readonly account: Account;
  readonly session: Session;
  readonly sql: string;
  readonly tokens: readonly Token[];
  readonly parameters: SessionParameters;
  readonly queryId: string;
  readonly signal: AbortSignal;

  constructor(options: {
    readonly account: Account;
    readonly session: Session;
    readonly sql: string;
    readonly parameters: SessionParameters;
    readonly queryId: string;
    readonly signal: AbortSignal;
  }) {
    this.account = options.account;
    this.session = options.session;
    this.sql = options.sql;
    this.parameters = options.parameters;
    this.queryId = options.queryId;
    this.signal = options.signal;
    this.tokens = tokenize(options.sql);
  }

  /** Of the session's role. */
  get grants(): Privileges {
    return this.account.privilegesOf(this.session.role);
  }

  reader(at = 0): TokenReader {
    return new TokenReader(this.tokens, at);
  }

  /** What Snowflake says about the token that comes next. */
  unexpected(reader: TokenReader): Error {
    const token = reader.peek();
    const place = linePosition(this.sql, Array.from(this.sql.slice(0, token?.start)).length);
    return syntaxError(place.line, place.column - 1, token?.text ?? "<EOF>");
  }

  /** SELECT, CREATE TABLE, …, for messages. */
  get verb(): string {
    const [first, second] = this.tokens;
    return first?.value === "CREATE" || first?.value === "DROP"
      ? `${first.value} ${second?.value ?? ""}`
      : (first?.value ?? "");
  }

  expect(reader: TokenReader, ...words: readonly string[]): void {
    if (!reader.words(...words)) throw this.unexpected(reader);
  }

  /** `name`, `schema.name` or `database.schema.name`, quoted or not. */
  path(reader: TokenReader): ObjectPath {
    const names: string[] = [];
    do {
      const token = reader.peek();
      if (token?.kind !== "word" && token?.kind !== "quoted") throw this.unexpected(reader);
      names.push(token.value);
      reader.at++;
    } while (reader.punctuation("."));
    return this.resolve(names);
  }

  resolve(names: readonly string[]): ObjectPath {
    const [name, schema, database] = names.toReversed();
    const resolved = schema ?? this.session.schema;
    if ((database ?? this.session.database) === null) throw noCurrent("database", this.verb);
    if (name === undefined || resolved === null) throw noCurrent("schema", this.verb);
    if ((database ?? this.session.database) !== this.account.catalogue.database) {
      throw notFound("Database", database ?? this.session.database ?? "");
    }
    return { schema: resolved, name };
  }

  /** The session's temporary table of that name hides any other. */
  find({ schema, name }: ObjectPath): Relation | undefined {
    const own = this.session.temporary.get(temporaryKey({ schema, name }));
    if (own) return own;
    const found = this.account.catalogue.relation(schema, name);
    return found && this.sees(found) ? found : undefined;
  }

  /** Where DuckDB has it: temporary tables of a session are in a place of their own. */
  place({ schema, name, kind }: Relation): string {
    return kind === "TEMPORARY" ? `temp.main.${quoted(physicalName(name))}` : physicalPath(schema, name);
  }

  sees({ schema, name, kind }: Relation): boolean {
    const { grants } = this;
    return (
      kind === "TEMPORARY" ||
      (grants.has("USAGE", "SCHEMA", schema) && grants.sees(kind === "VIEW" ? "VIEW" : "TABLE", `${schema}.${name}`))
    );
  }

  /** @param word what messages call it: Table, View, Object */
  relation(path: ObjectPath, word: string): Relation {
    const found = this.find(path);
    if (!found) throw notFound(word, this.account.catalogue.path(path.schema, path.name));
    return found;
  }

  requireSchema(schema: string): void {
    const { catalogue } = this.account;
    if (!catalogue.schemas.has(schema) || !this.grants.sees("SCHEMA", schema)) {
      throw notFound("Schema", catalogue.path(schema));
    }
  }

  requirePrivilege(privilege: string, on: string, name: string): void {
    if (!this.grants.has(privilege, on, name)) {
      throw insufficientPrivileges(on.toLowerCase(), name.split(".").at(-1) ?? name);
    }
  }

  /** The session's transaction keeps the lock; without one, it is released after the statement. */
  async lock({ schema, name, kind }: Relation): Promise<void> {
    if (kind === "TEMPORARY") return;
    const { session, account, queryId, signal } = this;
    const holder = await account.locks.acquire({
      table: `${schema}.${name}`,
      owner: session,
      holder: { transaction: session.transaction?.id ?? queryId, statement: queryId },
      timeoutMs: 1000 * this.parameters.number("LOCK_TIMEOUT"),
      signal,
    });
    if (holder) throw lockTimedOut(holder.statement, account.catalogue.path(schema, name), holder.transaction);
  }

  stage(text: string): { readonly stage: Stage; readonly path: string } {
    const match = /^@((?:"(?:[^"]|"")*"|[^/"])*)(?:\/(.*))?$/s.exec(text);
    const names = tokenize(match?.[1] ?? "").filter(({ text: part }) => part !== ".");
    const { schema, name } = this.resolve(names.map(({ value }) => value));
    const stage = this.account.catalogue.stage(schema, name);
    const { grants } = this;
    const { catalogue } = this.account;
    if (!stage || !grants.has("USAGE", "SCHEMA", schema) || !grants.sees("STAGE", `${schema}.${name}`)) {
      throw notFound("Stage", catalogue.path(schema, name));
    }
    return { stage, path: match?.[2] ?? "" };
  }
}

export function temporaryKey({ schema, name }: ObjectPath): string {
  return JSON.stringify([schema, name]);
}

/** Place of the AS in front of the query of `CREATE … AS`. */
export function topLevelAs({ tokens }: StatementContext): number | undefined {
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    if (token.text === "(") depth++;
    if (token.text === ")") depth--;
    if (depth === 0 && token.kind === "word" && token.value === "AS") return at;
  }
  return undefined;
}
