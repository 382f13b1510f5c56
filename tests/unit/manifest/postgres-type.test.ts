import { expect, test } from "vitest";
import fc from "fast-check";
import {
  cursorKindOf,
  dataTypeFor,
  fitOf,
  textFormOf,
  type PostgresType,
} from "../../../runtime/manifest/postgres-type.ts";
import { parseDataType } from "../../../runtime/manifest/warehouse-type.ts";

const numeric = (precision: number, scale: number): PostgresType => ({
  name: "numeric",
  modifier: ((precision << 16) | (scale & 0x7ff)) + 4,
  text: `numeric(${precision},${scale})`,
});
const type = (name: string, modifier = -1): PostgresType => ({ name, modifier, text: name });
const label = ({ text, modifier }: PostgresType) =>
  modifier < 0 || text.includes("(") ? text : `${text} with modifier ${modifier}`;
const warehouse = (text: string) => {
  const parsed = parseDataType(text);
  if (!parsed) throw new Error(`No type: ${text}`);
  return parsed;
};

const PROPOSED: [PostgresType, string][] = [
  [type("int2"), "integer"],
  [type("int8"), "integer"],
  [type("oid"), "integer"],
  [numeric(10, 2), "decimal(10,2)"],
  [numeric(38, 37), "decimal(38,37)"],
  [numeric(3, 5), "decimal(5,5)"],
  [numeric(5, -2), "decimal(7,0)"],
  [numeric(39, 2), "text"],
  [numeric(38, -1), "text"],
  [type("numeric"), "text"],
  [type("money"), "decimal(19,2)"],
  [type("float4"), "float"],
  [type("bool"), "boolean"],
  [type("varchar", 259), "varchar(255)"],
  [type("varchar"), "text"],
  [type("varchar", 10485760 + 4), "varchar(10485760)"],
  [type("bpchar", 6), "char(2)"],
  [type("bpchar"), "text"],
  [type("char"), "text"],
  [type("timestamptz", 3), "timestamp_ltz"],
  [type("timestamp"), "timestamp_ntz"],
  [type("date"), "date"],
  [type("time"), "time"],
  [type("timetz"), "text"],
  [type("interval"), "text"],
  [type("uuid"), "varchar(36)"],
  [type("jsonb"), "variant"],
  [type("bytea"), "binary"],
  [type("_int4"), "text"],
  [type("inet"), "text"],
  [type("tsvector"), "text"],
  [type("int4range"), "text"],
  [type("public.int4"), "text"],
];

test.each(PROPOSED.map(([source, expected]) => ({ source, expected, name: label(source) })))(
  "$name becomes $expected",
  ({ source, expected }) => {
    expect(dataTypeFor(source)).toBe(expected);
  },
);

test("the type that is proposed always fits, and checks at most what no type can rule out", () => {
  const names =
    "int2 int4 int8 oid money float4 float8 bool text name char varchar bpchar date time timestamp timestamptz".split(
      " ",
    );
  const others =
    "bytea json jsonb uuid interval timetz inet cidr bit varbit xml tsvector point _text int4range public.x".split(" ");
  const anyType = fc.oneof(
    fc.constantFrom(...names, ...others).map((name) => type(name)),
    fc
      .tuple(fc.constantFrom("varchar", "bpchar"), fc.integer({ min: 5, max: 10_485_764 }))
      .map(([name, modifier]) => type(name, modifier)),
    fc
      .tuple(fc.constantFrom("time", "timestamp", "timestamptz"), fc.integer({ min: 0, max: 6 }))
      .map(([name, modifier]) => type(name, modifier)),
    fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: -1000, max: 1000 })).map(([p, s]) => numeric(p, s)),
  );
  fc.assert(
    fc.property(anyType, (source) => {
      const fit = fitOf(source, warehouse(dataTypeFor(source)));
      if (!fit.fits) return false;
      const largest = ["length", "bytes", "size"];
      const allowed = [
        "finite",
        "calendar",
        "day",
        "json_numbers",
        "json_members",
        ...largest,
        ...(source.name === "money" ? ["decimal"] : []),
      ];
      return fit.checks.every(({ check }) => allowed.includes(check));
    }),
  );
});

