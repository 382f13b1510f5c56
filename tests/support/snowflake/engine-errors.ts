/** DuckDB's errors in the words of Snowflake. */
import { EngineError } from "../../../runtime/warehouse/duckdb/engine-error.ts";
import { locate } from "../../../runtime/warehouse/sql-text.ts";
import type { StatementContext } from "./context.ts";
import {
  cancelled,
  divisionByZero,
  internal,
  invalidIdentifier,
  invalidJson,
  notFound,
  notNumeric,
  notRecognized,
  nullNotAllowed,
  outOfRange,
  outOfRepresentableRange,
  SnowflakeError,
  tooLong,
  unknownFunction,
} from "./errors.ts";
import { withoutMarks } from "./names.ts";
import { TOO_LONG } from "./types.ts";

/** @param sent what DuckDB was given */
export function snowflakeError(context: StatementContext, thrown: unknown, sent: string): unknown {
  if (!(thrown instanceof EngineError)) return thrown;
  const text = withoutMarks(thrown.facts.text);
  return runtimeError(text, thrown.facts.kind) ?? compilationError(context, thrown, sent) ?? internal(text);
}

type Rule = readonly [RegExp, (match: readonly string[]) => SnowflakeError];

const RULES: readonly Rule[] = [
  [new RegExp(`^[\\s\\S]*Error: ${TOO_LONG}([\\s\\S]*)\\)$`), ([, value = ""]) => tooLong(value)],
  [/division by zero/i, () => divisionByZero()],
  [/NOT NULL constraint failed/, () => nullNotAllowed()],
  [/interrupted/i, () => cancelled()],
  [
    /Casting value "(.*?)" to type (DECIMAL\(\d+,\d+\)|\w+) failed: value is out of range/s,
    ([, value = "", type = ""]) => outOfRepresentableRange(fixed(type), value),
  ],
  [
    /Could not cast value (\S+) to (DECIMAL\(\d+,\d+\))/s,
    ([, value = "", type = ""]) => outOfRepresentableRange(fixed(type), value),
  ],
  [
    /Type \w+ with value (\S+) can't be cast.* out of range for the destination type (\w+)/s,
    ([, value = "", type = ""]) => outOfRepresentableRange(fixed(type), value),
  ],
  [
    /Could not convert string ['"](.*?)['"] to (?:INT\d+|DECIMAL|DOUBLE|HUGEINT|UINT\d+)/s,
    ([, value = ""]) => (/^[+-]?\d+(\.\d*)?$/.test(value) ? outOfRange(value) : notNumeric(value)),
  ],
  [/Could not convert string ['"](.*?)['"] to BOOL/s, ([, value = ""]) => notRecognized("Boolean", value)],
  [
    /(?:invalid|out of range) date field format: "(.*?)"|date field value out of range: "(.*?)"/s,
    ([, a, b]) => notRecognized("Date", a ?? b ?? ""),
  ],
  [
    /(?:invalid timestamp field format|timestamp field value out of range): "(.*?)"/s,
    ([, value = ""]) => notRecognized("Timestamp", value),
  ],
  [
    /(?:invalid time field format|time field value out of range): "(.*?)"/s,
    ([, value = ""]) => notRecognized("Time", value),
  ],
  [/malformed json.*?(?:: (.*))?$/is, ([, reason = "unknown token"]) => invalidJson(reason)],
];

function runtimeError(text: string, kind: string): SnowflakeError | undefined {
  if (kind === "Binder" || kind === "Catalog" || kind === "Parser") return undefined;
  for (const [pattern, error] of RULES) {
    const match = pattern.exec(text);
    if (match) return error(match);
  }
  return undefined;
}

function fixed(type: string): string {
  const decimal = /\((\d+),(\d+)\)/.exec(type);
  return `FIXED[SB16](${decimal?.[1] ?? 38},${decimal?.[2] ?? 0}){nullable}`;
}

function compilationError(context: StatementContext, error: EngineError, sent: string): SnowflakeError | undefined {
  const { kind, text, position, subject } = error.facts;
  if (kind !== "Binder" && kind !== "Catalog" && kind !== "Parser") return undefined;
  const place = locate({ written: context.sql, sent, position, subject });
  const line = place?.line ?? 1;
  const column = (place?.column ?? 1) - 1;
  const missing = /(?:Scalar|Aggregate|Table|Macro|Window)?\s?Function with name "?([^\s"]+)"? does not exist/i.exec(
    text,
  );
  if (missing) return unknownFunction(String(missing[1]).toUpperCase());
  const table = /Table with name "?([^\s"!]+)"? does not exist/i.exec(text)?.[1];
  if (table !== undefined) return notFound("Object", relationName(context, table));
  if (/schema with name|because schema/i.test(text)) return notFound("Schema", String(subject ?? ""));
  if (subject !== undefined && /column|not found/i.test(text)) {
    return invalidIdentifier(line, column, withoutMarks(subject).toUpperCase());
  }
  return new SnowflakeError(
    "000904",
    "42000",
    `SQL compilation error: error line ${line} at position ${column}\n${withoutMarks(error.facts.summary)}`,
  );
}

/** DuckDB names the table alone, Snowflake the whole path. */
function relationName({ tokens, account }: StatementContext, table: string): string {
  const name = withoutMarks(table).split(".").at(-1)?.toUpperCase() ?? "";
  const at = tokens.findIndex(({ value }, index) => value.toUpperCase() === name && tokens[index - 1]?.text === ".");
  const schema = tokens[at - 2]?.value;
  return at > 1 && schema !== undefined ? account.catalogue.path(schema, name) : name;
}
