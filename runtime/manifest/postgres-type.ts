/** PostgreSQL's types and the warehouse's: which data_type a column gets, and whether every value of one fits the other. */
import { MAX_VARCHAR, parseDataType, type WarehouseType } from "./warehouse-type.ts";

/** The type of a column as the catalogue tells it; a domain stands here as the type that it is made of. */
export interface PostgresType {
  /** pg_type.typname for PostgreSQL's own types (`int4`, `bpchar`, `timestamptz`), `schema.name` for all others. */
  readonly name: string;
  /** Type modifier (atttypmod) of the column or of the domain; -1 where there is none. */
  readonly modifier: number;
  /** As PostgreSQL writes it, for messages: `numeric(10,2)`, `public.email`. */
  readonly text: string;
}

/** What values a type can have, as far as it matters here. */
type Family =
  | { readonly is: "integer"; readonly digits: number }
  | { readonly is: "numeric"; readonly precision?: number | undefined; readonly scale?: number | undefined }
  | { readonly is: "float"; readonly single: boolean }
  | { readonly is: "text"; readonly length?: number | undefined }
  | { readonly is: "timestamp"; readonly zone: boolean; readonly precision: number }
  | { readonly is: "time"; readonly precision: number }
  | { readonly is: "boolean" | "date" | "bytes" | "json" | "other" }
  | { readonly is: "uuid" };

/**
 * A condition on a value that the types cannot prove. `finite`: not NaN. `decimal`: a finite number of at most so many digits.
 * `digits`: a finite number that some NUMBER holds. `length`: characters, and the bytes that any text may have. `size`: bytes of the text.
 * `bytes`: bytes. `calendar`: year 1 to 9999, and no infinity. `day`: before 24:00:00. `fraction`: digits of seconds.
 * `json_numbers`: every number of a document is held by a VARIANT. `json_members`: no member stands there twice, and every text is one.
 */
export type ValueCheck =
  | { readonly check: "finite" | "digits" | "calendar" | "day" | "json_numbers" | "json_members" | "not_null" }
  | { readonly check: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly check: "length" | "bytes" | "size" | "fraction"; readonly max: number };

/** Either every value that passes the checks (often none are needed) is held exactly, or the types do not go together. */
export type Fit =
  | { readonly fits: true; readonly checks: readonly ValueCheck[] }
  | { readonly fits: false; readonly why: string };

/** numeric's modifier: precision above, an 11-bit signed scale below, both shifted by the header's 4 bytes (numeric.c). */
function numericArguments(modifier: number): { precision: number; scale: number } | undefined {
  if (modifier < 4) return undefined;
  const packed = modifier - 4;
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
}

function family({ name, modifier }: PostgresType): Family {
  switch (name) {
    case "int2":
      return { is: "integer", digits: 5 };
    case "int4":
      return { is: "integer", digits: 10 };
    case "oid":
      return { is: "integer", digits: 10 };
    case "int8":
      return { is: "integer", digits: 19 };
    case "numeric":
      return { is: "numeric", ...numericArguments(modifier) };
    case "money":
      // Its scale follows the server's lc_monetary, so nothing about it is proven.
      return { is: "numeric" };
    case "float4":
      return { is: "float", single: true };
    case "float8":
      return { is: "float", single: false };
    case "bool":
      return { is: "boolean" };
    case "text":
      return { is: "text" };
    case "name":
      return { is: "text", length: 63 };
    case "char":
      return { is: "text", length: 4 };
    case "varchar":
    case "bpchar":
      return { is: "text", length: modifier < 4 ? undefined : modifier - 4 };
    case "date":
      return { is: "date" };
    case "time":
      return { is: "time", precision: modifier < 0 ? 6 : modifier };
    case "timestamp":
    case "timestamptz":
      return { is: "timestamp", zone: name === "timestamptz", precision: modifier < 0 ? 6 : modifier };
    case "bytea":
      return { is: "bytes" };
    case "json":
    case "jsonb":
      return { is: "json" };
    case "uuid":
      return { is: "uuid" };
    default:
      return { is: "other" };
  }
}

/**
 * The data_type that holds every value of the type, for a new column of the manifest. What the warehouse has no exact counterpart
 * for (unconstrained numeric, interval, arrays, enums, ranges…) is kept as PostgreSQL's own text.
 *
 * `numeric(10,2)` → `decimal(10,2)`, `numeric` → `text`, `char(2)` → `char(2)`, `jsonb` → `variant`
 */
