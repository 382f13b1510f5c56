/** Fingerprints in DuckDB: see `manifest/fingerprint.ts` for the formula. */
import { identifier } from "../../../core/sql.ts";
import {
  BEYOND,
  identityColumns,
  isHashed,
  isSummed,
  WEIGHT,
  type FingerprintColumn,
  type FingerprintShape,
  type KeySelection,
} from "../../../manifest/fingerprint.ts";
import { KEY_BITS, keyCondition } from "../../../manifest/key-buckets.ts";
import { columnOf, DELETED_AT, keepsDeleted, type ManifestTable } from "../../../manifest/manifest.ts";
import { between, whereHashed, whereInRanges } from "../../key-ranges.ts";
import { duckdbType } from "../duckdb-type.ts";
import { stageTable } from "./names.ts";

export interface FingerprintSql extends FingerprintShape {
  /** Only these buckets. */
  readonly only?: readonly bigint[] | undefined;
  /** Quoted name of an incoming table: its rows whose key the stage table does not have, instead of the stage table's. */
  readonly arriving?: string | undefined;
}

/** One row for each bucket: bucket, rows, key, then sum and count of each summed column. */
export function fingerprint(request: FingerprintSql): string {
  const summed = request.columns.filter(isSummed);
  const sums = summed.flatMap((_, index) => [
    `coalesce(sum(coalesce(w1 * (v${index} & ${WEIGHT.mask}) + ((w1 >> 2) + 1) * (v${index} >> ${WEIGHT.bits}), (w1 * ${WEIGHT.nullFactor} + ${WEIGHT.nullOffset}) % ${WEIGHT.nullPrime})), 0)::VARCHAR`,
    `count(v${index})`,
  ]);
  const numbers = summed.map((column, index) => `${number(request.table, column)} AS v${index}`);
  const inner = `SELECT ${[`${keyNumber(request)} AS k`, ...numbers].join(", ")} FROM ${rowsOf(request)}${whereInRanges(request, identifier)}`;
  return [
    `SELECT ${[`k >> ${shift(request)} AS bucket`, "count(*)", "coalesce(sum(w1), 0)::VARCHAR", ...sums].join(", ")}`,
    `FROM (SELECT *, ${weight("k")} AS w1 FROM (${inner})${whereHashed(request, "k")}) GROUP BY 1`,
  ].join(" ");
}

/** Whether a stage row's key lies in one of the buckets. */
export function inBuckets(table: ManifestTable, { only, ...shape }: KeySelection): string {
  const { buckets } = shape;
  const request = { table, ...shape };
  const condition = keyCondition(buckets, only);
  const range = buckets.by === "range" ? identifier(buckets.column) : keyNumber(request);
  return [
    ...(condition.ranges ? [between(range, condition.ranges)] : []),
    ...(condition.buckets
      ? [`(${keyNumber(request)}) >> ${shift(request)} IN (${condition.buckets.map(String).join(", ")})`]
      : []),
  ].join(" AND ");
}

/** The keys that the stage table has are looked up first: see `insertMissing`. */
function rowsOf({ table, arriving }: FingerprintSql): string {
  const stage = stageTable(table);
  const there = keepsDeleted(table) ? `${identifier(DELETED_AT)} IS NULL` : undefined;
  if (arriving === undefined) return there === undefined ? stage : `(SELECT * FROM ${stage} WHERE ${there})`;
  const same = (left: string, right: string) =>
    table.primaryKey.map((name) => `${left}.${identifier(name)} = ${right}.${identifier(name)}`).join(" AND ");
  const key = table.primaryKey.map((name) => `j.${identifier(name)}`).join(", ");
  const known = `SELECT ${key} FROM ${arriving} AS j JOIN ${stage} AS s ON ${same("s", "j")}${there === undefined ? "" : ` WHERE s.${there}`}`;
  return `(SELECT * FROM ${arriving} AS i WHERE NOT EXISTS (SELECT 1 FROM (${known}) AS t WHERE ${same("t", "i")}))`;
}

