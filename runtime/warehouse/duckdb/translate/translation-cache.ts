/** Translations that were made before, by the text of the statement; kept in a file, since a batch is a process of its own. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Translation } from "./translate-statement.ts";

/** Models and tests of a large project. */
const CAPACITY = 2_000;

const fileSchema = z.object({
  translator: z.string(),
  entries: z.array(z.tuple([z.string(), z.array(z.string())])),
});

/**
 * The newest translations, the least recently used dropped first. Only successes are kept: an error is worth asking for again.
 *
 * With a file, those of another version of the translator do not count. A file that cannot be read or written costs time, nothing else.
 */
export class TranslationCache {
  readonly #file: string | undefined;
  readonly #entries = new Map<string, readonly string[]>();
  #changed = false;

  /** @param folder where to keep them; only in memory, if absent */
  constructor(folder?: string) {
    this.#file = folder === undefined ? undefined : join(folder, "translations.json");
    if (this.#file === undefined) return;
    try {
      const content = fileSchema.parse(JSON.parse(readFileSync(this.#file, "utf8")));
      if (content.translator === translatorVersion()) this.#entries = new Map(content.entries);
    } catch {
      // None yet, or none that is of use.
    }
  }

  get(sql: string): Translation | undefined {
    const statements = this.#entries.get(sql);
    if (!statements) return undefined;
    this.#entries.delete(sql);
    this.#entries.set(sql, statements);
    return { ok: true, statements };
  }

  set(sql: string, translation: Translation): void {
    if (!translation.ok) return;
    this.#entries.set(sql, translation.statements);
    const oldest = this.#entries.size > CAPACITY ? this.#entries.keys().next().value : undefined;
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#changed = true;
  }

  /** Writes the file if there is anything new; in one step, so that a crash leaves the old one. */
  save(): void {
    if (this.#file === undefined || !this.#changed) return;
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      const next = `${this.#file}.${process.pid}`;
      writeFileSync(next, JSON.stringify({ translator: translatorVersion(), entries: [...this.#entries] }));
      renameSync(next, this.#file);
      this.#changed = false;
    } catch {
      // The next batch translates again.
    }
  }
}

/** Changes with the library and with our own part of the translation. */
function translatorVersion(): string {
  const hash = createHash("sha256");
  for (const file of ["translate-statement.ts", "rewrite.ts"])
    hash.update(readFileSync(join(import.meta.dirname, file)));
  const library = new URL("../package.json", import.meta.resolve("@polyglot-sql/sdk"));
  return hash.update(readFileSync(library)).digest("hex");
}
