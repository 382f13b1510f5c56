/** Warehouse types as DuckDB types, and back. */
import { exactType, MAX_BINARY, MAX_VARCHAR, type WarehouseType } from "../../manifest/warehouse-type.ts";

/**
 * The DuckDB type of a stage column.
 *
 * NUMBER(38,0), which is what `integer` means, becomes BIGINT: every integer type of PostgreSQL fits, and a larger value is an error, never
 * a wrong number. Measured with 5 M rows of five such columns, CSV to table / table to table: BIGINT 1.8 s / 0.5 s, DECIMAL(18,0)
 * 1.9 s / 0.6 s, HUGEINT 4.3 s / 8.0 s, DECIMAL(38,0) 80 s / 5.9 s. A column that does hold more than 18 digits is declared with the digits
 * that it has, `number(20,0)` to `number(37,0)`, and gets the exact DECIMAL. See docs/decisions/0007.
 */
export function duckdbType(type: WarehouseType): string {
  switch (type.kind) {
    case "number":
      return type.precision === 38 && type.scale === 0 ? "BIGINT" : `DECIMAL(${type.precision},${type.scale})`;
    case "varchar":
      return "VARCHAR";
    case "float":
      return "DOUBLE";
    case "boolean":
      return "BOOLEAN";
    case "date":
      return "DATE";
    case "variant":
      return "JSON";
    case "binary":
      return "BLOB";
    case "time":
      return "TIME";
    case "timestamp_ntz":
      return "TIMESTAMP";
    case "timestamp_ltz":
    case "timestamp_tz":
      return "TIMESTAMP WITH TIME ZONE";
  }
}

const NAMES: Readonly<Record<string, WarehouseType>> = {
  TINYINT: { kind: "number", precision: 38, scale: 0 },
  SMALLINT: { kind: "number", precision: 38, scale: 0 },
  INTEGER: { kind: "number", precision: 38, scale: 0 },
  BIGINT: { kind: "number", precision: 38, scale: 0 },
  HUGEINT: { kind: "number", precision: 38, scale: 0 },
  UTINYINT: { kind: "number", precision: 38, scale: 0 },
  USMALLINT: { kind: "number", precision: 38, scale: 0 },
  UINTEGER: { kind: "number", precision: 38, scale: 0 },
  UBIGINT: { kind: "number", precision: 38, scale: 0 },
  UHUGEINT: { kind: "number", precision: 38, scale: 0 },
  VARCHAR: { kind: "varchar", length: MAX_VARCHAR },
  UUID: { kind: "varchar", length: MAX_VARCHAR },
  FLOAT: { kind: "float" },
  DOUBLE: { kind: "float" },
  BOOLEAN: { kind: "boolean" },
  DATE: { kind: "date" },
  TIME: { kind: "time", precision: 9 },
  TIMESTAMP: { kind: "timestamp_ntz", precision: 9 },
  TIMESTAMP_S: { kind: "timestamp_ntz", precision: 9 },
  TIMESTAMP_MS: { kind: "timestamp_ntz", precision: 9 },
  TIMESTAMP_NS: { kind: "timestamp_ntz", precision: 9 },
  "TIMESTAMP WITH TIME ZONE": { kind: "timestamp_ltz", precision: 9 },
  BLOB: { kind: "binary", length: MAX_BINARY },
  JSON: { kind: "variant" },
};

/**
 * A DuckDB type in the words of the warehouse: `DECIMAL(10,2)` → `NUMBER(10,2)`, `BIGINT` → `NUMBER(38,0)`. DuckDB keeps no length of a
 * text, so VARCHAR is always the maximum; lists, structs and maps are VARIANT.
 */
export function exactTypeOf(duckdb: string): string {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(duckdb);
  if (decimal) return exactType({ kind: "number", precision: Number(decimal[1]), scale: Number(decimal[2]) });
  if (/[\])]$/.test(duckdb)) return "VARIANT";
  const known = NAMES[duckdb];
  return known ? exactType(known) : duckdb;
}

/** Whether every value of the one type is a value of the other, so that a column may be altered in place. */
export function widens(from: string, to: string): boolean {
  const before = digits(from);
  const after = digits(to);
  return (
    before !== undefined &&
    after !== undefined &&
    after.scale >= before.scale &&
    after.precision - after.scale >= before.precision - before.scale
  );
}

/**
 * Whether values of the one type go into a column of the other exactly or with an error, never rounded: an incremental model may give an
 * INTEGER for a BIGINT column, or DECIMAL(12,2) for DECIMAL(10,2), where a number that is too large is refused.
 */
export function assignable(from: string, to: string): boolean {
  if (from === to) return true;
  const given = digits(from);
  const taken = digits(to);
  return given !== undefined && taken !== undefined && given.scale <= taken.scale;
}

const INTEGER_DIGITS: Readonly<Record<string, number>> = {
  TINYINT: 3,
  SMALLINT: 5,
  INTEGER: 10,
  BIGINT: 19,
  HUGEINT: 39,
};

/** Integers take part with the digits that they may have. */
function digits(type: string): { readonly precision: number; readonly scale: number } | undefined {
  const integer = INTEGER_DIGITS[type];
  if (integer !== undefined) return { precision: integer, scale: 0 };
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type);
  return decimal ? { precision: Number(decimal[1]), scale: Number(decimal[2]) } : undefined;
}
