/** Snowflake's types, the DuckDB types that hold their values, and the checks that DuckDB does not make by itself. */
import type { DuckDBType } from "@duckdb/node-api";
import {
  MAX_BINARY,
  MAX_VARCHAR,
  parseDataType,
  type WarehouseType,
} from "../../../runtime/manifest/warehouse-type.ts";
import { duckdbType, exactTypeOf } from "../../../runtime/warehouse/duckdb/duckdb-type.ts";
import type { Token } from "./lexer.ts";
import { quoted } from "./names.ts";

/** Reads the tokens of a type, e.g. of `NUMBER(38,0)`. OBJECT and ARRAY are held as VARIANT. */
export function readType(tokens: readonly Token[]): WarehouseType | undefined {
  const words = tokens.map(({ value }) => value).join(" ");
  const text = words.replaceAll(/ ?([(),]) ?/g, "$1").toLowerCase();
  return parseDataType(text === "object" || text === "array" ? "variant" : text);
}

/** Type of a column that a query gave; DuckDB knows no lengths, and an integer literal is not 38 digits wide in Snowflake either. */
export function typeOfResult(type: DuckDBType): WarehouseType {
  const text = type.alias ?? String(type);
  if (text === "INTEGER" || text === "SMALLINT" || text === "TINYINT")
    return { kind: "number", precision: 10, scale: 0 };
  return parseDataType(exactTypeOf(text).toLowerCase()) ?? { kind: "varchar", length: MAX_VARCHAR };
}

/** Definition of a column in DuckDB; what is longer than its type fails with a text that says so. */
export function columnDefinition(column: string, type: WarehouseType, nullable: boolean): string {
  const name = quoted(column);
  return `${name} ${duckdbType(type)}${nullable ? "" : " NOT NULL"}${lengthCheck(name, type)}`;
}

/** Begins the message of a check, so that it can be told from DuckDB's own errors. */
export const TOO_LONG = "ND_TOO_LONG:";

function lengthCheck(name: string, type: WarehouseType): string {
  if (type.kind === "varchar" && type.length < MAX_VARCHAR) return check(`length(${name}) <= ${type.length}`, name);
  if (type.kind === "binary" && type.length < MAX_BINARY)
    return check(`octet_length(${name}) <= ${type.length}`, `hex(${name})`);
  return "";
}

function check(condition: string, value: string): string {
  return ` CHECK (CASE WHEN ${condition} THEN TRUE ELSE error('${TOO_LONG}' || ${value}) END)`;
}

/** As `data.rowtype` of a result has it. */
export interface RowType {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly precision: number | null;
  readonly scale: number | null;
  readonly length: number | null;
  readonly byteLength: number | null;
  readonly collation: null;
  readonly database: string;
  readonly schema: string;
  readonly table: string;
}

export function rowType(name: string, type: WarehouseType): RowType {
  const base = { name, nullable: true, precision: null, scale: null, length: null, byteLength: null };
  const place = { collation: null, database: "", schema: "", table: "" } as const;
  switch (type.kind) {
    case "number":
      return { ...base, ...place, type: "fixed", precision: type.precision, scale: type.scale };
    case "varchar":
      return {
        ...base,
        ...place,
        type: "text",
        length: type.length,
        byteLength: Math.min(4 * type.length, MAX_VARCHAR),
      };
    case "binary":
      return { ...base, ...place, type: "binary", length: type.length, byteLength: type.length };
    case "float":
      return { ...base, ...place, type: "real" };
    case "time":
    case "timestamp_ltz":
    case "timestamp_ntz":
    case "timestamp_tz":
      return { ...base, ...place, type: type.kind, precision: 0, scale: type.precision };
    case "boolean":
    case "date":
    case "variant":
      return { ...base, ...place, type: type.kind };
  }
}
