/** Turns the SQL that a client sent into what DuckDB runs. */
import { NovaError } from "../../../runtime/core/errors.ts";
import { temporaryKey, type StatementContext } from "./context.ts";
import { notFound, syntaxError } from "./errors.ts";
import { withNamedValues } from "./from-values.ts";
import { tokenize, type Token } from "./lexer.ts";
import { literal, physicalName, quoted } from "./names.ts";
import { templateOf } from "./template.ts";

/** @param sql a part of the statement; the whole one if absent. @throws SnowflakeError for what cannot be read */
export async function translate(context: StatementContext, sql = context.sql): Promise<string> {
  const { schemas } = context.account.catalogue;
  const template = templateOf(withNamedValues(prepare(context, sql)), (schema) => schemas.has(schema));
  try {
    return template.fill((await context.account.translator.translate(template.sql)).join("; "));
  } catch (thrown) {
    throw await whereUnreadable(context, sql, thrown);
  }
}

/** The place is asked for again in the text that the client sent, since names have other lengths now. */
async function whereUnreadable(context: StatementContext, sql: string, thrown: unknown): Promise<unknown> {
  const isUnreadable = (error: unknown): error is NovaError =>
    error instanceof NovaError && error.code === "MODEL_SQL_FAILED";
  if (!isUnreadable(thrown)) return thrown;
  const again: unknown = await context.account.translator.translate(sql).catch((error: unknown) => error);
  return unreadable(context.sql, sql, isUnreadable(again) ? again : thrown);
}

/** Names as DuckDB has them, the session's own functions as their values. */
function prepare(context: StatementContext, sql: string): string {
  const tokens = tokenize(sql);
  let result = "";
  let done = 0;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) break;
    const replaced =
      temporary(context, tokens, at) ??
      sessionFunction(context, tokens, at) ??
      mixedArray(tokens, at) ??
      name(context, tokens, at);
    if (!replaced) continue;
    const last = tokens[at + replaced.tokens - 1] ?? token;
    result += sql.slice(done, token.start) + replaced.text;
    done = last.start + last.text.length;
    at += replaced.tokens - 1;
  }
  return result + sql.slice(done);
}

interface Replacement {
  readonly text: string;
  readonly tokens: number;
}

/** The session's temporary tables are in a place of their own. */
function temporary({ session }: StatementContext, tokens: readonly Token[], at: number): Replacement | undefined {
  if (session.temporary.size === 0 || tokens[at - 1]?.text === ".") return undefined;
  const [schema, dot, table] = tokens.slice(at, at + 3);
  if (!schema || !table || dot?.text !== "." || !isName(schema) || !isName(table)) return undefined;
  const own = session.temporary.get(temporaryKey({ schema: schema.value, name: table.value }));
  return own && { text: `temp.main.${quoted(physicalName(own.name))}`, tokens: 3 };
}

/** Quoted names are marked; a database in front of a schema is left out. */
function name({ account }: StatementContext, tokens: readonly Token[], at: number): Replacement | undefined {
  const token = tokens[at];
  if (!token || !isName(token)) return undefined;
  const { database, schemas } = account.catalogue;
  if (tokens[at - 1]?.text !== "." && tokens[at + 1]?.text === "." && token.value === database) {
    const schema = tokens[at + 2];
    if (schema && isName(schema) && tokens[at + 3]?.text === ".") {
      if (!schemas.has(schema.value)) throw notFound("Schema", account.catalogue.path(schema.value));
      return { text: quoted(physicalName(schema.value)), tokens: 3 };
    }
  }
  if (token.kind !== "quoted" || tokens[at - 1]?.text === ":") return undefined;
  return { text: quoted(physicalName(token.value)), tokens: 1 };
}

/** https://docs.snowflake.com/en/sql-reference/functions-context */
function sessionFunction(context: StatementContext, tokens: readonly Token[], at: number): Replacement | undefined {
  const { session, account } = context;
  const token = tokens[at];
  if (token?.kind !== "word" || tokens[at + 1]?.text !== "(" || tokens[at + 2]?.text !== ")") return undefined;
  const values: Readonly<Record<string, string | null | undefined>> = {
    CURRENT_VERSION: "9.33.1",
    CURRENT_ACCOUNT: account.name,
    CURRENT_ACCOUNT_NAME: account.name,
    CURRENT_ORGANIZATION_NAME: "TESTORG",
    CURRENT_REGION: "AWS_EU_CENTRAL_1",
    CURRENT_USER: session.user,
    CURRENT_ROLE: session.role,
    CURRENT_SECONDARY_ROLES: JSON.stringify({ roles: "", value: "" }),
    CURRENT_WAREHOUSE: session.warehouse,
    CURRENT_DATABASE: session.database,
    CURRENT_SCHEMA: session.schema,
    CURRENT_SESSION: String(session.id),
    CURRENT_CLIENT: "JavaScript",
    CURRENT_TRANSACTION: session.transaction?.id ?? null,
    LAST_QUERY_ID: session.lastQueryId,
  };
  if (!(token.value in values)) return undefined;
  const value = values[token.value] ?? null;
  return { text: value === null ? "NULL" : literal(value), tokens: 3 };
}

/** DuckDB's lists have one type of element, Snowflake's arrays many: `TO_JSON(ARRAY_CONSTRUCT('a', 1))` is `["a",1]`. */
function mixedArray(tokens: readonly Token[], at: number): Replacement | undefined {
  const isJson = tokens[at - 2]?.value === "TO_JSON" && tokens[at - 1]?.text === "(";
  return isJson && tokens[at]?.value === "ARRAY_CONSTRUCT" ? { text: "JSON_ARRAY", tokens: 1 } : undefined;
}

function isName(token: Token): boolean {
  return token.kind === "word" || token.kind === "quoted";
}

/** The library says where it stopped; Snowflake names the token there. Lines count in the whole statement, as the client sent it. */
function unreadable(whole: string, part: string, error: NovaError): Error {
  const { line, column } = error.details;
  const offset = Math.max(0, whole.indexOf(part));
  const lines = whole.slice(0, offset).split("\n");
  if (typeof line !== "number" || typeof column !== "number") {
    const last = whole.split("\n");
    return syntaxError(last.length, last.at(-1)?.length ?? 0, "<EOF>");
  }
  const written = part.split("\n")[line - 1] ?? "";
  const token =
    tokenize(
      Array.from(written)
        .slice(column - 1)
        .join(""),
    )[0]?.text ?? "<EOF>";
  const before = line === 1 ? (lines.at(-1)?.length ?? 0) : 0;
  return syntaxError(lines.length + line - 1, before + column - 1, token);
}
