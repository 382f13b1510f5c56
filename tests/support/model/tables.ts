/** The tables of the model-based test: one for each way of finding changes, small enough that every row meets every other. */
import type { ManifestTable } from "../../../runtime/manifest/manifest.ts";
import { manifestTable } from "../manifest-table.ts";

export const TABLE_NAMES = ["scanned", "pointed", "appended", "replaced", "parted", "softly"] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** Regions of the partitioned table; each is a partition. */
export const REGIONS = [0, 1, 2] as const;

export interface ModelTable {
  readonly manifest: ManifestTable;
  /** Makes the source's table and its first rows. */
  readonly create: string;
  /** The key of a row, of values in the manifest's order; null where it is all of the row. */
  readonly keyOf: (row: Row) => string | null;
}

/** Values as text, in the manifest's order. */
export type Row = readonly (string | null)[];

const first = (row: Row): string => String(row[0]);

export const MODEL_TABLES: Readonly<Record<TableName, ModelTable>> = {
  scanned: {
    manifest: manifestTable({
      name: "scanned",
      columns: { id: "integer not null", value: "integer", note: "text" },
      primaryKey: ["id"],
      sync: { mode: "incremental", detect: "scan" },
    }),
    create: `CREATE TABLE scanned (id int PRIMARY KEY, value int, note text);
      INSERT INTO scanned SELECT i, 0, 'first' FROM generate_series(1, 4) i`,
    keyOf: first,
  },
  pointed: {
    manifest: manifestTable({
      name: "pointed",
      columns: { id: "integer not null", value: "integer", note: "text", changed: "timestamp_ltz" },
      primaryKey: ["id"],
      sync: { mode: "incremental", detect: "cursor", cursor: "changed" },
    }),
    create: `CREATE TABLE pointed (id int PRIMARY KEY, value int, note text, changed timestamptz DEFAULT now());
      CREATE INDEX ON pointed (changed);
      INSERT INTO pointed SELECT i, 0, 'first' FROM generate_series(1, 4) i`,
    keyOf: first,
  },
  appended: {
    manifest: manifestTable({
      name: "appended",
      columns: { id: "integer not null", value: "integer", note: "text" },
      primaryKey: ["id"],
      sync: { mode: "append", detect: "cursor", cursor: "id", deletes: "ignore" },
    }),
    create: `CREATE TABLE appended (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value int, note text);
      INSERT INTO appended (value, note) SELECT 0, 'first' FROM generate_series(1, 4)`,
    keyOf: first,
  },
  replaced: {
    manifest: manifestTable({ name: "replaced", columns: { value: "integer", note: "text" } }),
    create: `CREATE TABLE replaced (value int, note text);
      INSERT INTO replaced SELECT i % 2, 'first' FROM generate_series(1, 4) i`,
    keyOf: () => null,
  },
  parted: {
    manifest: manifestTable({
      name: "parted",
      columns: { id: "integer not null", region: "integer not null", value: "integer", note: "text" },
      primaryKey: ["id", "region"],
      sync: { mode: "incremental", detect: "scan" },
    }),
    create: `CREATE TABLE parted (id int, region int, value int, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
      ${REGIONS.map((region) => `CREATE TABLE parted_${region} PARTITION OF parted FOR VALUES IN (${region});`).join("")}
      INSERT INTO parted SELECT i, i % 3, 0, 'first' FROM generate_series(1, 4) i`,
    keyOf: (row) => `${row[0]}/${row[1]}`,
  },
  softly: {
    manifest: manifestTable({
      name: "softly",
      columns: { code: "text not null", value: "integer", note: "text" },
      primaryKey: ["code"],
      sync: { mode: "incremental", detect: "scan", deletes: "soft" },
    }),
    create: `CREATE TABLE softly (code text PRIMARY KEY, value int, note text);
      INSERT INTO softly SELECT 'é' || i, 0, 'first' FROM generate_series(1, 4) i`,
    keyOf: first,
  },
};

/** Removes what a case has left in the source, a table that was moved aside among it. */
export const DROP_ALL = `DROP TABLE IF EXISTS ${[
  ...TABLE_NAMES,
  ...TABLE_NAMES.map((name) => `${name}_other`),
  ...REGIONS.map((region) => `parted_${region}`),
].join(", ")} CASCADE`;

/** A row of the source in the form that a warehouse's query gives it. */
export function selectSql({ columns, name }: ManifestTable): string {
  const values = columns.map(({ name: column, type }) =>
    type.kind === "timestamp_ltz"
      ? `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'`
      : `${column}::text`,
  );
  return `SELECT ARRAY[${values.join(", ")}] AS row FROM ${name}`;
}
