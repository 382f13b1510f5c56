/** Snowflake's values, as the driver gives them, as text in the one form that every warehouse gives (see QueryResult). */
import { canonicalJson } from "../canonical-json.ts";
import { dateText, floorDivide, numberText, timestampText } from "../canonical-text.ts";

/**
 * What the driver must give as text, since its JavaScript values lose digits or members' order. Dates and timestamps come as objects
 * instead: formatted by the driver, they would lose what its format string does not ask for.
 */
export const AS_TEXT = ["Number", "Boolean", "JSON", "Buffer"] as const;

export interface ValueType {
  /** Upper case: FIXED, TEXT, REAL, BOOLEAN, DATE, TIME, TIMESTAMP_LTZ, TIMESTAMP_NTZ, TIMESTAMP_TZ, BINARY, VARIANT, … */
  readonly name: string;
  /** Digits after the point. */
  readonly scale: number;
}

/** The driver's dates and timestamps: https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-consume */
interface DriverTimestamp {
  getEpochSeconds(): number;
  /** Nanoseconds after the second, never negative. */
  getNanoSeconds(): number;
}

/** @throws TypeError if the driver gives something other than its documentation says */
export function canonicalText(value: unknown, type: ValueType): string | null {
  if (value === null || value === undefined) return null;
  if (isTimestamp(value)) return instantText(value, type);
  if (typeof value !== "string")
    throw new TypeError(`The driver gave a ${typeof value} for a value of type ${type.name}`);
  switch (type.name) {
    case "FIXED":
      return fixedText(value, type.scale);
    case "REAL":
      return realText(value);
    case "BOOLEAN":
      return value.toLowerCase();
    case "BINARY":
      return value.toLowerCase();
    case "TIME":
      return timeOfDay(value);
    case "VARIANT":
    case "OBJECT":
    case "ARRAY":
    case "MAP":
      return jsonText(value);
    default:
      return value;
  }
}

function isTimestamp(value: unknown): value is DriverTimestamp {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof Reflect.get(value, "getEpochSeconds") === "function" &&
    typeof Reflect.get(value, "getNanoSeconds") === "function"
  );
}

function instantText(value: DriverTimestamp, { name }: ValueType): string {
  const seconds = BigInt(value.getEpochSeconds());
  if (name === "DATE") return dateText(floorDivide(seconds, 86_400n));
  // Cut, not rounded, as Snowflake itself does when it goes from nanoseconds to microseconds.
  const text = timestampText(seconds * 1_000_000n + BigInt(Math.floor(value.getNanoSeconds() / 1000)));
  return name === "TIMESTAMP_NTZ" ? text : `${text}+00`;
}

function fixedText(text: string, scale: number): string {
  if (scale === 0 || !/^-?\d+(?:\.\d*)?$/.test(text)) return text;
  const [whole = "", fraction = ""] = text.split(".");
  return `${whole}.${fraction.padEnd(scale, "0")}`;
}

function realText(text: string): string {
  const named = /^(-?)(?:(inf(?:inity)?)|nan)$/i.exec(text);
  if (named) return named[2] === undefined ? "NaN" : `${named[1]}Infinity`;
  return numberText(Number(text));
}

/** @param text by the session's TIME_OUTPUT_FORMAT, with as many digits of a second as it asks for */
function timeOfDay(text: string): string {
  const [, seconds = text, fraction = ""] = /^(\d\d:\d\d:\d\d)(?:\.(\d*))?$/.exec(text) ?? [];
  return `${seconds}.${fraction.slice(0, 6).padEnd(6, "0")}`;
}

/** VARIANT may also hold XML, which is no JSON. */
function jsonText(text: string): string {
  try {
    return canonicalJson(text);
  } catch {
    return text;
  }
}
