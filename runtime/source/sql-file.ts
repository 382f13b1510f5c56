/** Catalogue queries live in .sql files beside their readers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The text of `sql/<name>.sql`. */
export function sqlFile(name: string): string {
  return readFileSync(join(import.meta.dirname, "sql", `${name}.sql`), "utf8");
}
