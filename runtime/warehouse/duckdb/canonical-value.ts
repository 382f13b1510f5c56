/** DuckDB's values as text in the one form that every warehouse gives (see QueryResult). */
import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  VARCHAR,
  type DuckDBType,
  type DuckDBValue,
} from "@duckdb/node-api";

declare global {
  // https://tc39.es/proposal-json-parse-with-source, in Node since 21; TypeScript's library does not have it yet.
  interface JSON {
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

const MICROSECONDS_A_DAY = 86_400_000_000n;

export function canonicalText(value: DuckDBValue, type: DuckDBType): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return type.alias === "JSON" ? canonicalJson(value) : value;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return numberText(value);
  if (value instanceof DuckDBDecimalValue) return decimalText(value.value, value.scale);
  if (value instanceof DuckDBTimestampTZValue) return `${timestampText(value.micros)}+00`;
  if (value instanceof DuckDBTimestampValue) return timestampText(value.micros);
  if (value instanceof DuckDBTimestampSecondsValue) return timestampText(BigInt(value.seconds) * 1_000_000n);
  if (value instanceof DuckDBTimestampMillisecondsValue) return timestampText(BigInt(value.millis) * 1_000n);
  if (value instanceof DuckDBTimestampNanosecondsValue) return timestampText(floorDivide(value.nanos, 1_000n));
  if (value instanceof DuckDBDateValue) return dateText(BigInt(value.days));
  if (value instanceof DuckDBTimeValue) return timeText(value.micros);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString("hex");
  if (isNested(value)) return canonicalJson(JSON.stringify(nested(value)));
  return String(value);
}

/** Shortest text that gives the number back. -0 keeps its sign. */
function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function decimalText(value: bigint, scale: number): string {
  if (scale === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function timestampText(micros: bigint): string {
  const days = floorDivide(micros, MICROSECONDS_A_DAY);
  return `${dateText(days)} ${timeText(micros - days * MICROSECONDS_A_DAY)}`;
}

function timeText(micros: bigint): string {
  const seconds = micros / 1_000_000n;
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => String(part).padStart(2, "0"));
  return `${parts.join(":")}.${String(micros % 1_000_000n).padStart(6, "0")}`;
}

/** Days since 1970 as a date of the proleptic Gregorian calendar; years before 1 are astronomical, as in ISO 8601: -0043 is 44 BC. */
function dateText(days: bigint): string {
  // Howard Hinnant's civil_from_days: eras of 400 years, years that begin in March.
  const shifted = days + 719_468n;
  const era = floorDivide(shifted, 146_097n);
  const dayOfEra = shifted - era * 146_097n;
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const shiftedMonth = (5n * dayOfYear + 2n) / 153n;
  const day = dayOfYear - (153n * shiftedMonth + 2n) / 5n + 1n;
  const month = shiftedMonth < 10n ? shiftedMonth + 3n : shiftedMonth - 9n;
  const year = yearOfEra + era * 400n + (month <= 2n ? 1n : 0n);
  const sign = year < 0n ? "-" : "";
  const yearText = String(year < 0n ? -year : year).padStart(4, "0");
  return `${sign}${yearText}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

type Nested = DuckDBListValue | DuckDBArrayValue | DuckDBStructValue | DuckDBMapValue;

function isNested(value: DuckDBValue): value is Nested {
  return (
    value instanceof DuckDBListValue ||
    value instanceof DuckDBArrayValue ||
    value instanceof DuckDBStructValue ||
    value instanceof DuckDBMapValue
  );
}

function nested(value: DuckDBValue): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return JSON.rawJSON(String(value));
  if (value instanceof DuckDBDecimalValue) return JSON.rawJSON(decimalText(value.value, value.scale));
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(nested);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, item]) => [key, nested(item)]));
  }
  if (value instanceof DuckDBMapValue)
    return Object.fromEntries(value.entries.map(({ key, value: item }) => [String(key), nested(item)]));
  return canonicalText(value, NO_TYPE);
}

/** Values inside a list or struct are told apart by their class alone; a text in there is a text. */
const NO_TYPE: DuckDBType = VARCHAR;

/** Compact, members in the order of their names, numbers with the digits that they came with. */
export function canonicalJson(text: string): string {
  return JSON.stringify(sorted(JSON.parse(text, keepDigits)));
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === "number" && context?.source !== undefined ? JSON.rawJSON(context.source) : value;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return value;
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
