/** Finds the first value of a staged file that COPY refuses, and words the error as Snowflake does. */
import { MAX_VARCHAR, type WarehouseType } from "../../../runtime/manifest/warehouse-type.ts";
import type { Column } from "./catalogue.ts";
import type { CsvFormat } from "./copy-options.ts";
import { readCsv, type CsvRecord, type Field } from "./csv.ts";
import {
  notHex,
  notNumeric,
  notRecognized,
  nullNotAllowed,
  outOfRange,
  SnowflakeError,
  tooLongInFile,
} from "./errors.ts";

export interface FileToCheck {
  readonly path: string;
  /** As messages name it: relative to the stage. */
  readonly name: string;
  readonly table: string;
  readonly columns: readonly Column[];
  readonly format: CsvFormat;
}

export interface CopyError {
  readonly error: SnowflakeError;
  readonly line: number;
  readonly character: number;
  readonly row: number;
  readonly column: string;
}

const ADVICE =
  "  If you would like to continue loading when an error is encountered, use other values such as 'SKIP_FILE' or 'CONTINUE' for the ON_ERROR option. For more information on loading options, please run 'info loading_data' in a SQL client.";

/** https://github.com/astronomer/astro-sdk/issues/1708 and others quote the form. */
export function withPlace(file: FileToCheck, found: CopyError): SnowflakeError {
  const { error, line, character, row, column } = found;
  const text = `${error.message}\n  File '${file.name}', line ${line}, character ${character}\n  Row ${row}, column ${column}\n${ADVICE}`;
  return new SnowflakeError(error.code, error.sqlState, text);
}

export async function findRefused(file: FileToCheck): Promise<CopyError | undefined> {
  for await (const record of readCsv(file.path, file.format)) {
    if (record.row <= file.format.skipHeader || isSkipped(record, file.format)) continue;
    const found = checkRecord(file, record);
    if (found) return found;
  }
  return undefined;
}

export function isSkipped({ fields }: CsvRecord, { skipBlankLines }: CsvFormat): boolean {
  return skipBlankLines && fields.length === 1 && fields[0]?.value === null;
}

function checkRecord(file: FileToCheck, record: CsvRecord): CopyError | undefined {
  const { columns, format } = file;
  const place = { line: record.line, character: 1, row: record.row };
  const column = (at: number): string => `"${file.table}"["${columns[at]?.name ?? ""}":${at + 1}]`;
  if (record.unclosed || record.found !== undefined) {
    const at = record.fields.length - 1;
    const text = record.unclosed
      ? `End of record reached while expected to parse column '${column(at)}'`
      : `Found character '${record.found}' instead of field delimiter '${format.delimiter}'`;
    const field = record.fields[at];
    return {
      error: new SnowflakeError(record.unclosed ? "100068" : "100066", "22000", text),
      ...place,
      line: field?.line ?? place.line,
      column: column(at),
    };
  }
  if (record.fields.length !== columns.length && format.countMismatchIsError) {
    const text = `Number of columns in file (${record.fields.length}) does not match that of the corresponding table (${columns.length}), use file format option error_on_column_count_mismatch=false to ignore this error`;
    return {
      error: new SnowflakeError("100080", "22000", text),
      ...place,
      column: `"${file.table}"[${Math.min(record.fields.length, columns.length)}]`,
    };
  }
  for (const [at, { type, nullable }] of columns.entries()) {
    const field: Field | undefined = record.fields[at];
    const value = field?.value ?? null;
    const error = value === null ? (nullable ? undefined : nullNotAllowed()) : refused(value, type);
    if (error) {
      const where = field ? { line: field.line, character: field.character } : {};
      return { error, ...place, ...where, column: column(at) };
    }
  }
  return undefined;
}

const NUMBER = /^[+-]?(\d*)(?:\.(\d*))?(?:e[+-]?\d+)?$/i;
const DAY = String.raw`(\d{4})-(\d\d)-(\d\d)`;
const CLOCK = String.raw`(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?`;

/** @returns why a column of the type cannot hold the text */
export function refused(value: string, type: WarehouseType): SnowflakeError | undefined {
  switch (type.kind) {
    case "number": {
      const match = NUMBER.exec(value.trim());
      if (!match || (match[1] === "" && (match[2] ?? "") === "")) return notNumeric(value);
      return fitsNumber(value, type) ? undefined : outOfRange(value);
    }
    case "float":
      return /^[+-]?(?:nan|inf(?:inity)?|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i.test(value)
        ? undefined
        : notNumeric(value);
    case "varchar": {
      const length = Array.from(value).length;
      return length > Math.min(type.length, MAX_VARCHAR) ? tooLongInFile(type.length, value) : undefined;
    }
    case "binary":
      if (!/^(?:[0-9a-f]{2})*$/i.test(value)) return notHex(value);
      return value.length / 2 > type.length ? tooLongInFile(type.length, value) : undefined;
    case "boolean":
      return /^(?:true|t|yes|y|on|1|false|f|no|n|off|0)$/i.test(value) ? undefined : notRecognized("Boolean", value);
    case "date":
      return isDay(new RegExp(`^${DAY}$`).exec(value)) ? undefined : notRecognized("Date", value);
    case "time":
      return isClock(new RegExp(`^${CLOCK}$`).exec(value)) ? undefined : notRecognized("Time", value);
    case "timestamp_ltz":
    case "timestamp_ntz":
    case "timestamp_tz": {
      const match = new RegExp(`^${DAY}(?:[ T](${CLOCK}) ?([+-]\\d\\d(?::?\\d\\d)?|Z)?)?$`).exec(value);
      const clock = match?.[4] === undefined || isClock(new RegExp(CLOCK).exec(match[4]));
      return isDay(match) && clock ? undefined : notRecognized("Timestamp", value);
    }
    case "variant":
      return undefined;
  }
}

/** Rounded to the scale first, as COPY does. NUMBER(38,0) is held in 64 bits here. */
function fitsNumber(
  value: string,
  { precision, scale }: { readonly precision: number; readonly scale: number },
): boolean {
  const [digits = "", exponent = "0"] = value.trim().toLowerCase().replace(/^[+-]/, "").split("e");
  const [whole = "", fraction = ""] = digits.split(".");
  const point = whole.length + Number(exponent);
  const all = (whole + fraction).padEnd(Math.max(0, point + scale), "0");
  const kept = point + scale < 0 ? "0" : all.slice(0, point + scale) || "0";
  const next = all[point + scale] ?? "0";
  const rounded = BigInt(kept) + (next >= "5" ? 1n : 0n);
  return precision === 38 && scale === 0 ? rounded <= 2n ** 63n : rounded < 10n ** BigInt(precision);
}

function isDay(match: RegExpExecArray | null): boolean {
  if (!match) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isClock(match: RegExpExecArray | null): boolean {
  return match !== null && Number(match[1]) < 24 && Number(match[2]) < 60 && Number(match[3]) < 60;
}
