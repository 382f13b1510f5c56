/** From NOVADRIVE_WAREHOUSE_URL to an open warehouse; an engine's library is loaded only when its URL asks for it. */
import { NovaError } from "../core/errors.ts";
import { parseSnowflakeUrl, type SnowflakeTarget } from "./snowflake/warehouse-url.ts";
import type { Warehouse } from "./warehouse.ts";

export interface OpenWarehouseOptions {
  /** `duckdb:<file>`, `duckdb::memory:` or `snowflake://<org>-<account>/<database>?…`. */
  readonly url: string;
  /** For what does not fit into memory; the default is beside the warehouse file. */
  readonly temporaryFolder?: string | undefined;
  /** Megabytes that the engine may use for models and queries. */
  readonly memoryLimitMb?: number | undefined;
  readonly threads?: number | undefined;
  /** Where the adapter may keep what spares the next process work; losing it costs time only. */
  readonly cacheFolder?: string | undefined;
  /** Takes what the user should know though nothing failed. */
  readonly warn?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type WarehouseTarget = { readonly engine: "duckdb"; readonly file: string } | SnowflakeTarget;

/**
 * Reads a warehouse URL. The path of a DuckDB file may follow `duckdb:` or `duckdb://`; a relative one is taken from the working directory.
 *
 * @throws NovaError CONFIG_INVALID; the URL itself, which may hold a
 * password, is never quoted beyond its scheme
 */
export function parseWarehouseUrl(url: string): WarehouseTarget {
  const match = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url.trim());
  const scheme = match?.[1]?.toLowerCase();
  const rest = match?.[2] ?? "";
  if (scheme === "snowflake") return parseSnowflakeUrl(url);
  if (scheme !== "duckdb") {
    const found = scheme === undefined ? "has no scheme" : `has the scheme "${scheme}:", which no adapter serves`;
    throw new NovaError("CONFIG_INVALID", `NOVADRIVE_WAREHOUSE_URL ${found}.`, {
      remedy: "Set NOVADRIVE_WAREHOUSE_URL=duckdb:./warehouse.duckdb.",
    });
  }
  const file = rest.replace(/^\/\//, "");
  if (file === "" || file.includes("\0")) {
    throw new NovaError("CONFIG_INVALID", "NOVADRIVE_WAREHOUSE_URL names no file after duckdb:.", {
      remedy: "Set NOVADRIVE_WAREHOUSE_URL=duckdb:./warehouse.duckdb.",
    });
  }
  return { engine: "duckdb", file };
}

/** @throws NovaError of parseWarehouseUrl and of the adapter's own opening */
export async function openWarehouse({ url, ...options }: OpenWarehouseOptions): Promise<Warehouse> {
  const target = parseWarehouseUrl(url);
  if (target.engine === "snowflake") {
    const { openSnowflake } = await import("./snowflake/open-snowflake.ts");
    return openSnowflake({ target, warn: options.warn });
  }
  const { openDuckDb } = await import("./duckdb/open-duckdb.ts");
  return openDuckDb({ file: target.file, ...options });
}
