import { describe, expect, it } from "vitest";
import { exactType, parseDataType } from "../../../runtime/manifest/warehouse-type.ts";

describe("parseDataType and exactType", () => {
  it.each([
    ["integer", "NUMBER(38,0)"],
    ["BIGINT", "NUMBER(38,0)"],
    ["decimal(10,2)", "NUMBER(10,2)"],
    ["numeric", "NUMBER(38,0)"],
    ["number( 5 )", "NUMBER(5,0)"],
    ["text", "VARCHAR(16777216)"],
    ["varchar(255)", "VARCHAR(255)"],
    ["char(2)", "VARCHAR(2)"],
    ["char", "VARCHAR(1)"],
    ["timestamp_ltz", "TIMESTAMP_LTZ(9)"],
    ["timestamptz", "TIMESTAMP_LTZ(9)"],
    ["timestamp with time zone", "TIMESTAMP_LTZ(9)"],
    ["timestamp(6)", "TIMESTAMP_NTZ(6)"],
    ["time", "TIME(9)"],
    ["double precision", "FLOAT"],
    ["boolean", "BOOLEAN"],
    ["date", "DATE"],
    ["variant", "VARIANT"],
    ["binary(16)", "BINARY(16)"],
  ])("%s is %s", (text, exact) => {
    const type = parseDataType(text);
    expect(type && exactType(type)).toBe(exact);
    // The exact form is itself a data_type, and means the same.
    expect(parseDataType(exact)).toEqual(type);
  });

  it.each([
    "",
    "jsonb",
    "decimal(39,0)",
    "decimal(5,6)",
    "decimal(0,0)",
    "varchar(0)",
    "varchar(16777217)",
    "varchar(5,2)",
    "date(3)",
    "timestamp(10)",
    "integer(4)",
    "decimal(10,2",
    "decimal(-1)",
  ])("%j is none", (text) => {
    expect(parseDataType(text)).toBeUndefined();
  });
});
