import { expect, it } from "vitest";
import { parseDataType } from "../../../../runtime/manifest/warehouse-type.ts";
import { assignable, duckdbType, exactTypeOf, widens } from "../../../../runtime/warehouse/duckdb/duckdb-type.ts";

it.each([
  ["integer", "BIGINT"],
  ["number(37,0)", "DECIMAL(37,0)"],
  ["number(9,0)", "DECIMAL(9,0)"],
  ["decimal(10,2)", "DECIMAL(10,2)"],
  ["varchar(255)", "VARCHAR"],
  ["float", "DOUBLE"],
  ["boolean", "BOOLEAN"],
  ["date", "DATE"],
  ["time", "TIME"],
  ["timestamp_ntz", "TIMESTAMP"],
  ["timestamp_ltz", "TIMESTAMP WITH TIME ZONE"],
  ["timestamp_tz(3)", "TIMESTAMP WITH TIME ZONE"],
  ["binary", "BLOB"],
  ["variant", "JSON"],
])("makes %s a %s", (text, expected) => {
  const type = parseDataType(text);
  expect(type && duckdbType(type)).toBe(expected);
});

it.each([
  ["BIGINT", "NUMBER(38,0)"],
  ["HUGEINT", "NUMBER(38,0)"],
  ["DECIMAL(38,8)", "NUMBER(38,8)"],
  ["VARCHAR", "VARCHAR(16777216)"],
  ["TIMESTAMP WITH TIME ZONE", "TIMESTAMP_LTZ(9)"],
  ["INTEGER[]", "VARIANT"],
  ["STRUCT(a INTEGER)", "VARIANT"],
  ["DECIMAL(10,2)[]", "VARIANT"],
  ["INTERVAL", "INTERVAL"],
])("calls %s a %s", (duckdb, expected) => {
  expect(exactTypeOf(duckdb)).toBe(expected);
});

it.each([
  ["DECIMAL(10,2)", "DECIMAL(12,2)", true],
  ["DECIMAL(10,2)", "DECIMAL(12,4)", true],
  ["DECIMAL(10,2)", "DECIMAL(11,4)", false],
  ["DECIMAL(10,2)", "DECIMAL(10,1)", false],
  ["BIGINT", "DECIMAL(20,0)", true],
  ["BIGINT", "DECIMAL(18,0)", false],
  ["DECIMAL(18,0)", "BIGINT", true],
  ["DECIMAL(20,0)", "BIGINT", false],
  ["VARCHAR", "BIGINT", false],
])("widening of %s to %s: %s", (from, to, expected) => {
  expect(widens(from, to)).toBe(expected);
});

it.each([
  ["INTEGER", "BIGINT", true],
  ["DECIMAL(12,2)", "DECIMAL(10,2)", true],
  ["DECIMAL(12,3)", "DECIMAL(10,2)", false],
  ["DOUBLE", "DECIMAL(10,2)", false],
  ["VARCHAR", "VARCHAR", true],
  ["INTEGER", "VARCHAR", false],
])("a %s goes into a %s column exactly or with an error: %s", (from, to, expected) => {
  expect(assignable(from, to)).toBe(expected);
});
