import { expect, it } from "vitest";
import { createIncoming, insertFile } from "../../../../../runtime/warehouse/duckdb/sql/incoming.ts";
import { manifestTable } from "../../../../support/manifest-table.ts";

const table = manifestTable({
  name: "t",
  columns: {
    id: "integer not null",
    price: "decimal(10,2) not null",
    code: "varchar(3)",
    at: "timestamp_ltz",
    data: "binary(4)",
  },
  primaryKey: ["id"],
});
const file = { path: "/tmp/[a]*.csv", columns: table.columns, padded: false, buffer: 2_097_152, parallel: true };

it("reads a file with every option said, and converts what the reader would change", () => {
  expect(insertFile('"in"', file)).toBe(
    [
      `INSERT INTO "in" SELECT c0,`,
      `CASE WHEN strlen(c1) - strpos(c1, '.') = 2 AND NOT contains(c1, 'e') THEN CAST(c1 AS DECIMAL(10,2)) WHEN contains(c1, 'e') OR (contains(c1, '.') AND length(rtrim(c1, '0')) - strpos(c1, '.') > 2) THEN error('misfit') ELSE CAST(c1 AS DECIMAL(10,2)) END,`,
      `CASE WHEN strlen(c2) <= 3 THEN c2 WHEN length(c2) > 3 THEN error('misfit') ELSE c2 END,`,
      String.raw`CASE WHEN starts_with(c3, '\x0') AND c3 < '\x04' THEN make_timestamptz(CAST('0x' || substr(c3, 4) AS BIGINT) + 946684800000000) WHEN starts_with(c3, '\xff') THEN make_timestamptz(CAST('0x' || substr(c3, 4) AS BIGINT) + -1151974819806846976) WHEN strlen(c3) < 10 THEN error('misfit') ELSE CAST(c3 AS TIMESTAMP WITH TIME ZONE) END,`,
      `CASE WHEN length(c4) % 2 = 1 OR length(c4) > 8 THEN error('misfit') ELSE unhex(c4) END`,
      String.raw`FROM read_csv('/tmp/[[]a][*].csv', auto_detect=false, header=false, delim=',', quote='"', escape='"', nullstr='', allow_quoted_nulls=false, new_line='\n', compression='none', max_line_size=2097152, buffer_size=2097152,`,
      `columns={'c0': 'BIGINT', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'})`,
    ].join(" "),
  );
});

it("passes over the constant column of a padded file", () => {
  const sql = insertFile('"in"', {
    ...file,
    columns: table.columns.slice(0, 1),
    padded: true,
    path: "/tmp/a.csv.gz",
    parallel: false,
  });
  expect(sql).toContain("SELECT c0 FROM");
  expect(sql).toContain("columns={'c0': 'BIGINT', 'c1': 'VARCHAR'}");
  expect(sql).toContain("compression='gzip'");
  expect(sql).toContain("parallel=false");
});

it("makes room for rows and for keys, keys being checked later", () => {
  expect(createIncoming('"in"', table, "rows")).toBe(
    'CREATE OR REPLACE TABLE "in" ("id" BIGINT, "price" DECIMAL(10,2) NOT NULL, "code" VARCHAR, "at" TIMESTAMP WITH TIME ZONE, "data" BLOB)',
  );
  expect(createIncoming('"in"', table, "keys")).toBe('CREATE OR REPLACE TABLE "in" ("id" BIGINT)');
});
