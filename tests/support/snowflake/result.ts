/** Values and columns of a result as the driver expects them in `data.rowset` and `data.rowtype`. */
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBResultReader,
  type DuckDBType,
  type DuckDBValue,
} from "@duckdb/node-api";
import { MAX_VARCHAR } from "../../../runtime/manifest/warehouse-type.ts";
import { canonicalText } from "../../../runtime/warehouse/duckdb/canonical-value.ts";
import { logicalName } from "./names.ts";
import { rowType, typeOfResult, type RowType } from "./types.ts";

export type Row = readonly (string | null)[];

export interface Outcome {
  readonly columns: readonly RowType[];
  readonly rows: readonly Row[];
  /** As the driver's statement_type.js knows them. */
  readonly statementType: number;
  /** Of an upload: what the driver's file transfer needs. */
  readonly transfer?: object | undefined;
}

export const STATEMENT_TYPES = {
  select: 0x1000,
  insert: 0x3100,
  update: 0x3200,
  delete: 0x3300,
  merge: 0x3400,
  copy: 0x3600,
  show: 0x4000,
  control: 0x5000,
  ddl: 0x6000,
} as const;

export function table(
  columns: readonly string[],
  rows: readonly Row[],
  statementType: number = STATEMENT_TYPES.show,
): Outcome {
  return {
    columns: columns.map((name) => rowType(name, { kind: "varchar", length: MAX_VARCHAR })),
    rows,
    statementType,
  };
}

/** What statements without rows give: one column named status. */
export function status(text: string, statementType: number = STATEMENT_TYPES.ddl): Outcome {
  return table(["status"], [[text]], statementType);
}

/** Counts of a DML statement: `{ "number of rows inserted": 3 }`. */
export function counts(values: Readonly<Record<string, number>>, statementType: number): Outcome {
  const columns = Object.keys(values).map((name) => rowType(name, { kind: "number", precision: 19, scale: 0 }));
  return { columns, rows: [Object.values(values).map(String)], statementType };
}

/** An offset travels as minutes + 1440. */
const UTC = 1440;

/** @param zoned names of columns whose instants have a zone of their own, which is UTC here */
export function ofReader(reader: DuckDBResultReader, zoned: ReadonlySet<string> = new Set()): Outcome {
  const types = reader.columnTypes();
  const columns = reader.columnNames().map((name, at) => {
    const own = logicalName(name);
    const type = typeOfResult(typeAt(types, at));
    return rowType(own, type.kind === "timestamp_ltz" && zoned.has(own) ? { ...type, kind: "timestamp_tz" } : type);
  });
  const rows = reader.getRows().map((row) =>
    row.map((value, at) => {
      const text = encode(value, typeAt(types, at));
      return text !== null && columns[at]?.type === "timestamp_tz" ? `${text} ${UTC}` : text;
    }),
  );
  return { columns, rows, statementType: STATEMENT_TYPES.select };
}

function typeAt(types: readonly DuckDBType[], at: number): DuckDBType {
  const type = types[at];
  if (!type) throw new Error(`A result without a type for column ${at}`);
  return type;
}

export function encode(value: DuckDBValue, type: DuckDBType): string | null {
  if (value === null) return null;
  if (typeof value === "string" && type.alias !== "JSON") return value;
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "number") return value === Infinity ? "inf" : value === -Infinity ? "-inf" : floatText(value);
  if (value instanceof DuckDBDateValue) return String(value.days);
  if (value instanceof DuckDBTimeValue) return secondsText(value.micros);
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
    return secondsText(value.micros);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString("hex").toUpperCase();
  const text = canonicalText(value, type);
  return text !== null && typeOfResult(type).kind === "variant" ? indented(text) : text;
}

function floatText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Seconds with nine digits behind the point; the sign is the whole number's: half a second before 1970 is -0.5. */
function secondsText(micros: bigint): string {
  const absolute = micros < 0n ? -micros : micros;
  const fraction = String((absolute % 1_000_000n) * 1000n).padStart(9, "0");
  return `${micros < 0n ? "-" : ""}${absolute / 1_000_000n}.${fraction}`;
}

/** Snowflake writes a VARIANT over several lines. */
function indented(json: string): string {
  const keep = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === "number" && context?.source !== undefined ? JSON.rawJSON(context.source) : value;
  return JSON.stringify(JSON.parse(json, keep), null, 2);
}
