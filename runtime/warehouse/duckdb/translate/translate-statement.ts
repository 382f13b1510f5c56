/** Snowflake's SQL into DuckDB's, by the SQL library. Runs in the translator process only: the library takes hundreds of megabytes (see translator.ts). */
import { isDeepStrictEqual } from "node:util";
import { Dialect, generate, parse, transpile } from "@polyglot-sql/sdk";
import { rewrite, type Json } from "./rewrite.ts";

export type Translation =
  | { readonly ok: true; readonly statements: readonly string[] }
  | {
      readonly ok: false;
      readonly message: string;
      /** Offset in the given SQL, in characters; undefined where the library does not say. */
      readonly offset?: number | undefined;
    };

export function translateStatements(sql: string): Translation {
  const parsed = parse(sql, Dialect.Snowflake);
  if (!parsed.success) return failed(parsed.error ?? "The SQL cannot be read.", parsed.errorStart);
  const tree = asJson(parsed.ast);
  const rewritten = rewrite(tree);
  // Writing the tree down again is half of the whole cost, and most statements need no rewriting.
  const generated = isDeepStrictEqual(tree, rewritten)
    ? { success: true, sql: [sql], error: undefined }
    : generate(rewritten, Dialect.Snowflake);
  if (!generated.success || generated.sql === undefined) return failed(generated.error ?? "The SQL cannot be written.");
  const statements: string[] = [];
  for (const statement of generated.sql) {
    const translated = transpile(statement, Dialect.Snowflake, Dialect.DuckDB);
    if (!translated.success || translated.sql === undefined) {
      return failed(translated.error ?? "The SQL cannot be translated.");
    }
    statements.push(...translated.sql);
  }
  return { ok: true, statements };
}

function failed(message: string, offset?: number): Translation {
  const plain = message.replace(/^(Parse|Tokenization) error at line \d+, column \d+: /, "");
  return { ok: false, message: plain, offset };
}

/** The tree comes from the library as plain data. */
function asJson(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(asJson);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, asJson(child)]));
}
