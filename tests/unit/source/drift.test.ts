import { expect, test } from "vitest";
import type { PostgresType } from "../../../runtime/manifest/postgres-type.ts";
import type { Relation } from "../../../runtime/source/catalogue.ts";
import { driftOf } from "../../../runtime/source/drift.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const INT: PostgresType = { name: "int4", modifier: -1, text: "integer" };
const VARCHAR_20: PostgresType = { name: "varchar", modifier: 24, text: "character varying(20)" };
const NUMERIC: PostgresType = { name: "numeric", modifier: -1, text: "numeric" };
const DECIMAL_12_2: PostgresType = { name: "numeric", modifier: ((12 << 16) | 2) + 4, text: "numeric(12,2)" };

function relation(columns: Readonly<Record<string, PostgresType>>, options: Partial<Relation> = {}): Relation {
  const all = Object.entries(columns).map(([name, type], index) => ({
    name,
    number: index + 1,
    type,
    notNull: name === "id",
    comment: null,
  }));
  const facts = { oid: 1, kind: "r", comment: null, schemaUsage: true, readable: true, filtered: false } as const;
  return { ...facts, schema: "public", name: "t", columns: all, uniqueKeys: [], ...options };
}

const table = (columns: Readonly<Record<string, string>>) =>
  manifestTable({ name: "t", columns: { id: "integer", ...columns }, primaryKey: ["id"] });

test("a table that is what the manifest says has not drifted", () => {
  expect(driftOf(table({ note: "varchar(20)" }), relation({ id: INT, note: VARCHAR_20 }))).toEqual([]);
});

test("new columns are told together; those of another schema with its name", () => {
  const columns = { id: INT, a: INT, b: DECIMAL_12_2 };
  const [found] = driftOf(table({}), relation(columns));
  expect(found).toMatchObject({
    columns: ["a", "b"],
    remedy: expect.stringMatching(/^`novadrive introspect --write`/),
  });
  expect(found?.message).toBe('public.t has 2 columns "a", "b" that the manifest lacks: not loaded.');
  expect(driftOf(table({}), relation(columns, { schema: "shop" }))[0]?.remedy).toContain("--schema shop --write");
});

test("a type that holds some values only is told with the one that holds all, in YAML's quotes", () => {
  const found = driftOf(
    table({ note: "varchar(10)", price: "decimal(10,2)" }),
    relation({ id: INT, note: VARCHAR_20, price: DECIMAL_12_2 }),
  );
  expect(found.map(({ remedy }) => remedy)).toEqual([
    "In the manifest, for note of t, write data_type: varchar(20).",
    'In the manifest, for price of t, write data_type: "decimal(12,2)".',
  ]);
});

test("what somebody chose is no drift: a decimal for a numeric without bounds, a policy for what does not fit", () => {
  expect(driftOf(table({ price: "decimal(10,2)" }), relation({ id: INT, price: NUMERIC }))).toEqual([]);
  const { columns, ...rest } = table({ note: "varchar(10)" });
  const lenient = { ...rest, columns: columns.map((column) => ({ ...column, onMisfit: "null" as const })) };
  expect(driftOf(lenient, relation({ id: INT, note: VARCHAR_20 }))).toEqual([]);
});

test("NULL that the manifest rules out is told, but not of views, which do not say", () => {
  const strict = table({ note: "varchar(20) not null" });
  expect(driftOf(strict, relation({ id: INT, note: VARCHAR_20 }))).toMatchObject([{ kind: "column_nullable" }]);
  expect(driftOf(strict, relation({ id: INT, note: VARCHAR_20 }, { kind: "m" }))).toEqual([]);
});

test("a column that has the name of the load's own is told, and not offered", () => {
  const soft = manifestTable({ name: "t", columns: { id: "integer" }, primaryKey: ["id"], sync: { deletes: "soft" } });
  const live = relation({ id: INT, _deleted_at: INT });
  expect(driftOf(soft, live)).toMatchObject([{ kind: "column_left_out", columns: ["_deleted_at"] }]);
  expect(driftOf(table({}), live)).toMatchObject([{ kind: "column_new", columns: ["_deleted_at"] }]);
});
