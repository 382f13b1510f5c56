/** Snowflake's values, as they travel, as text in the one form that every warehouse gives (see QueryResult). */
import { canonicalJson } from "../canonical-json.ts";
import { dateText, floorDivide, numberText, timestampText, timeText } from "../canonical-text.ts";

export interface ValueType {
  /** Upper case: FIXED, TEXT, REAL, BOOLEAN, DATE, TIME, TIMESTAMP_LTZ, TIMESTAMP_NTZ, TIMESTAMP_TZ, BINARY, VARIANT, … */
  readonly name: string;
  /** Digits after the point. */
  readonly scale: number;
}

/**
 * @param value as in the server's answer: FIXED with its digits, DATE in days since 1970, TIME in seconds, TIMESTAMP_* in seconds since 1970
 * with a fraction (TIMESTAMP_TZ with a blank and its offset behind, which is left out: the instant is the value), BINARY in hex
 */
export function canonicalText(value: unknown, type: ValueType): string | null {
  if (value === null || value === undefined) return null;
  // Sizes in the result of PUT, which the driver makes up itself, come as numbers.
  const text = typeof value === "string" ? value : JSON.stringify(value);
  switch (type.name) {
    case "FIXED":
      return fixedText(text, type.scale);
    case "REAL":
      return realText(text);
    case "BOOLEAN":
      return /^(?:1|true)$/i.test(text) ? "true" : "false";
    case "DATE":
      return dateText(BigInt(text));
    case "TIME":
      return timeText(microseconds(text));
    case "TIMESTAMP_NTZ":
      return timestampText(microseconds(text));
    case "TIMESTAMP_LTZ":
    case "TIMESTAMP_TZ":
      return `${timestampText(microseconds(text.split(" ")[0] ?? text))}+00`;
    case "BINARY":
      return text.toLowerCase();
    case "VARIANT":
    case "OBJECT":
    case "ARRAY":
    case "MAP":
      return jsonText(text);
    default:
      return text;
  }
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

/** Cut to microseconds, not rounded, as Snowflake itself does. @throws TypeError if it is no number */
function microseconds(seconds: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{0,9}))?$/.exec(seconds);
  if (!match) throw new TypeError(`Snowflake sent ${JSON.stringify(seconds)} for an instant`);
  const [, sign, whole = "0", fraction = ""] = match;
  const nanoseconds = BigInt(whole + fraction.padEnd(9, "0"));
  return floorDivide(sign === "-" ? -nanoseconds : nanoseconds, 1000n);
}

/** VARIANT may also hold XML, which is no JSON. */
function jsonText(text: string): string {
  try {
    return canonicalJson(text);
  } catch {
    return text;
  }
}
