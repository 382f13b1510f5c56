/** The tables, and the batch, that the samples of statements are about. */
import type { ManifestTable } from "../../../../runtime/manifest/manifest.ts";
import { incomingTable } from "../../../../runtime/warehouse/snowflake/sql/names.ts";
import { manifestTable } from "../../../support/manifest-table.ts";

export const EVERY_TYPE = {
  id: "integer not null",
  amount: "decimal(10,2)",
  name: "varchar(20) not null",
  note: "text",
  ratio: "float",
  active: "boolean not null",
  day: "date",
  at_time: "time",
  seen_at: "timestamp_ltz",
  local_at: "timestamp_ntz",
  zoned_at: "timestamp_tz",
  picture: "binary(4)",
  raw: "binary",
  document: "variant",
};

export const every = table("every_type", EVERY_TYPE, ["id"]);
const composite = table("composite", EVERY_TYPE, Object.keys(EVERY_TYPE));
export const onlyKey = table("only_key", { id: "integer not null" }, ["id"]);
const single = table("single_column", { value: "text" }, []);
export const simple = table("simple", { id: "integer not null", name: "text" }, ["id"]);
const keyless = table("keyless", EVERY_TYPE, []);
export const tables = [every, composite, keyless, onlyKey, single, simple];

export function table(
  name: string,
  columns: Readonly<Record<string, string>>,
  primaryKey: readonly string[],
): ManifestTable {
  return manifestTable({ name, columns, primaryKey });
}

export const target = incomingTable("INCOMING_7_0A1B2C3D_ROWS_STAGE_EXAMPLE");
export const batch = {
  id: 7,
  uuid: "5f0c6f0e-6d0e-4f0a-9d54-0d3c2c7a1b11",
  snapshot: "2025-01-02T03:04:05.678901Z",
  startedAt: new Date(Date.UTC(2025, 0, 2)),
};