/** One row for each row: the key's parts, then the value of each column. */
export function fingerprintRows(request: FingerprintSql): string {
  const { table, columns } = request;
  const keyless = table.primaryKey.length === 0;
  const parts = identityColumns(request).map((column) => (keyless ? number(table, column) : part(table, column)));
  const values = columns.map((column) => (isSummed(column) ? number(table, column) : identifier(column.name)));
  const filter = whereInRanges(request, identifier) || whereHashed(request, keyNumber(request));
  return `SELECT ${[...parts, ...values].join(", ")} FROM ${rowsOf(request)}${filter}`;
}

const shift = ({ buckets }: FingerprintShape): number =>
  buckets.by === "range" ? buckets.shift : KEY_BITS - buckets.bits;

function keyNumber(request: FingerprintSql): string {
  const { buckets, table } = request;
  if (buckets.by === "range")
    return whole(identifier(buckets.column), duckdbType(columnOf(table, buckets.column).type));
  const identity = identityColumns(request);
  const [only, ...more] = identity;
  if (only && more.length === 0 && isHashed(only)) return number(table, only);
  const parts = identity.map((column) => `coalesce(CAST(${number(table, column)} AS VARCHAR), 'N')`);
  return parts.length === 0 ? "0::BIGINT" : md5Number(parts.join(" || ',' || "));
}

/** What the key is known by, and shown as. */
function part(table: ManifestTable, column: FingerprintColumn): string {
  const { as } = column.form;
  const name = identifier(column.name);
  if (as === "text") return name;
  if (as === "bytes") return `lower(hex(${name}))`;
  return as === "digits" ? `CAST(${name} AS VARCHAR)` : number(table, column);
}

/** w1 */
function weight(key: string): string {
  const { prime, offset } = WEIGHT;
  const k = `((${key} % ${prime} + ${prime} + ${offset}) % ${prime})`;
  return `${k} * ${k} % ${prime} * ${k} % ${prime} + 1`;
}

function md5Number(text: string): string {
  return `('0x' || substr(md5(${text}), 18, 15))::BIGINT`;
}

/** A number that 64 bits have no room for is one that the load did not write. */
function whole(value: string, type: string): string {
  return type === "BIGINT"
    ? value
    : `coalesce(TRY_CAST(${value} AS BIGINT), CASE WHEN ${value} IS NOT NULL THEN ${BEYOND} END)`;
}

/** In two parts, because a product of decimals must fit into 18 digits with the scale that it does not need any more. */
function scaled(value: string, scale: number): string {
  if (scale === 0) return `CAST(${value} AS BIGINT)`;
  const factor = `1${"0".repeat(scale)}`;
  return `CAST(trunc(${value}) AS BIGINT) * ${factor} + CAST((${value} - trunc(${value})) * ${factor} AS BIGINT)`;
}

function finite(value: string, number: string): string {
  return `CASE WHEN isfinite(${value}) THEN ${number} WHEN ${value} IS NOT NULL THEN ${BEYOND} END`;
}

/** v */
function number(table: ManifestTable, { name, form }: FingerprintColumn): string {
  const value = identifier(name);
  switch (form.as) {
    case "integer":
      return whole(value, duckdbType(columnOf(table, name).type));
    case "scaled":
      return scaled(value, form.scale);
    case "digits":
      return md5Number(`CAST(${value} AS VARCHAR)`);
    case "boolean":
      return `CAST(${value} AS BIGINT)`;
    case "days":
      return finite(value, `${value} - DATE '1970-01-01'`);
    case "micros":
      return finite(value, `epoch_us(${value})`);
    case "clock":
      return `epoch_us(${value})`;
    case "text":
      return md5Number(value);
    case "bytes":
      return md5Number(`lower(hex(${value}))`);
    case "float":
    case "json":
      throw new RangeError(`A value of the form ${form.as} has no number`);
  }
}
