/** Fingerprints in Snowflake: see `manifest/fingerprint.ts` for the formula. NUMBER has no operators on bits, so MOD and an exact division do it. */
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
import { DELETED_AT, keepsDeleted, type ManifestTable } from "../../../manifest/manifest.ts";
import { between, whereHashed, whereInRanges } from "../../key-ranges.ts";
import type { Statement } from "../statement.ts";
import { name, stageTable } from "./names.ts";

export interface FingerprintRequest extends FingerprintShape {
  /** Only these buckets. */
  readonly only?: readonly bigint[] | undefined;
  /** Quoted name of an incoming table: its rows whose key the stage table does not have, instead of the stage table's. */
  readonly arriving?: string | undefined;
}

const MODULUS = WEIGHT.mask + 1;

/** Names of what the inner queries hand on. */
const KEY = name("k");
const BUCKET = name("bucket");
const W1 = name("w1");
const W2 = name("w2");
const W3 = name("w3");

/** One row for each bucket: bucket, rows, key, then sum and count of each summed column. */
export function fingerprint(request: FingerprintRequest): Statement {
  const { table, columns } = request;
  const summed = columns
    .filter(isSummed)
    .map((column, index) => ({ column, v: name(`v${index}`), lo: name(`lo${index}`), hi: name(`hi${index}`) }));
  const numbers = summed.map(({ column, v }) => `${number(column)} AS ${v}`);
  const halves = summed.flatMap(({ v, lo, hi }) => [`${low(v, MODULUS)} AS ${lo}`, `${high(v, MODULUS)} AS ${hi}`]);
  const sums = summed.flatMap(({ lo, hi }) => [
    `COALESCE(SUM(COALESCE(${W1} * ${lo} + ${W2} * ${hi}, ${W3})), 0)`,
    `COUNT(${lo})`,
  ]);
  const rows = `SELECT ${[`${keyNumber(request)} AS ${KEY}`, ...numbers].join(", ")} FROM ${rowsOf(request)}${whereInRanges(request, name)}`;
  const weighed = `SELECT ${[`${bucket(request)} AS ${BUCKET}`, `${weight(KEY)} AS ${W1}`, ...halves].join(", ")} FROM (${rows}) AS R${whereHashed(request, KEY)}`;
  const weights = [
    `${high(W1, 4)} + 1 AS ${W2}`,
    `MOD(${W1} * ${WEIGHT.nullFactor} + ${WEIGHT.nullOffset}, ${WEIGHT.nullPrime}) AS ${W3}`,
  ];
  return {
    sql: [
      `SELECT ${[BUCKET, "COUNT(*)", `COALESCE(SUM(${W1}), 0)`, ...sums].join(", ")}`,
      `FROM (SELECT W.*, ${weights.join(", ")} FROM (${weighed}) AS W) AS S GROUP BY ${BUCKET}`,
    ].join(" "),
    step: request.arriving === undefined ? "verify" : "load",
    subject: table.name,
    metered: true,
  };
}

/** One row for each row: the key's parts, then the value of each column. */
export function fingerprintRows(request: FingerprintRequest): Statement {
  const { table, columns } = request;
  const keyless = table.primaryKey.length === 0;
  const parts = identityColumns(request).map((column) => (keyless ? number(column) : part(column)));
  const values = columns.map((column) => (isSummed(column) ? number(column) : name(column.name)));
  const filter = whereInRanges(request, name) || whereHashed(request, keyNumber(request));
  return {
    sql: `SELECT ${[...parts, ...values].join(", ")} FROM ${rowsOf(request)}${filter}`,
    step: "verify",
    subject: table.name,
    metered: true,
  };
}

/** Whether a stage row's key lies in one of the buckets. */
export function inBuckets(table: ManifestTable, { only, ...shape }: KeySelection): string {
  const { buckets } = shape;
  const request = { table, ...shape };
  const condition = keyCondition(buckets, only);
  return [
    ...(condition.ranges
      ? [between(buckets.by === "range" ? name(buckets.column) : keyNumber(request), condition.ranges)]
      : []),
    ...(condition.buckets ? [`${bucket(request, keyNumber(request))} IN (${condition.buckets.join(", ")})`] : []),
  ].join(" AND ");
}

