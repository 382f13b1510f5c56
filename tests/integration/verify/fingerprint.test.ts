/** PostgreSQL and the warehouses come to the same fingerprint for the same rows, whatever their types and values. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashBuckets, rangeBuckets, type KeyBuckets } from "../../../runtime/manifest/key-buckets.ts";
import { isSummed, type BucketFingerprint, type FingerprintRow } from "../../../runtime/manifest/fingerprint.ts";
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import type { Source } from "../../../runtime/source/source.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { copyIntoStage } from "../../support/staged-copy.ts";
import { startTestSnowflake } from "../../support/test-snowflake.ts";

const signal = new AbortController().signal;

/** Column: type in PostgreSQL, in the manifest, and its values as text. */
const COLUMNS: Readonly<Record<string, readonly [source: string, target: string, values: fc.Arbitrary<string>]>> = {
  small: ["int2", "integer", fc.integer({ min: -32_768, max: 32_767 }).map(String)],
  whole: [
    "int4",
    "integer",
    fc.oneof(fc.constantFrom("-2147483648", "2147483647", "0", "-1"), fc.integer().map(String)),
  ],
  big: [
    "int8",
    "integer",
    fc.oneof(
      fc.constantFrom("-9223372036854775808", "9223372036854775806", "1073741824", "-1073741824"),
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 2n).map(String),
    ),
  ],
  price: ["numeric(10,2)", "decimal(10,2)", digits(8, 2)],
  wide_price: ["numeric(10,2)", "decimal(18,6)", digits(8, 2)],
  int_price: ["int4", "decimal(12,2)", fc.integer().map(String)],
  long: ["numeric(38,10)", "decimal(38,10)", digits(28, 10)],
  free: ["numeric", "decimal(30,5)", digits(20, 5)],
  huge_as_text: ["numeric", "text", digits(60, 30)],
  flag: ["bool", "boolean", fc.boolean().map(String)],
  day: ["date", "date", date("0001-01-01", "9999-12-31").map((at) => at.slice(0, 10))],
  at: ["timestamp", "timestamp_ntz", date("0001-01-01", "9999-12-31")],
  zoned: ["timestamptz", "timestamp_ltz", date("0001-01-02", "9999-12-30").map((at) => `${at}+00`)],
  clock: ["time", "time", date("2000-01-01", "2000-01-02").map((at) => at.slice(11))],
  far_day: ["date", "text", fc.constantFrom("0044-03-15 BC", "infinity", "5874897-12-31")],
  name: [
    "varchar(60)",
    "varchar(60)",
    fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replaceAll("\0", "")),
  ],
  note: [
    "text",
    "text",
    fc.oneof(
      fc.constantFrom("", " ", "a ", "São Paulo 😀 漢字", "e\u0301", "\ufeff"),
      fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", "")),
    ),
  ],
  code: ["char(5)", "char(5)", fc.constantFrom("a", "ab  ", "", "éé")],
  token: ["uuid", "varchar(36)", fc.uuid()],
  bytes: [
    "bytea",
    "binary",
    fc.uint8Array({ maxLength: 30 }).map((bytes) => `\\x${Buffer.from(bytes).toString("hex")}`),
  ],
  list: ["int[]", "text", fc.array(fc.integer(), { maxLength: 3 }).map((list) => `{${list.join(",")}}`)],
};

function digits(before: number, after: number): fc.Arbitrary<string> {
  const most = 10n ** BigInt(before + after) - 1n;
  return fc
    .oneof(fc.bigInt(-most, most), fc.constantFrom(most, -most, 0n, 1n, -1n, 10n ** BigInt(after)))
    .map((value) => {
      const text = String(value < 0n ? -value : value).padStart(after + 1, "0");
      return `${value < 0n ? "-" : ""}${text.slice(0, -after)}.${text.slice(-after)}`;
    });
}

/** To the microsecond. */
function date(min: string, max: string): fc.Arbitrary<string> {
  const instant = fc.date({
    min: new Date(`${min}T00:00:00Z`),
    max: new Date(`${max}T00:00:00Z`),
    noInvalidDate: true,
  });
  return fc
    .tuple(
      fc.oneof(
        instant,
        fc
          .constantFrom(new Date(0), new Date(-1), new Date(`${min}T00:00:00Z`))
          .filter((at) => at >= new Date(min) && at <= new Date(max)),
      ),
      fc.integer({ min: 0, max: 999 }),
    )
    .map(([at, micros]) => `${at.toISOString().slice(0, -1).replace("T", " ")}${String(micros).padStart(3, "0")}`);
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  by_int: ["whole"],
  by_bigint: ["big"],
  by_text: ["note"],
  by_uuid: ["token"],
  by_day: ["day"],
  by_price: ["price"],
  composite: ["big", "name", "zoned"],
  keyless: [],
};

