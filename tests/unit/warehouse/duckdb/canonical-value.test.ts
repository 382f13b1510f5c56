import {
  BIGINT,
  DOUBLE,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  VARCHAR,
  type DuckDBType,
  type DuckDBValue,
} from "@duckdb/node-api";
import fc from "fast-check";
import { expect, it } from "vitest";
import { canonicalJson } from "../../../../runtime/warehouse/canonical-json.ts";
import { canonicalText } from "../../../../runtime/warehouse/duckdb/canonical-value.ts";

const FORMS: readonly (readonly [value: DuckDBValue, type: DuckDBType, text: string | null])[] = [
  [null, BIGINT, null],
  [12n, BIGINT, "12"],
  [true, VARCHAR, "true"],
  ["", VARCHAR, ""],
  [0.1, DOUBLE, "0.1"],
  [-0, DOUBLE, "-0"],
  [1e21, DOUBLE, "1e+21"],
  [Number.NaN, DOUBLE, "NaN"],
  [-Infinity, DOUBLE, "-Infinity"],
  [new DuckDBDecimalValue(5n, 10, 2), VARCHAR, "0.05"],
  [new DuckDBDecimalValue(-5n, 10, 2), VARCHAR, "-0.05"],
  [new DuckDBDecimalValue(-123n, 10, 0), VARCHAR, "-123"],
  [new DuckDBDateValue(0), VARCHAR, "1970-01-01"],
  [new DuckDBDateValue(-719_528), VARCHAR, "0000-01-01"],
  [new DuckDBDateValue(2_932_897), VARCHAR, "10000-01-01"],
  [new DuckDBTimestampValue(-1n), VARCHAR, "1969-12-31 23:59:59.999999"],
  [new DuckDBTimestampTZValue(0n), VARCHAR, "1970-01-01 00:00:00.000000+00"],
  [new DuckDBTimeValue(3_723_000_004n), VARCHAR, "01:02:03.000004"],
  [new DuckDBBlobValue(Uint8Array.of(0, 255, 16)), VARCHAR, "00ff10"],
  [new DuckDBListValue([1n, null, "a"]), VARCHAR, '[1,null,"a"]'],
  [
    new DuckDBStructValue({ b: new DuckDBDecimalValue(150n, 5, 2), a: new DuckDBDateValue(0) }),
    VARCHAR,
    '{"a":"1970-01-01","b":1.50}',
  ],
];

it.each(FORMS)("writes %s of type %s as %j", (value, type, text) => {
  expect(canonicalText(value, type)).toBe(text);
});

it("writes dates and times as ISO 8601 does", () => {
  const from = Date.UTC(1, 0, 1) - 1900 * 365.2425 * 86_400_000;
  fc.assert(
    fc.property(fc.integer({ min: Math.ceil(from), max: Date.UTC(9999, 11, 31) }), (milliseconds) => {
      const text = canonicalText(new DuckDBTimestampValue(BigInt(milliseconds) * 1000n), VARCHAR);
      fc.pre(new Date(milliseconds).getUTCFullYear() > 0);
      expect(text).toBe(new Date(milliseconds).toISOString().replace("T", " ").replace("Z", "000"));
    }),
  );
});

it("writes JSON compactly, members in order, numbers with their own digits", () => {
  expect(canonicalJson('{ "b" : 1.10, "a": [ 12345678901234567890, 1e3, "x y", {"d":1,"c":2} ] }')).toBe(
    '{"a":[12345678901234567890,1e3,"x y",{"c":2,"d":1}],"b":1.10}',
  );
});
