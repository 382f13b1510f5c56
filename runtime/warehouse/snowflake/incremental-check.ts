/** Whether the rows of an incremental model fit the table that they are added to. */
import { NovaError } from "../../core/errors.ts";
import { exactType, parseLiveType } from "../../manifest/warehouse-type.ts";

/** As DESCRIBE shows it. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
}

export interface SharedColumns {
  /** In order. */
  readonly names: readonly string[];
  /** Those that have to take longer texts or more digits than they do, with the type that does. */
  readonly widened: readonly TableColumn[];
}

/**
 * @returns the columns that table and result share
 * @throws NovaError MODEL_SCHEMA_CHANGED
 */
export function incrementalColumns(
  model: string,
  table: readonly TableColumn[],
  result: readonly TableColumn[],
): SharedColumns {
  const changes = [
    ...without(result, table).map((name) => `${name} is new`),
    ...without(table, result).map((name) => `${name} is gone`),
    ...table.flatMap(({ name, type }) => {
      const other = result.find((column) => column.name === name);
      return other && !assignable(other.type, type) ? [`${name} was ${type} and is ${other.type}`] : [];
    }),
  ];
  const sameOrder = table.every(({ name }, index) => result[index]?.name === name);
  if (changes.length === 0 && sameOrder) {
    const widened = table.flatMap(({ name, type }, index) => {
      const wider = widerType(type, result[index]?.type ?? type);
      return wider === undefined ? [] : [{ name, type: wider }];
    });
    return { names: table.map(({ name }) => name), widened };
  }
  const text = (columns: readonly TableColumn[]): string =>
    columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  throw new NovaError(
    "MODEL_SCHEMA_CHANGED",
    `${model} has other columns than its table: ${changes.length > 0 ? changes.join("; ").toLowerCase() : "their order has changed"}.`,
    {
      remedy: `Build it anew: novadrive build --select ${model} --full-refresh.`,
      details: { table: text(table), model: text(result), changes },
    },
  );
}

function without(left: readonly TableColumn[], right: readonly TableColumn[]): string[] {
  return left.filter(({ name }) => !right.some((other) => other.name === name)).map(({ name }) => name);
}

/** Whether values of the one type go into a column of the other, once it is wide enough: decimals and seconds that would be rounded do not. */
function assignable(from: string, to: string): boolean {
  const given = parseLiveType(from);
  const taken = parseLiveType(to);
  if (!given || !taken) return from === to;
  if (given.kind === "number" && taken.kind === "number") {
    return given.scale <= taken.scale && given.precision - given.scale <= 38 - taken.scale;
  }
  if ("precision" in given && "precision" in taken) {
    return given.kind === taken.kind && given.precision <= taken.precision;
  }
  return given.kind === taken.kind;
}

/** The type that a column of the first has to get to take values of the second; undefined if it takes them already. */
function widerType(table: string, result: string): string | undefined {
  const taken = parseLiveType(table);
  const given = parseLiveType(result);
  if (!taken || !given) return undefined;
  if (taken.kind === "number" && given.kind === "number") {
    const digits = given.precision - given.scale + taken.scale;
    return digits > taken.precision ? exactType({ ...taken, precision: digits }) : undefined;
  }
  if ("length" in taken && "length" in given)
    return given.length > taken.length ? exactType({ ...taken, length: given.length }) : undefined;
  return undefined;
}

/** The columns of `unique_key` as the table names them. @throws NovaError MODEL_SQL_FAILED */
export function incrementalKey(
  model: string,
  uniqueKey: readonly string[],
  columns: readonly string[],
): readonly string[] {
  const missing = uniqueKey.filter((name) => !columns.some((column) => same(column, name)));
  if (missing.length > 0) {
    throw new NovaError(
      "MODEL_SQL_FAILED",
      `${model} has no column ${missing.join(", ")}, which its unique_key names.`,
      { remedy: "Correct unique_key in the model's config.", details: { columns, missing } },
    );
  }
  return uniqueKey.map((name) => columns.find((column) => same(column, name)) ?? name);
}

function same(column: string, written: string): boolean {
  return column === written || column.toUpperCase() === written.toUpperCase();
}
