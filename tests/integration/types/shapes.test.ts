/** Tables of odd shapes: names, many columns, no rows, nothing but NULL, columns that PostgreSQL fills, values of megabytes. */
import { describe, expect, it } from "vitest";
import { writeManifest } from "../../../runtime/manifest/introspect-write.ts";
import { introspectSchema } from "../../../runtime/source/introspect.ts";
import { createProject, WAREHOUSES } from "../../support/project.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const LONG = "x".repeat(63);
const NAMES = ["select", "Mixed Case", 'quo"te', "it's", "a.b", "%s {{ x }}", "ção", "group by", LONG];
const MANY = 500;
const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

const SOURCE = `
  CREATE TABLE "Order ""by""" (id int PRIMARY KEY, ${NAMES.map((name) => `${identifier(name)} text`).join(", ")});
  INSERT INTO "Order ""by""" VALUES (1, ${NAMES.map((_, index) => `'value ${index}'`).join(", ")});
  CREATE TABLE "${LONG}" (id int PRIMARY KEY);
  INSERT INTO "${LONG}" VALUES (1), (2);
  CREATE TABLE wide (id int PRIMARY KEY, ${Array.from({ length: MANY }, (_, i) => `c${i} ${i % 2 ? "text" : "numeric(12,2)"}`).join(", ")});
  INSERT INTO wide SELECT i, ${Array.from({ length: MANY }, (_, i) => (i % 2 ? `'t' || i` : `i + ${i}`)).join(", ")} FROM generate_series(1, 20) i;
  INSERT INTO wide (id) VALUES (21);
  CREATE TABLE empty (id int PRIMARY KEY, note text);
  CREATE TABLE only_null (a int, b text, c timestamptz);
  INSERT INTO only_null SELECT FROM generate_series(1, 3);
  CREATE TABLE one_null (a int);
  INSERT INTO one_null VALUES (NULL), (1), (NULL);
  CREATE TABLE filled (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n serial, small smallserial, big bigserial, price numeric(10,2) DEFAULT 1.5,
    twice numeric(12,2) GENERATED ALWAYS AS (price * 2) STORED, label text GENERATED ALWAYS AS ('n' || price) STORED);
  INSERT INTO filled (price) VALUES (1.10), (NULL), (DEFAULT);
  CREATE TABLE large (id int PRIMARY KEY, note text, doc jsonb, bytes bytea);
  INSERT INTO large VALUES (1, repeat(E'é"\\n', 2621440), jsonb_build_object('k', repeat('x', 10485760)), decode(repeat('00ff', 2097152), 'hex')), (2, '', 'null', '')`;

describe.each(WAREHOUSES)("on %s", (warehouse) => {
  it("every shape arrives, by the manifest that introspection writes", async () => {
    // The manifest is written from a database of the same shape, because the stage tables are made from it.
    const tables = await liveTables();
    const manifest = writeManifest({ tables, schema: "public" });
    await using project = await createProject(warehouse, {
      source: SOURCE,
      tables: "",
      files: { "models/manifest.yml": manifest },
    });
    const result = await project.run();
    expect(result.error).toBeUndefined();
    const counts = Object.fromEntries(result.tables.map(({ name, rows_total }) => [name, rows_total]));
    expect(counts).toEqual({
      'Order "by"': 1,
      [LONG]: 2,
      wide: 21,
      empty: 0,
      only_null: 3,
      one_null: 3,
      filled: 3,
      large: 2,
    });
    const stage = (name: string) => (warehouse === "snowflake" ? identifier(name.toUpperCase()) : identifier(name));
    const list = NAMES.map((name) => stage(name)).join(", ");
    expect(await project.ask(`SELECT ${list} FROM stage.${stage('Order "by"')}`)).toEqual([
      NAMES.map((_, index) => `value ${index}`),
    ]);
    const [wide] = await project.ask("SELECT * EXCLUDE (_synced_at, _batch_id) FROM stage.wide WHERE id = 7");
    expect(wide).toEqual(["7", ...Array.from({ length: MANY }, (_, i) => (i % 2 ? "t7" : `${7 + i}.00`))]);
    const [nothing] = await project.ask("SELECT * EXCLUDE (id, _synced_at, _batch_id) FROM stage.wide WHERE id = 21");
    expect(nothing).toEqual(Array.from({ length: MANY }, () => null));
    expect(await project.ask("SELECT a, b, c FROM stage.only_null")).toEqual(
      Array.from({ length: 3 }, () => [null, null, null]),
    );
    expect(await project.ask("SELECT a FROM stage.one_null ORDER BY a")).toEqual([["1"], [null], [null]]);
    expect(await project.ask("SELECT id, n, small, big, price, twice, label FROM stage.filled ORDER BY id")).toEqual([
      ["1", "1", "1", "1", "1.10", "2.20", "n1.10"],
      ["2", "2", "2", "2", null, null, null],
      ["3", "3", "3", "3", "1.50", "3.00", "n1.50"],
    ]);
    const [large] = await project.database.query(
      "SELECT md5(note) AS note, length(note)::text AS size, length(doc->>'k')::text AS doc, encode(bytes, 'hex') AS bytes FROM large WHERE id = 1",
    );
    expect(large).toMatchObject({ size: String(3 * 2_621_440), doc: String(10 * 2 ** 20) });
    const [loaded] = await project.ask(
      "SELECT MD5(note), LENGTH(note), LENGTH(doc:k::varchar), bytes FROM stage.large WHERE id = 1",
    );
    // No message could show 8 MB of digits.
    expect(JSON.stringify(loaded) === JSON.stringify(Object.values(large ?? {}))).toBe(true);
  }, 120_000);
});

async function liveTables() {
  await using database = await createTestDatabase();
  await database.query(SOURCE);
  return await introspectSchema({ url: database.url });
}
