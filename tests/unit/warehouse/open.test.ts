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

it("says of Snowflake that it comes later, without the URL's password", () => {
  const parse = (): unknown => parseWarehouseUrl("snowflake://user:secret@org-account/NOVADRIVE");
  expect(parse).toThrow(expect.objectContaining({ code: "WAREHOUSE_NOT_SUPPORTED" }));
  expect(parse).toThrow(/later version/);
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