export function dataTypeFor(type: PostgresType): string {
  const source = family(type);
  switch (source.is) {
    case "integer":
      return "integer";
    case "numeric": {
      if (type.name === "money") return "decimal(19,2)";
      const digits = storedDigits(source);
      return digits === undefined || digits.precision > 38 || digits.scale > 37
        ? "text"
        : `decimal(${digits.precision},${digits.scale})`;
    }
    case "text":
      if (source.length === undefined || source.length > MAX_VARCHAR || FREE_TEXT.has(type.name)) return "text";
      return `${type.name === "bpchar" ? "char" : "varchar"}(${source.length})`;
    case "timestamp":
      return source.zone ? "timestamp_ltz" : "timestamp_ntz";
    case "bytes":
      return "binary";
    case "json":
      return "variant";
    case "uuid":
      return "varchar(36)";
    case "other":
      return "text";
    case "float":
    case "boolean":
    case "date":
    case "time":
      return source.is;
  }
}

/** Texts of PostgreSQL's own catalogue, whose length is nobody's choice. */
const FREE_TEXT: ReadonlySet<string> = new Set(["char", "name"]);

/** Digits that a decimal needs: `numeric(3,-2)` holds up to 99900, `numeric(2,4)` down to 0.0001. */
function storedDigits(source: {
  precision?: number | undefined;
  scale?: number | undefined;
}): { precision: number; scale: number } | undefined {
  const { precision, scale } = source;
  if (precision === undefined || scale === undefined) return undefined;
  if (scale < 0) return { precision: precision - scale, scale: 0 };
  return { precision: Math.max(precision, scale), scale };
}

const BYTES_OF_CHARACTER = 4;
/** A text of any type may have as many bytes as characters: https://docs.snowflake.com/en/sql-reference/data-types-text#varchar */
const SIZE: ValueCheck = { check: "size", max: MAX_VARCHAR };
const JSON_CHECKS: readonly ValueCheck[] = [{ check: "json_numbers" }, { check: "json_members" }];

const EXACT: Fit = { fits: true, checks: [] };
const checked = (...checks: ValueCheck[]): Fit => ({ fits: true, checks });

/**
 * Whether a column of the PostgreSQL type can be loaded into the warehouse type without a value being rounded, cut or reinterpreted.
 * Floats keep NaN and the infinities, which both engines hold.
 */
export function fitOf(type: PostgresType, target: WarehouseType): Fit {
  const source = family(type);
  const mismatch: Fit = { fits: false, why: `write data_type: ${quoted(dataTypeFor(type))}` };
  switch (target.kind) {
    case "number":
      return fitNumber(source, target) ?? mismatch;
    case "varchar":
      return fitText(type, source, target.length);
    case "float":
      if (source.is === "float") return EXACT;
      // A double holds 15 decimal digits of anything; an int8 has 19.
      return source.is === "integer" && source.digits <= 15 ? EXACT : mismatch;
    case "boolean":
      return source.is === "boolean" ? EXACT : mismatch;
    case "date":
      return source.is === "date" ? checked({ check: "calendar" }) : mismatch;
    case "variant":
      if (source.is !== "json") return mismatch;
      // jsonb has refused or settled what a VARIANT has no place for.
      return type.name === "jsonb" ? checked(SIZE, { check: "json_numbers" }) : checked(SIZE, ...JSON_CHECKS);
    case "binary":
      if (source.is !== "bytes") return mismatch;
      return checked({ check: "bytes", max: target.length });
    case "time":
      if (source.is !== "time") return mismatch;
      return checked({ check: "day" }, ...fraction(source.precision, target.precision));
    case "timestamp_ltz":
    case "timestamp_tz":
    case "timestamp_ntz":
      if (source.is !== "timestamp" || source.zone === (target.kind === "timestamp_ntz")) return mismatch;
      return checked({ check: "calendar" }, ...fraction(source.precision, target.precision));
  }
}

/**
 * What the type that would be proposed for the column could not hold, where it is kept as text all the same; of a numeric without bounds,
 * what no NUMBER holds.
 */
export function countedChecks(type: PostgresType): readonly ValueCheck[] {
  const proposed = parseDataType(dataTypeFor(type));
  if (family(type).is === "numeric" && proposed?.kind === "varchar") return [{ check: "digits" }];
  const fit = proposed && proposed.kind !== "varchar" ? fitOf(type, proposed) : EXACT;
  return fit.fits ? fit.checks : [];
}

