/**
 * The digests of each table's keys as of the batch that published it last, in a folder of this machine. A file is believed only if it is the one
 * whose hash the warehouse's watermark has: one that is lost, torn, older, or of another warehouse costs a look into the stage table.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ManifestTable } from "../manifest/manifest.ts";
import { readDigests, writeDigests, type KeyDigests } from "./key-digests.ts";

export class KeyStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param digest as the watermark has it */
  async read(table: ManifestTable, digest: string | undefined): Promise<KeyDigests | undefined> {
    if (digest === undefined) return undefined;
    const text = await readFile(this.#file(table), "utf8").catch(() => undefined);
    return text === undefined ? undefined : readDigests(text, digest);
  }

  /** @throws Error of the file system; the next batch then does without */
  async write(table: ManifestTable, digests: KeyDigests): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const file = this.#file(table);
    await writeFile(`${file}.new`, writeDigests(digests).text);
    await rename(`${file}.new`, file);
  }

  /** Removes what is known of all other tables. @throws Error of the file system */
  async keepOnly(tables: readonly ManifestTable[]): Promise<void> {
    const wanted = new Set(tables.map((table) => fileName(table)));
    const there = await readdir(this.#folder).catch(() => []);
    for (const file of there) if (!wanted.has(file)) await rm(join(this.#folder, file));
  }

  #file(table: ManifestTable): string {
    return join(this.#folder, fileName(table));
  }
}

function fileName({ schema, name }: ManifestTable): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([schema, name]))
    .digest("base64url");
  return `${encodeURIComponent(name).slice(0, 60)}-${hash.slice(0, 12)}.json`;
}
