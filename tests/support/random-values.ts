/** Random values of PostgreSQL's types, as the text that is cast to them. */
import fc from "fast-check";

const text = (unit: "binary" | "grapheme", maxLength: number) =>
  fc.string({ unit, maxLength, size: "max" }).map((value) => value.replaceAll("\0", ""));
const integer = (bits: bigint) => fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }).map(String);
const decimal = (digits: number, scale: number) =>
  fc.bigInt({ min: -(10n ** BigInt(digits)) + 1n, max: 10n ** BigInt(digits) - 1n }).map((value) => {
    const padded = String(value < 0n ? -value : value).padStart(scale + 1, "0");
    return `${value < 0n ? "-" : ""}${padded.slice(0, padded.length - scale)}.${padded.slice(padded.length - scale)}`;
  });
const two = (value: number) => String(value).padStart(2, "0");
const day = fc
  .date({ min: new Date("0001-01-02T00:00:00Z"), max: new Date("9999-12-30T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const clock = fc
  .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999_999))
  .map(([h, m, s, us]) => `${two(h)}:${two(m)}:${two(s)}.${String(us).padStart(6, "0")}`);
const instant = fc.tuple(day, clock).map((parts) => parts.join(" "));
const zone = fc.integer({ min: -12, max: 14 }).map((hours) => `${hours < 0 ? "-" : "+"}${two(Math.abs(hours))}:30`);
const float = fc.double().map((value) => (Object.is(value, -0) ? "-0" : String(value)));
const hex = fc.uint8Array({ maxLength: 40 }).map((bytes) => `\\x${Buffer.from(bytes).toString("hex")}`);
/** An array's element in quotes. */
const element = fc.oneof(
  fc.constant("NULL"),
  text("binary", 6).map((value) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`),
);
const octet = fc.nat(255);
/** Not nested deeper than any engine likes, and without the lone surrogates that are no text. */
const json = fc.json({ maxDepth: 4, stringUnit: "grapheme" });

/** By PostgreSQL's type. */
export const RANDOM: Readonly<Record<string, fc.Arbitrary<string>>> = {
  int2: integer(16n),
  int4: integer(32n),
  int8: integer(64n),
  "numeric(10,2)": decimal(10, 2),
  "numeric(38,10)": decimal(38, 10),
  numeric: fc.oneof(decimal(120, 40), fc.constantFrom("NaN", "Infinity", "-Infinity", "0", "-0.00", "1e-100", "1e100")),
  float4: fc.float().map((value) => (Object.is(value, -0) ? "-0" : String(value))),
  float8: float,
  boolean: fc.boolean().map(String),
  "char(2)": text("grapheme", 1).map((value) => Array.from(value).slice(0, 2).join("")),
  "varchar(255)": text("binary", 100),
  text: fc.oneof(
    text("binary", 200),
    fc
      .array(
        fc.constantFrom('"', "\n", "\r", "\r\n", "\\", "\\N", "\\.", ",", "\t", "", " ", "NULL", "é", "e\u0301", "😀"),
      )
      .map((parts) => parts.join("")),
  ),
  date: day,
  timestamp: instant,
  timestamptz: fc.tuple(instant, zone).map((parts) => parts.join("")),
  time: clock,
  timetz: fc.tuple(clock, zone).map((parts) => parts.join("")),
  uuid: fc.uuid(),
  json,
  jsonb: json,
  bytea: hex,
  "text[]": fc.array(element, { maxLength: 5 }).map((parts) => `{${parts.join(",")}}`),
  "int[]": fc.array(integer(32n), { maxLength: 5 }).map((parts) => `{${parts.join(",")}}`),
  "float8[]": fc.array(float, { maxLength: 4 }).map((parts) => `{${parts.join(",")}}`),
  interval: fc
    .tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: -9999, max: 9999 }), fc.integer())
    .map(([months, days, micros]) => `${months} months ${days} days ${micros} microseconds`),
  int4range: fc
    .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.nat(1e9))
    .map(([from, length]) => `[${from},${from + length})`),
  inet: fc.tuple(octet, octet, octet, octet, fc.nat(32)).map(([a, b, c, d, bits]) => `${a}.${b}.${c}.${d}/${bits}`),
  varbit: fc.array(fc.constantFrom("0", "1"), { maxLength: 70 }).map((bits) => bits.join("")),
  point: fc.tuple(float, float).map(([x, y]) => `(${x},${y})`),
};
