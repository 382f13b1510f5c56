/**
 * Conditions that make PostgreSQL itself refuse a value which the manifest's type cannot hold, naming column, key and value.
 *
 * A guarded column is `CASE WHEN <fits> THEN column WHEN column IS NULL THEN NULL ELSE <an error> END`. SQL has no RAISE outside a
 * function and the source is read-only, so the error is a cast of a description to integer, whose message PostgreSQL fills with it.
 * Cost on 5 M rows with four guarded columns: within the noise of the plain COPY (8.1 s against 8.0 s).
 */
import { NovaError } from "../core/errors.ts";
import { identifier, literal } from "../core/sql.ts";
import type { ValueCheck } from "../manifest/postgres-type.ts";
import { MAX_VARCHAR } from "../manifest/warehouse-type.ts";

const MARK = "novadrive:";
/** Characters of a value and of a key that a message shows. */
const SHOWN = 80;
/**
 * Bytes that a value takes where it lies, compressed, up to which its text is not measured: no compression gives back more than 255 times
 * as much, and hardly a type's text is four times as long.
 */
const SMALL = 16_384;

export interface GuardedColumn {
  readonly column: string;
  /** SQL of the value, and its type as a cast is written. */
  readonly value: string;
  readonly valueType: string;
  /** SQL of whether it is NULL. */
  readonly isNull: string;
  /** SQL of PostgreSQL's text for the value. */
  readonly text: string;
  /** SQL of the form in which it leaves, and its type. */
  readonly output: string;
  readonly outputType: string;
  readonly checks: readonly ValueCheck[];
  /** For the message. */
  readonly table: string;
  readonly primaryKey: readonly string[];
  /** Whether rows have a ctid to be named by where there is no key. */
  readonly hasCtid: boolean;
  /** As the manifest says it: `NUMBER(10,2)`. */
  readonly target: string;
}

/** The SQL of a column: as it is where there is nothing to check. */
export function guarded(column: GuardedColumn): string {
  const { checks, isNull, output } = column;
  const notNull = checks.some((one) => one.check === "not_null");
  if (checks.length === 0) return output;
  const whenNull = notNull ? "" : ` WHEN ${isNull} THEN NULL`;
  return `CASE WHEN ${passes(column)} THEN ${output}${whenNull} ELSE ${refusal(column)} END`;
}

/** The SQL of a column in which NULL stands for what does not fit. */
export function fitting(column: GuardedColumn): string {
  return column.checks.length === 0 ? column.output : `CASE WHEN ${passes(column)} THEN ${column.output} END`;
}

/**
 * The SQL of a column in which `instead` stands for what does not fit. How often that was, PostgreSQL counts in a setting of the
 * transaction: it costs nothing where everything fits, and needs neither a second scan nor a column more.
 *
 * @param counter the setting, which has to hold a number
 */
export function counting(column: GuardedColumn, counter: string, instead: string): string {
  const name = literal(counter);
  const counted = `set_config(${name}, (current_setting(${name})::bigint + 1)::text, true) <> ''`;
  const { isNull, output } = column;
  return `CASE WHEN ${passes(column)} THEN ${output} WHEN ${isNull} THEN NULL WHEN ${counted} THEN ${instead} END`;
}

/** True for what fits; false or NULL for what does not, and for NULL. */
function passes(column: GuardedColumn): string {
  const conditions = column.checks.flatMap((one) => (one.check === "not_null" ? [] : condition(one, column)));
  return conditions.length === 0 ? `NOT (${column.isNull})` : conditions.join(" AND ");
}

function condition(check: ValueCheck, { value, valueType, isNull, text }: GuardedColumn): string {
  switch (check.check) {
    case "finite":
      return `${value} <> 'NaN'`;
    case "digits": {
      const places = `scale(trim_scale(${value}))`;
      const limit = `1${"0".repeat(38)}::numeric`;
      return `${value} > -${limit} AND ${value} < ${limit} AND ${places} <= 37 AND abs(${value}) < (10::numeric ^ (38 - ${places}))`;
    }
    case "calendar":
      return `${value} >= '0001-01-01'::${valueType} AND ${value} < '10000-01-01'::${valueType}`;
    case "day":
      return `${value} < '24:00:00'`;
    case "json_numbers":
      return jsonNumbersHeld(text);
    case "json_members":
      return jsonMembersHeld(text);
    case "not_null":
      return `NOT (${isNull})`;
    case "decimal": {
      const limit = `1${"0".repeat(check.precision - check.scale)}::numeric`;
      // NaN is greater than every number, and both infinities are outside.
      return `${value} > -${limit} AND ${value} < ${limit} AND round(${value}::numeric, ${check.scale}) = ${value}::numeric`;
    }
    case "length":
      // Bytes first: they are known without counting, and mostly enough.
      return `(octet_length(${text}) <= ${check.max} OR char_length(${text}) <= ${check.max} AND octet_length(${text}) <= ${MAX_VARCHAR})`;
    case "size":
      // Of a text the length is known without fetching it.
      if (valueType === "text" || valueType === "varchar") return `octet_length(${text}) <= ${check.max}`;
      return `(pg_column_size(${value}) <= ${SMALL} OR octet_length(${text}) <= ${check.max})`;
    case "bytes":
      return `octet_length(${value}) <= ${check.max}`;
    case "fraction":
      return `${value}::${valueType}(${check.max}) = ${value}`;
  }
}

