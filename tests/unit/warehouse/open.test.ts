import { expect, it } from "vitest";
import { parseWarehouseUrl } from "../../../runtime/warehouse/open.ts";

it.each([
  ["duckdb:./warehouse.duckdb", "./warehouse.duckdb"],
  ["duckdb:/var/lib/novadrive/w.duckdb", "/var/lib/novadrive/w.duckdb"],
  ["duckdb:///var/lib/w.duckdb", "/var/lib/w.duckdb"],
  ["DuckDB:w.duckdb", "w.duckdb"],
  [" duckdb::memory: ", ":memory:"],
])("reads the file of %s", (url, file) => {
  expect(parseWarehouseUrl(url)).toEqual({ engine: "duckdb", file });
});

it("reads a Snowflake URL, and keeps a password in it to itself", () => {
  const url = "snowflake://org-account/NOVADRIVE?warehouse=WH&role=LOADER";
  expect(parseWarehouseUrl(url)).toMatchObject({ engine: "snowflake", account: "org-account", database: "NOVADRIVE" });
  const parse = (): unknown =>
    parseWarehouseUrl("snowflake://user:secret@org-account/NOVADRIVE?warehouse=WH&role=LOADER");
  expect(parse).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  expect(parse).not.toThrow(/secret/);
});

it.each(["", "warehouse.duckdb", "postgres://user:secret@host/db", "duckdb:", "duckdb://", "C:\\w.duckdb"])(
  "refuses %j, and says what to write",
  (url) => {
    const parse = (): unknown => parseWarehouseUrl(url);
    expect(parse).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", remedy: expect.stringContaining("duckdb:./warehouse.duckdb") }),
    );
    expect(parse).not.toThrow(/secret/);
  },
);