function rowsOf({ table, arriving }: FingerprintRequest): string {
  const there = keepsDeleted(table) ? `${name(DELETED_AT)} IS NULL` : undefined;
  if (arriving === undefined)
    return there === undefined ? stageTable(table) : `(SELECT * FROM ${stageTable(table)} WHERE ${there}) AS T`;
  const same = table.primaryKey.map((column) => `S.${name(column)} = I.${name(column)}`);
  const known = [...same, ...(there === undefined ? [] : [`S.${there}`])].join(" AND ");
  return `(SELECT I.* FROM ${arriving} AS I WHERE NOT EXISTS (SELECT 1 FROM ${stageTable(table)} AS S WHERE ${known})) AS T`;
}

function keyNumber(request: FingerprintRequest): string {
  const { buckets } = request;
  if (buckets.by === "range") return whole(name(buckets.column));
  const identity = identityColumns(request);
  const [only, ...more] = identity;
  if (only && more.length === 0 && isHashed(only)) return number(only);
  const parts = identity.map((column) => `COALESCE(TO_VARCHAR(${number(column)}), 'N')`);
  return parts.length === 0 ? "0" : md5Number(`CONCAT_WS(',', ${parts.join(", ")})`);
}

function bucket({ buckets }: FingerprintRequest, key = KEY): string {
  const width = 2n ** BigInt(buckets.by === "range" ? buckets.shift : KEY_BITS - buckets.bits);
  return width === 1n ? key : high(key, width);
}

/** w1 */
function weight(key: string): string {
  const { prime, offset } = WEIGHT;
  const k = `MOD(MOD(${key}, ${prime}) + ${prime + offset}, ${prime})`;
  return `MOD(MOD(${k} * ${k}, ${prime}) * ${k}, ${prime}) + 1`;
}

/** The remainder that is never negative; MOD has the sign of its first argument: https://docs.snowflake.com/en/sql-reference/functions/mod */
function low(value: string, width: number | bigint): string {
  return `MOD(MOD(${value}, ${width}) + ${width}, ${width})`;
}

/** floor(value / width): the division leaves no rest, so its rounding to six digits does not matter. */
function high(value: string, width: number | bigint): string {
  return `CAST((${value} - ${low(value, width)}) / ${width} AS NUMBER(38,0))`;
}

/** https://docs.snowflake.com/en/sql-reference/functions/md5_number_lower64 */
function md5Number(text: string): string {
  return `MOD(MD5_NUMBER_LOWER64(${text}), ${2n ** BigInt(KEY_BITS)})`;
}

/** A number that 64 bits have no room for is one that the load did not write. */
function whole(value: string): string {
  return `CASE WHEN ${value} BETWEEN ${-BEYOND - 1n} AND ${BEYOND} THEN ${value} WHEN ${value} IS NOT NULL THEN ${BEYOND} END`;
}

/** What the key is known by, and shown as. */
function part(column: FingerprintColumn): string {
  const { as } = column.form;
  const value = name(column.name);
  if (as === "text") return value;
  if (as === "bytes") return `HEX_ENCODE(${value}, 0)`;
  return as === "digits" ? `TO_VARCHAR(${value})` : number(column);
}

/** In two parts, neither of which needs more digits than the value has. */
function scaled(value: string, scale: number): string {
  if (scale === 0) return value;
  const factor = `1${"0".repeat(scale)}`;
  return `CAST(TRUNC(${value}) AS NUMBER(38,0)) * ${factor} + CAST((${value} - TRUNC(${value})) * ${factor} AS NUMBER(38,0))`;
}

/** v */
function number({ name: own, form }: FingerprintColumn): string {
  const value = name(own);
  switch (form.as) {
    case "integer":
      return whole(value);
    case "scaled":
      return scaled(value, form.scale);
    case "digits":
      return md5Number(`TO_VARCHAR(${value})`);
    case "boolean":
      return `CASE WHEN ${value} THEN 1 WHEN NOT ${value} THEN 0 END`;
    case "days":
      return `DATEDIFF('day', TO_DATE('1970-01-01'), ${value})`;
    case "micros":
      return `DATE_PART(EPOCH_MICROSECOND, ${value})`;
    case "clock":
      return `DATE_PART(EPOCH_MICROSECOND, TIMESTAMP_NTZ_FROM_PARTS(TO_DATE('1970-01-01'), ${value}))`;
    case "text":
      return md5Number(value);
    case "bytes":
      return md5Number(`HEX_ENCODE(${value}, 0)`);
    case "float":
    case "json":
      throw new RangeError(`A value of the form ${form.as} has no number`);
  }
}
