/** A process that opens the warehouse, prepares it, and keeps it open until it is killed. */
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";

const warehouse = await openDuckDb({ file: process.argv[2] ?? "" });
await warehouse.prepare({ file: "manifest.yml", tables: [] });
process.stdout.write("open\n");
process.stdin.resume();
