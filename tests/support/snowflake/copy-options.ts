/** Options of COPY INTO with Snowflake's defaults: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table#type-csv. */
import type { StatementContext } from "./context.ts";
import { unsupported } from "./errors.ts";
import { TokenReader, type Token } from "./lexer.ts";

export interface CsvFormat {
  readonly delimiter: string;
  readonly skipHeader: number;
  readonly enclosedBy: string | undefined;
  readonly escapeUnenclosed: string | undefined;
  readonly nullIf: readonly string[];
  readonly emptyAsNull: boolean;
  readonly trimSpace: boolean;
  readonly countMismatchIsError: boolean;
  readonly skipBlankLines: boolean;
}

export interface CopyOptions {
  readonly format: CsvFormat;
  readonly purge: boolean;
  readonly force: boolean;
  readonly files: readonly string[] | undefined;
  readonly pattern: RegExp | undefined;
}

type Values = ReadonlyMap<string, readonly Token[]>;

/** Those that are as Snowflake's default, and would mean something else to this server otherwise. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  TYPE: ["CSV"],
  BINARY_FORMAT: ["HEX"],
  ENCODING: ["UTF8", "UTF-8"],
  REPLACE_INVALID_CHARACTERS: ["FALSE"],
  MULTI_LINE: ["TRUE"],
  COMPRESSION: ["AUTO", "GZIP", "NONE"],
  RECORD_DELIMITER: ["\n"],
  ESCAPE: ["NONE"],
  SKIP_BYTE_ORDER_MARK: ["TRUE", "FALSE"],
  DATE_FORMAT: ["AUTO", "YYYY-MM-DD"],
  TIME_FORMAT: ["AUTO"],
  TIMESTAMP_FORMAT: ["AUTO", "YYYY-MM-DD HH24:MI:SS.FFTZH", "YYYY-MM-DD HH24:MI:SS.FF", "YYYY-MM-DD HH24:MI:SS.FF TZH"],
};
const FORMAT = new Set([
  ...Object.keys(FIXED),
  ..."FIELD_DELIMITER SKIP_HEADER FIELD_OPTIONALLY_ENCLOSED_BY ESCAPE_UNENCLOSED_FIELD NULL_IF EMPTY_FIELD_AS_NULL TRIM_SPACE ERROR_ON_COLUMN_COUNT_MISMATCH SKIP_BLANK_LINES".split(
    " ",
  ),
]);
const COPY = new Set(
  "FILE_FORMAT ON_ERROR PURGE FORCE FILES PATTERN SIZE_LIMIT TRUNCATECOLUMNS ENFORCE_LENGTH".split(" "),
);

/** @throws SnowflakeError for what the server does not do: it must not take an option that it ignores */
export function readCopyOptions(context: StatementContext, reader: TokenReader): CopyOptions {
  const copy = readValues(context, reader, COPY);
  const format = readValues(context, new TokenReader(copy.get("FILE_FORMAT") ?? []), FORMAT);
  for (const [name, allowed] of Object.entries(FIXED)) {
    const value = format.get(name)?.[0]?.value;
    if (value !== undefined && !allowed.includes(value.toUpperCase())) throw unsupported(`${name} = ${value}`);
  }
  const onError = single(copy, "ON_ERROR") ?? "ABORT_STATEMENT";
  if (onError.toUpperCase() !== "ABORT_STATEMENT") throw unsupported(`ON_ERROR = ${onError}`);
  if (copy.has("SIZE_LIMIT")) throw unsupported("SIZE_LIMIT");
  if (isTrue(single(copy, "TRUNCATECOLUMNS"), false)) throw unsupported("TRUNCATECOLUMNS = TRUE");
  if (!isTrue(single(copy, "ENFORCE_LENGTH"), true)) throw unsupported("ENFORCE_LENGTH = FALSE");
  const pattern = single(copy, "PATTERN");
  return {
    format: {
      delimiter: single(format, "FIELD_DELIMITER") ?? ",",
      skipHeader: Number(single(format, "SKIP_HEADER") ?? 0),
      enclosedBy: none(single(format, "FIELD_OPTIONALLY_ENCLOSED_BY") ?? "NONE"),
      escapeUnenclosed: none(single(format, "ESCAPE_UNENCLOSED_FIELD") ?? "\\"),
      nullIf: listed(format, "NULL_IF") ?? ["\\N"],
      emptyAsNull: isTrue(single(format, "EMPTY_FIELD_AS_NULL"), true),
      trimSpace: isTrue(single(format, "TRIM_SPACE"), false),
      countMismatchIsError: isTrue(single(format, "ERROR_ON_COLUMN_COUNT_MISMATCH"), true),
      skipBlankLines: isTrue(single(format, "SKIP_BLANK_LINES"), false),
    },
    purge: isTrue(single(copy, "PURGE"), false),
    force: isTrue(single(copy, "FORCE"), false),
    files: listed(copy, "FILES"),
    pattern: pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`),
  };
}

/** `NAME = value` or `NAME = (…)`, one after the other. */
function readValues(context: StatementContext, reader: TokenReader, known: ReadonlySet<string>): Values {
  const values = new Map<string, readonly Token[]>();
  while (!reader.done()) {
    const name = reader.next();
    if (name?.kind !== "word" || !known.has(name.value) || !reader.punctuation("=")) {
      throw context.unexpected(context.reader(context.tokens.findIndex((token) => token === name)));
    }
    const value = reader.punctuation("(")
      ? reader.untilClosed()
      : [reader.next()].filter((token) => token !== undefined);
    values.set(name.value, value);
    reader.punctuation(",");
  }
  return values;
}

function single(values: Values, name: string): string | undefined {
  return values.get(name)?.[0]?.value;
}

function listed(values: Values, name: string): readonly string[] | undefined {
  return values
    .get(name)
    ?.filter(({ text }) => text !== ",")
    .map(({ value }) => value);
}

function none(value: string): string | undefined {
  return value.toUpperCase() === "NONE" ? undefined : value;
}

function isTrue(value: string | undefined, otherwise: boolean): boolean {
  return value === undefined ? otherwise : value.toUpperCase() === "TRUE";
}
