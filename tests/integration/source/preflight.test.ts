import { expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { manifestTable } from "../../support/manifest-table.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const SALES = manifestTable({
  name: "sales",
  columns: { id: "integer", price: "decimal(10,2) not null", note: "varchar(10)", changed: "timestamp_ltz" },
  primaryKey: ["id"],
  sync: { mode: "incremental", cursor: "changed" },
});

async function failure(db: TestDatabase, tables: readonly ManifestTable[], url = db.url): Promise<NovaError> {
  await using source = connectSource({ url });
  const thrown: unknown = await source.preflight(tables).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof NovaError)) throw new Error(`Preflight gave ${String(thrown)}`);
  return thrown;
}

test("a source that agrees passes; columns that the manifest lacks are warned about", async () => {
  await using db = await createTestDatabase();
  await db.query(
    "CREATE TABLE sales (id int PRIMARY KEY, price numeric(8,2) NOT NULL, note varchar(10), changed timestamptz, extra text)",
  );
  await using source = connectSource({ url: db.url });
  expect(await source.preflight([SALES])).toEqual([
    {
      kind: "column_new",
      table: "sales",
      columns: ["extra"],
      message: 'public.sales has a column "extra" that the manifest lacks: not loaded.',
      remedy:
        "`novadrive introspect --write` adds it to the manifest; where Pulumi makes the stage tables, run `pulumi up` then.",
    },
  ]);
});

test("everything that is wrong is said at once", async () => {
  await using db = await createTestDatabase();
  await db.query("CREATE TABLE sales (id int, price float NOT NULL, note text)");
  const error = await failure(db, [SALES, manifestTable({ name: "gone", columns: { id: "integer" } })]);
  expect(error.message.split("\n")).toEqual([
    "- public.sales.price is double precision, which NUMBER(10,2) of the manifest cannot hold exactly.",
    '- public.sales has no column "changed", which is to be its cursor.',
    "- public.sales has no unique key on (id).",
    "- The source has no table public.gone.",
  ]);
  expect(error.remedy.split("\n")).toEqual([
    "In the manifest, for price of sales, write data_type: float.",
    'Take it out of the manifest, or add it: ALTER TABLE "public"."sales" ADD COLUMN "changed" …;',
    'ALTER TABLE "public"."sales" ADD PRIMARY KEY ("id"); or use mode: full_refresh without primary_key.',
    "Create it, correct source_schema or source_table of gone in the manifest, or take the table out.",
  ]);
  expect(error.code).toBe("SOURCE_TYPE_MISMATCH");
});

test("a missing privilege comes with the GRANT that mends it, and the GRANT mends it", async () => {
  await using db = await createTestDatabase();
  const role = `loader_${db.name}`;
  await db.query(`
    CREATE SCHEMA shop; CREATE TABLE shop.sales (id int PRIMARY KEY, price numeric(10,2) NOT NULL, note varchar(10), changed timestamptz);
    CREATE ROLE ${role} LOGIN PASSWORD 'p'`);
  try {
    const table: ManifestTable = { ...SALES, sourceSchema: "shop" };
    const url = db.urlFor({ user: role, password: "p" });
    const error = await failure(db, [table], url);
    expect(error.code).toBe("SOURCE_PERMISSION");
    expect(error.remedy.split("\n")).toEqual([
      `GRANT USAGE ON SCHEMA "shop" TO "${role}";`,
      `GRANT SELECT ON "shop"."sales" TO "${role}";`,
    ]);
    await db.query(error.remedy);
    await using source = connectSource({ url });
    expect(await source.preflight([table])).toEqual([]);

    await db.query("ALTER TABLE shop.sales ENABLE ROW LEVEL SECURITY");
    expect((await failure(db, [table], url)).message).toContain("Row-level security hides rows of shop.sales");
  } finally {
    await db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test.each([
  ["a partial index", "CREATE UNIQUE INDEX ON sales (id) WHERE price > 0"],
  ["an index over an expression", "CREATE UNIQUE INDEX ON sales ((id + 1))"],
  ["a plain index", "CREATE INDEX ON sales (id)"],
  ["a wider key", "CREATE UNIQUE INDEX ON sales (id, price)"],
])("%s is no unique key", async (_, index) => {
  await using db = await createTestDatabase();
  await db.query(
    "CREATE TABLE sales (id int NOT NULL, price numeric(10,2) NOT NULL, note varchar(10), changed timestamptz)",
  );
  await db.query(index);
  expect((await failure(db, [SALES])).code).toBe("SOURCE_KEY_MISSING");
});

test("a unique index is a key only if its columns cannot be NULL; then it is one, also over fewer columns", async () => {
  await using db = await createTestDatabase();
  await db.query(
    "CREATE TABLE sales (id int UNIQUE, price numeric(10,2) NOT NULL, note varchar(10), changed timestamptz)",
  );
  const error = await failure(db, [SALES]);
  expect(error.code).toBe("SOURCE_KEY_MISSING");
  expect(error.remedy).toBe('ALTER TABLE "public"."sales" ALTER COLUMN "id" SET NOT NULL;');
  await db.query(error.remedy);
  await using source = connectSource({ url: db.url });
  await source.preflight([SALES, { ...SALES, name: "wider", primaryKey: ["id", "price"] }]);
});

test("a cursor must be a timestamp, a date or an integer", async () => {
  await using db = await createTestDatabase();
  await db.query(
    "CREATE TABLE sales (id int PRIMARY KEY, price numeric(10,2) NOT NULL, note varchar(10), changed timestamptz)",
  );
  const error = await failure(db, [{ ...SALES, sync: { ...SALES.sync, cursor: "note" } }]);
  expect(error.message).toBe(
    "public.sales.note is character varying(10), which cannot be a cursor: it is no timestamp, date or integer.",
  );
});
