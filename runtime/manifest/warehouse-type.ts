/** The types of the warehouse: what `data_type` may say, and the one exact form of each. */

export type WarehouseType =
  | { readonly kind: "number"; readonly precision: number; readonly scale: number }
  | { readonly kind: "varchar"; readonly length: number }
  | { readonly kind: "float" | "boolean" | "date" | "variant" }
  | { readonly kind: "binary"; readonly length: number }
  | { readonly kind: "time" | "timestamp_ltz" | "timestamp_ntz" | "timestamp_tz"; readonly precision: number };

/** Snowflake's default and classic maximum; larger ones exist in newer accounts only, so the size is always written. */
export const MAX_VARCHAR = 16_777_216;
export const MAX_BINARY = 8_388_608;
/** What newer accounts allow: https://docs.snowflake.com/en/sql-reference/data-types-text */
const LARGEST_VARCHAR = 134_217_728;
const LARGEST_BINARY = 67_108_864;

const INTEGERS = new Set(["integer", "int", "bigint", "smallint", "tinyint", "byteint"]);
const DECIMALS = new Set(["number", "decimal", "dec", "numeric"]);
const TEXTS = new Set(["varchar", "text", "string", "nvarchar", "character varying"]);
const CHARS = new Set(["char", "character", "nchar"]);
const FLOATS = new Set(["float", "float4", "float8", "double", "double precision", "real"]);
const BINARIES = new Set(["binary", "varbinary"]);
const TIMES: Readonly<Record<string, "time" | "timestamp_ltz" | "timestamp_ntz" | "timestamp_tz">> = {
  time: "time",
  datetime: "timestamp_ntz",
  timestamp: "timestamp_ntz",
  timestamp_ntz: "timestamp_ntz",
  timestampntz: "timestamp_ntz",
  "timestamp without time zone": "timestamp_ntz",
  timestamp_ltz: "timestamp_ltz",
  timestampltz: "timestamp_ltz",
  timestamptz: "timestamp_ltz",
  "timestamp with time zone": "timestamp_ltz",
  "timestamp with local time zone": "timestamp_ltz",
  timestamp_tz: "timestamp_tz",
};

/** What `data_type` may say, for messages. */
export const DATA_TYPE_EXAMPLES =
  "integer, decimal(10,2), varchar(255), text, char(2), boolean, date, time, timestamp_ltz, timestamp_ntz, timestamp_tz, float, binary, variant";

/**
 * Reads a `data_type` of the manifest.
 *
 * `decimal` without arguments is `(38,0)`, `varchar` without a length is the maximum, `char` is `char(1)`: Snowflake's own rules
 * (https://docs.snowflake.com/en/sql-reference/data-types-numeric, …/data-types-text). `timestamptz` is read as TIMESTAMP_LTZ,
 * which is what a PostgreSQL timestamptz is: an instant.
 *
 * @returns undefined if the text is no type, or its arguments are out of range
 */
export function parseDataType(text: string): WarehouseType | undefined {
  return parse(text, { varchar: MAX_VARCHAR, binary: MAX_BINARY });
}

/** Reads a type as the warehouse names it, which may be larger than a manifest asks for. */
export function parseLiveType(text: string): WarehouseType | undefined {
  return parse(text, { varchar: LARGEST_VARCHAR, binary: LARGEST_BINARY });
}

function parse(
  text: string,
  largest: { readonly varchar: number; readonly binary: number },
): WarehouseType | undefined {
  const match = /^([a-z_][a-z0-9_ ]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?$/.exec(text.trim().toLowerCase());
  if (!match) return undefined;
  const name = (match[1] ?? "").replaceAll(/\s+/g, " ");
  const first = match[2] === undefined ? undefined : Number(match[2]);
  const second = match[3] === undefined ? undefined : Number(match[3]);
  if (DECIMALS.has(name)) return number(first ?? 38, second ?? 0);
  if (second !== undefined) return undefined;
  if (TEXTS.has(name)) return sized("varchar", first ?? MAX_VARCHAR, largest.varchar);
  if (CHARS.has(name)) return sized("varchar", first ?? 1, largest.varchar);
  if (BINARIES.has(name)) return sized("binary", first ?? MAX_BINARY, largest.binary);
  const time = TIMES[name];
  if (time) return (first ?? 9) <= 9 ? { kind: time, precision: first ?? 9 } : undefined;
  if (first !== undefined) return undefined;
  if (INTEGERS.has(name)) return number(38, 0);
  if (FLOATS.has(name)) return { kind: "float" };
  if (name === "boolean" || name === "date" || name === "variant") return { kind: name };
  return undefined;
}

function number(precision: number, scale: number): WarehouseType | undefined {
  const valid = precision >= 1 && precision <= 38 && scale <= precision && scale <= 37;
  return valid ? { kind: "number", precision, scale } : undefined;
}

function sized(kind: "varchar" | "binary", length: number, maximum: number): WarehouseType | undefined {
  return length >= 1 && length <= maximum ? { kind, length } : undefined;
}

export function isTimestamp({ kind }: WarehouseType): boolean {
  return kind === "timestamp_ltz" || kind === "timestamp_ntz" || kind === "timestamp_tz";
}

/**
 * The exact form of a type, the only one used in DDL: aliases make the infrastructure's plan show differences for ever.
 * `integer` → `NUMBER(38,0)`, `text` → `VARCHAR(16777216)`, `timestamptz` → `TIMESTAMP_LTZ(9)`.
 */
export function exactType(type: WarehouseType): string {
  switch (type.kind) {
    case "number":
      return `NUMBER(${type.precision},${type.scale})`;
    case "varchar":
    case "binary":
      return `${type.kind.toUpperCase()}(${type.length})`;
    case "time":
    case "timestamp_ltz":
    case "timestamp_ntz":
    case "timestamp_tz":
      return `${type.kind.toUpperCase()}(${type.precision})`;
    case "float":
    case "boolean":
    case "date":
    case "variant":
      return type.kind.toUpperCase();
  }
}
