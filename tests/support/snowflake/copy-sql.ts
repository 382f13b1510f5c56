/** DuckDB's statement that reads a staged file into a table. */
import type { WarehouseType } from "../../../runtime/manifest/warehouse-type.ts";
import { duckdbType } from "../../../runtime/warehouse/duckdb/duckdb-type.ts";
import { literal } from "./names.ts";

export interface FileToInsert {
  /** As a literal. */
  readonly path: string;
  readonly types: readonly WarehouseType[];
  /** Bytes; no row may be longer. */
  readonly buffer: number;
  readonly parallel: boolean;
}

/** Every value is read as text and converted as COPY does; what is beyond that fails, and is looked for in the file then. */
export function insertFile(target: string, { path, types, buffer, parallel }: FileToInsert): string {
  const values = types.map((type, at) => converted(`c${at}`, type)).join(", ");
  const padded = types.length === 1 ? [...types, types[0]] : types;
  const columns = padded.map((_type, at) => `'c${at}': 'VARCHAR'`).join(", ");
  const options = [
    path,
    "auto_detect=false",
    "header=false",
    "delim=','",
    `quote='"'`,
    `escape='"'`,
    "nullstr=''",
    "allow_quoted_nulls=false",
    String.raw`new_line='\n'`,
    `compression=${literal(path.endsWith(".gz'") ? "gzip" : "none")}`,
    `max_line_size=${buffer}`,
    `buffer_size=${buffer}`,
    ...(parallel ? [] : ["parallel=false"]),
    `columns={${columns}}`,
  ];
  return `INSERT INTO ${target} SELECT ${values} FROM read_csv(${options.join(", ")})`;
}

function converted(column: string, type: WarehouseType): string {
  // Neither `infinity` nor `epoch`, no BC, no name of a zone, no year over 9999: none of these is Snowflake's, all are DuckDB's.
  const isDay = `${column}[5] = '-' AND NOT starts_with(${column}, '0000') AND NOT regexp_matches(${column}, '[A-SU-Ya-z]')`;
  switch (type.kind) {
    case "varchar":
      return column;
    case "binary":
      return `CASE WHEN length(${column}) % 2 = 1 THEN error('odd') ELSE unhex(${column}) END`;
    case "date":
      return unless(`strlen(${column}) = 10 AND ${isDay}`, column, type);
    case "timestamp_ltz":
    case "timestamp_ntz":
    case "timestamp_tz":
      return unless(`${isDay} AND NOT contains(${column}, ' 24:')`, column, type);
    case "time":
      return unless(`NOT starts_with(${column}, '24')`, column, type);
    case "boolean":
      return `CASE lower(${column}) WHEN 'on' THEN TRUE WHEN 'off' THEN FALSE ELSE CAST(${column} AS BOOLEAN) END`;
    case "number":
      return unless(`NOT contains(${column}, '_')`, column, type);
    case "float":
    case "variant":
      return `CAST(${column} AS ${duckdbType(type)})`;
  }
}

function unless(right: string, column: string, type: WarehouseType): string {
  return `CASE WHEN ${right} THEN CAST(${column} AS ${duckdbType(type)}) WHEN ${column} IS NOT NULL THEN error('misfit') END`;
}