function fitNumber(source: Family, target: { precision: number; scale: number }): Fit | undefined {
  if (source.is === "integer") {
    return source.digits <= target.precision - target.scale
      ? EXACT
      : checked({ check: "decimal", ...numberOf(target) });
  }
  if (source.is !== "numeric") return undefined;
  const digits = storedDigits(source);
  const proven =
    digits !== undefined &&
    digits.scale <= target.scale &&
    digits.precision - digits.scale <= target.precision - target.scale;
  // Any numeric can be NaN; a constrained one cannot be infinite.
  return proven ? checked({ check: "finite" }) : checked({ check: "decimal", ...numberOf(target) });
}

function fitText(type: PostgresType, source: Family, length: number): Fit {
  const longest = longestText(type, source);
  if (longest !== undefined && longest <= length && BYTES_OF_CHARACTER * longest <= MAX_VARCHAR) return EXACT;
  if (length < MAX_VARCHAR) return checked({ check: "length", max: length });
  return checked(SIZE);
}

/** Characters; undefined where a value may have millions. */
function longestText(type: PostgresType, source: Family): number | undefined {
  switch (source.is) {
    case "text":
      return source.length;
    case "uuid":
      return 36;
    case "boolean":
      return 5;
    case "integer":
      return source.digits + 1;
    case "float":
      return 25;
    case "date":
    case "time":
      return 20;
    case "timestamp":
      return 40;
    case "numeric":
      // Without precision, 131072 digits before the point and 16383 behind it.
      return (storedDigits(source)?.precision ?? 147_455) + 3;
    case "bytes":
    case "json":
      return undefined;
    case "other":
      return LONGEST_OTHER[type.name];
  }
}

const LONGEST_OTHER: Readonly<Record<string, number>> = {
  macaddr: 17,
  macaddr8: 23,
  inet: 43,
  cidr: 43,
  interval: 100,
  timetz: 30,
  point: 60,
  lseg: 120,
  box: 120,
  line: 90,
  circle: 90,
  xid8: 20,
  pg_lsn: 17,
};

const numberOf = ({ precision, scale }: { precision: number; scale: number }) => ({ precision, scale });

const fraction = (source: number, target: number): ValueCheck[] =>
  source <= target ? [] : [{ check: "fraction", max: target }];

/** In the manifest's flow style a comma must be quoted. */
export const quoted = (dataType: string) => (dataType.includes(",") ? `"${dataType}"` : dataType);

/** How values of the type leave PostgreSQL. `text` is always quoted in CSV, so that '' is not NULL. */
export type TextForm = "plain" | "text" | "hex";

/** How a column is written into CSV. `plain`: its own output form, never empty. `hex`: bytes as hexadecimal digits. `text`: as text. */
export function textFormOf(target: WarehouseType): TextForm {
  if (target.kind === "binary") return "hex";
  return target.kind === "varchar" || target.kind === "variant" ? "text" : "plain";
}

/**
 * The SQL of a column's value: money as the number that it is in the server's lc_monetary, whose signs and separators are for people; a
 * locale with other than two digits behind the point gives the number another size, which is why that setting is not pinned.
 */
export function valueSql(column: string, type: PostgresType): string {
  return type.name === "money" ? `${column}::numeric` : column;
}

/**
 * The SQL of the text that PostgreSQL's output function writes for the value (char(n) without its padding, booleans in words). A cast is not
 * that for inet (it adds the mask of a single address), nor for types that bring a cast of their own.
 *
 * @param value as `valueSql` gives it
 */
export function textSql(value: string, type: PostgresType): string {
  if (type.name === "text" || type.name === "varchar") return value;
  if (type.name !== "inet" && !type.name.includes(".")) return `${value}::text`;
  return `CASE WHEN ${isNullSql(value, type)} THEN NULL ELSE format('%s', ${value}) END`;
}

/** A composite value of which all fields are NULL passes for `IS NULL`, and one of which a single field is NULL does not for `IS NOT NULL`. */
export function isNullSql(value: string, type: PostgresType): string {
  return type.name.includes(".") ? `${value} IS NOT DISTINCT FROM NULL` : `${value} IS NULL`;
}

/** What a cursor column counts: instants (`zone` says whether the type knows it), days, or numbers; undefined if it cannot be one. */
export function cursorKindOf(type: PostgresType): "instant" | "local" | "day" | "number" | undefined {
  const source = family(type);
  if (source.is === "timestamp") return source.zone ? "instant" : "local";
  if (source.is === "date") return "day";
  return source.is === "integer" ? "number" : undefined;
}