test("numeric's modifier is read back for every precision and scale", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 38 }), fc.integer({ min: 0, max: 37 }), (precision, scale) => {
      fc.pre(scale <= precision);
      return dataTypeFor(numeric(precision, scale)) === `decimal(${precision},${scale})`;
    }),
  );
});

const CHECKED: [PostgresType, string, string[]][] = [
  [type("int4"), "decimal(10,0)", []],
  [type("int4"), "decimal(10,2)", ["decimal"]],
  [type("int8"), "integer", []],
  [type("int4"), "float", []],
  [type("jsonb"), "variant", ["size", "json_numbers"]],
  [type("json"), "variant", ["size", "json_numbers", "json_members"]],
  [type("json"), "text", ["size"]],
  [numeric(10, 2), "decimal(12,3)", ["finite"]],
  [numeric(10, 2), "decimal(11,3)", ["finite"]],
  [numeric(10, 2), "decimal(10,3)", ["decimal"]],
  [numeric(10, 3), "decimal(38,2)", ["decimal"]],
  [type("numeric"), "decimal(38,9)", ["decimal"]],
  [type("varchar", 14), "varchar(10)", []],
  [type("varchar", 15), "varchar(10)", ["length"]],
  [type("text"), "varchar(10)", ["length"]],
  [type("text"), "text", ["size"]],
  [type("name"), "text", []],
  [type("_int4"), "text", ["size"]],
  [type("interval"), "text", []],
  [type("numeric"), "text", []],
  [type("varchar", 259), "text", []],
  [type("bytea"), "binary", ["bytes"]],
  [type("uuid"), "varchar(36)", []],
  [type("uuid"), "varchar(35)", ["length"]],
  [type("timestamptz"), "timestamp_ltz(3)", ["calendar", "fraction"]],
  [type("timestamptz", 3), "timestamp_tz(3)", ["calendar"]],
  [type("bytea"), "binary(20)", ["bytes"]],
  [type("jsonb"), "text", ["size"]],
];

test.each(CHECKED.map(([source, target, checks]) => ({ source, target, checks, name: label(source) })))(
  "$name into $target checks $checks",
  ({ source, target, checks }) => {
    const fit = fitOf(source, warehouse(target));
    expect(fit.fits && fit.checks.map(({ check }) => check)).toEqual(checks);
  },
);

test.each([
  ["int8", "float"],
  ["float8", "decimal(10,2)"],
  ["numeric", "float"],
  ["text", "integer"],
  ["timestamptz", "timestamp_ntz"],
  ["timestamp", "timestamp_ltz"],
  ["timestamp", "date"],
  ["date", "timestamp_ntz"],
  ["text", "variant"],
  ["int4", "boolean"],
])("%s does not go into %s", (source, target) => {
  expect(fitOf(type(source), warehouse(target))).toEqual({
    fits: false,
    why: `write data_type: ${dataTypeFor(type(source))}`,
  });
});

test("values leave as text where '' is possible, and as themselves where it is not", () => {
  expect(textFormOf(warehouse("binary"))).toBe("hex");
  expect(textFormOf(warehouse("variant"))).toBe("text");
  expect(textFormOf(warehouse("text"))).toBe("text");
  expect(textFormOf(warehouse("integer"))).toBe("plain");
});

test("timestamps, dates and integers can be cursors", () => {
  const kinds = ["timestamptz", "timestamp", "date", "int8", "text", "numeric", "time"].map((name) =>
    cursorKindOf(type(name)),
  );
  expect(kinds).toEqual(["instant", "local", "day", "number", undefined, undefined, undefined]);
});