/** A pair of escapes that together are one character. */
const PAIR = String.raw`\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}`;
const JSON_TEXT = literal(String.raw`"([^"\\]|\\.)*"`);
const JSON_NUMBER = literal(String.raw`(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)`);

/**
 * Snowflake keeps a number of a JSON document in up to 38 digits; one with an exponent, or with more digits, as a double
 * (https://docs.snowflake.com/en/sql-reference/functions/parse_json#usage-notes). Few documents have such a number, or a text that looks
 * like one: the first two conditions are all that most of them cost, which is 3 µs for one of 270 bytes, where writing it as text takes 1.
 * A double holds the number if it gives it back.
 */
function jsonNumbersHeld(document: string): string {
  const size = "abs(n[1]::numeric)";
  const isDouble = "n[1] ~ '[eE]' OR length(translate(n[1], '-.', '')) > 38";
  const isBeyond = `n[1] ~ '[eE][-+]?[0-9]{4}' OR ${size} > 1.7976931348623157e308 OR (${size} > 0 AND ${size} < 5e-324)`;
  const isLost = `CASE WHEN ${isBeyond} THEN true ELSE n[1]::float8::text::numeric <> n[1]::numeric END`;
  const numbers = `regexp_matches(regexp_replace(${document}, ${JSON_TEXT}, '""', 'g'), ${JSON_NUMBER}, 'g')`;
  const none = `NOT EXISTS (SELECT FROM ${numbers} AS n WHERE (${isDouble}) AND ${isLost})`;
  return `((${document} !~ '[0-9]{20}' AND ${document} !~ '(?:^|[[:space:]:,[])-?[0-9.]+[eE]') OR ${none})`;
}

/**
 * json keeps a member that stands twice, a VARIANT refuses it; a jsonb keeps the last. It also keeps `\u0000` and half a surrogate pair, which are
 * no text anywhere else, and which the cast to jsonb would fail on. Without an escape, colons are as many in the jsonb as in the json exactly
 * where no member was dropped; else those outside of texts are counted.
 */
function jsonMembersHeld(document: string): string {
  const colons = (text: string): string => `length(${text}) - length(replace(${text}, ':', ''))`;
  const outside = (text: string): string => `regexp_replace(${text}, ${JSON_TEXT}, '', 'g')`;
  const jsonb = `${document}::jsonb::text`;
  const escapes = `replace(${document}, ${literal("\\\\")}, '')`;
  const halves = `regexp_replace(${escapes}, ${literal(PAIR)}, '', 'gi')`;
  return [
    `CASE WHEN strpos(${document}, ${literal("\\u")}) = 0 THEN ${colons(document)} = ${colons(jsonb)}`,
    `WHEN ${escapes} ~ ${literal(String.raw`\\u0000`)} OR ${halves} ~* ${literal(String.raw`\\ud[89a-f]`)} THEN false`,
    `ELSE ${colons(outside(document))} = ${colons(outside(jsonb))} END`,
  ].join(" ");
}

function refusal({ table, column, outputType, text, primaryKey, hasCtid, target }: GuardedColumn): string {
  const keys = primaryKey.map((name) => `left(${identifier(name)}::text, ${SHOWN})`);
  if (keys.length === 0) keys.push(hasCtid ? "ctid::text" : "'?'");
  const facts = [
    `'table', ${literal(table)}`,
    `'column', ${literal(column)}`,
    `'target', ${literal(target)}`,
    `'columns', ${literal(JSON.stringify(primaryKey))}::json`,
    `'key', ARRAY[${keys.join(", ")}]`,
    `'value', left(${text}, ${SHOWN})`,
  ];
  return `(${literal(MARK)} || json_build_object(${facts.join(", ")})::text)::integer::text::${outputType}`;
}

interface Refused {
  readonly table: string;
  readonly column: string;
  readonly target: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly value: string | null;
}

/** The error that a refusal stands for, if the message of a failed statement is one. */
export function valueError(message: string): NovaError | undefined {
  const start = message.indexOf(`${MARK}{`);
  const end = message.lastIndexOf("}");
  if (start < 0 || end < start) return undefined;
  let refused: Refused;
  try {
    refused = JSON.parse(message.slice(start + MARK.length, end + 1)) as Refused;
  } catch {
    return undefined;
  }
  const { table, column, target, columns, key, value } = refused;
  const row =
    columns.length === 0 ? `at ctid ${key[0]}` : columns.map((name, index) => `${name} = ${key[index]}`).join(", ");
  const shown = value === null ? "NULL" : value.length < SHOWN ? value : `${value}…`;
  return new NovaError(
    "SOURCE_VALUE_INVALID",
    `${table}.${column} holds a value that ${target} cannot hold: ${shown} (row ${row}).`,
    {
      remedy: remedyFor({ column, target, value }),
      details: { table, column, key, value },
    },
  );
}

function remedyFor({ column, target, value }: Pick<Refused, "column" | "target" | "value">): string {
  if (value === null)
    return `Correct the row in the source, or take the not_null constraint from ${column} in the manifest.`;
  const wider =
    target === "VARIANT"
      ? `write data_type: text for ${column} in the manifest; a VARIANT keeps 38 digits of a number, and of one with an exponent as many as a double.`
      : `widen data_type of ${column} in the manifest; text holds every value as PostgreSQL writes it.`;
  return `Correct the row in the source, or ${wider}`;
}