const table = (name: string): ManifestTable =>
  manifestTable({
    name,
    columns: Object.fromEntries(Object.entries(COLUMNS).map(([column, [, target]]) => [column, target])),
    primaryKey: KEYS[name] ?? [],
  });
const TABLES = Object.keys(KEYS).map(table);

const row = fc
  .tuple(...Object.values(COLUMNS).map(([, , values]) => fc.tuple(values, fc.integer({ min: 0, max: 4 }))))
  .map((cells) => cells.map(([value, dice]) => ({ value, isNull: dice === 0 })));
type Row = readonly { readonly value: string; readonly isNull: boolean }[];

describe.each(["DuckDB", "Snowflake"])("fingerprints in PostgreSQL and %s", (engine) => {
  const stack = new AsyncDisposableStack();
  let db: TestDatabase;
  let source: Source;
  let warehouse: Warehouse;
  let batchId = 0;

  beforeAll(async () => {
    db = stack.use(await createTestDatabase());
    source = stack.use(connectSource({ url: db.url }));
    const columns = Object.entries(COLUMNS).map(([name, [type]]) => `${name} ${type}`);
    for (const { name, primaryKey } of TABLES) {
      const key = primaryKey.length === 0 ? "" : `, PRIMARY KEY (${primaryKey.join(", ")})`;
      await db.query(`CREATE TABLE ${name} (${columns.join(", ")}${key})`);
    }
    const manifest = { file: "manifest.yml", tables: TABLES };
    if (engine === "DuckDB") warehouse = stack.use(await openDuckDb({ file: ":memory:" }));
    else {
      const snowflake = stack.use(await startTestSnowflake());
      await snowflake.server.createStageTables(manifest);
      warehouse = stack.use(await snowflake.open());
    }
    await warehouse.prepare(manifest);
  });
  afterAll(() => stack.disposeAsync());

  async function fill(rows: readonly Row[]): Promise<void> {
    const names = Object.keys(COLUMNS);
    for (const { name, primaryKey } of TABLES) {
      await db.query(`TRUNCATE ${name}`);
      const records = rows.map((cells) =>
        Object.fromEntries(
          cells.map(({ value, isNull }, index) => [
            names[index],
            isNull && !primaryKey.includes(names[index] ?? "") ? null : value,
          ]),
        ),
      );
      await db.query(
        `INSERT INTO ${name} SELECT * FROM json_populate_recordset(NULL::${name}, $1) ON CONFLICT DO NOTHING`,
        [JSON.stringify(records)],
      );
    }
    await db.query(`INSERT INTO keyless SELECT * FROM keyless LIMIT 1`);
  }

  it("are equal for random rows of every type, bucket by bucket and row by row", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 100, size: "max" }), async (rows) => {
        await fill(rows);
        await using snapshot = await source.openSnapshot(TABLES);
        batchId += 1;
        await copyIntoStage({ snapshot, warehouse, tables: TABLES, batchId });
        for (const one of TABLES) {
          const { columns, range } = await snapshot.fingerprintBasis(one, signal);
          expect(columns.every(isSummed)).toBe(true);
          const buckets: KeyBuckets = range ? rangeBuckets(range.column, range, 8) : hashBuckets(rows.length, 4, 8);
          const shape = { table: one, columns, buckets };
          const there = await snapshot.fingerprint({ ...shape, signal });
          const here = await warehouse.fingerprint(shape);
          expect(sorted(here), one.name).toEqual(sorted(there.buckets));
          expect(there.changed).toBe(0);
          const only = there.buckets.slice(0, 2).flatMap(({ bucket }) => (bucket === null ? [] : [bucket]));
          const some = { ...shape, only };
          const counted = there.buckets.slice(0, 2).reduce((sum, bucket) => sum + bucket.rows, 0);
          const [rowsThere, rowsHere]: FingerprintRow[][] = [[], []];
          await snapshot.fingerprintRows(
            { ...some, signal },
            (taken) => void rowsThere?.push(...taken.map(({ key, values }) => ({ key, values }))),
          );
          await warehouse.fingerprintRows(some, (taken) => void rowsHere?.push(...taken));
          expect(rowsThere).toHaveLength(counted);
          expect(byText(rowsHere ?? [])).toEqual(byText(rowsThere ?? []));
          expect(sorted(await warehouse.fingerprint(some))).toEqual(
            sorted((await snapshot.fingerprint({ ...some, signal })).buckets).filter(
              ({ bucket }) => bucket === null || only.includes(bucket),
            ),
          );
        }
      }),
      { numRuns: engine === "DuckDB" ? 2 : 1, seed: 11, endOnFailure: true },
    );
  });
});

const sorted = (buckets: readonly BucketFingerprint[]) =>
  buckets.toSorted((left, right) => Number((left.bucket ?? 0n) - (right.bucket ?? 0n)));
const byText = (rows: readonly FingerprintRow[]) => rows.map((one) => JSON.stringify(one)).toSorted();
