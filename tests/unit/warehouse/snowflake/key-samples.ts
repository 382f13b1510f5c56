/** Samples of fingerprints, and of the keys that are looked for by them: every way to know a row, every kind of value. */
import type { ValueForm } from "../../../../runtime/manifest/fingerprint.ts";
import type { KeyBuckets } from "../../../../runtime/manifest/key-buckets.ts";
import type { ManifestTable } from "../../../../runtime/manifest/manifest.ts";
import type { FingerprintRequest } from "../../../../runtime/warehouse/snowflake/sql/fingerprint.ts";
import type { Vanished } from "../../../../runtime/warehouse/snowflake/sql/publish.ts";
import { batch, EVERY_TYPE, table, target } from "./sample-tables.ts";

const FORMS: Readonly<Record<string, ValueForm>> = {
  id: { as: "integer" },
  code: { as: "digits", scale: 10 },
  whole: { as: "scaled", scale: 0 },
  amount: { as: "scaled", scale: 2 },
  ratio: { as: "float" },
  active: { as: "boolean" },
  day: { as: "days" },
  at_time: { as: "clock" },
  seen_at: { as: "micros" },
  local_at: { as: "micros" },
  zoned_at: { as: "micros" },
  picture: { as: "bytes" },
  raw: { as: "bytes" },
  document: { as: "json" },
};
const VERIFIED = { ...EVERY_TYPE, code: "decimal(38,10)", whole: "decimal(12,0)" };
const verified = [["id"], ["name"], ["code"], ["picture"], Object.keys(VERIFIED), []].map((key) =>
  table("verified", VERIFIED, key),
);
/** Of every way to know a row, whole and for some buckets. */
export const fingerprints: readonly FingerprintRequest[] = verified.flatMap((one) => {
  const columns = one.columns.map(({ name }) => ({ name, form: FORMS[name] ?? ({ as: "text" } as const) }));
  const buckets: KeyBuckets =
    one.primaryKey.join() === "id" ? { by: "range", column: "id", shift: 12 } : { by: "hash", bits: 8 };
  const fine: KeyBuckets = buckets.by === "range" ? { ...buckets, shift: 0 } : { by: "hash", bits: 60 };
  const whole = { table: one, columns, buckets };
  const narrow = { ...whole, buckets: fine };
  const bare = { ...whole, columns: columns.filter((column) => one.primaryKey.includes(column.name)) };
  const some = [
    { ...whole, only: [-3n, 1n, 2n, 5n] },
    { ...whole, only: [] },
    { ...narrow, only: [1n] },
  ];
  return [whole, narrow, ...(one.primaryKey.length > 0 ? [bare] : []), ...some];
});

/** The key alone, of every kind. */
export const keyShapes = [
  ["id"],
  ["name"],
  ["code"],
  ["picture"],
  ["day"],
  ["whole"],
  ["name", "id"],
  Object.keys(VERIFIED),
].flatMap((key) => {
  const columns = key.map((name) => ({ name, form: FORMS[name] ?? ({ as: "text" } as const) }));
  const summed = columns.filter(({ form }) => form.as !== "float" && form.as !== "json");
  const shape = { table: table("verified", VERIFIED, key), columns: summed };
  const hashed: KeyBuckets = { by: "hash", bits: 8 };
  const ranges = (column: string) => [12, 0].map((shift): KeyBuckets => ({ by: "range", column, shift }));
  const of: Readonly<Record<string, readonly KeyBuckets[]>> = { id: ranges("id"), whole: [...ranges("whole"), hashed] };
  return (of[key.join()] ?? [hashed]).map((buckets) => ({ ...shape, buckets }));
});
export const softly = <T extends { readonly table: ManifestTable }>(one: T): T => ({
  ...one,
  table: { ...one.table, sync: { ...one.table.sync, deletes: "soft" as const } },
});
/** No bucket, two ranges of them, and as many as are not ranges any more. */
export const withins: readonly Vanished[] = keyShapes.flatMap(({ table: one, ...shape }) =>
  [[], [-1n, 4n, 5n], Array.from({ length: 66 }, (_, index) => BigInt(2 * index))].map((only) => {
    return { table: one, within: { ...shape, only }, keys: target, batch };
  }),
);
