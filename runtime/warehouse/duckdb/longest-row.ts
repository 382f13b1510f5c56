/** How long the rows of a staged file are: a row that is longer than the CSV reader's buffer may come back wrong without an error. */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { ManifestColumn } from "../../manifest/manifest.ts";
import type { WarehouseType } from "../../manifest/warehouse-type.ts";

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const PIECE = 1 << 20;

/** The most bytes that a row of these columns takes as CSV; a text counts four bytes a character, or two quotes. */
export function rowBound(columns: readonly ManifestColumn[]): number {
  return columns.reduce((bytes, { type }) => bytes + valueBound(type) + 1, 1);
}

function valueBound(type: WarehouseType): number {
  switch (type.kind) {
    case "number":
      return type.precision + 2;
    case "varchar":
      return 4 * type.length + 2;
    case "binary":
      return 2 * type.length + 2;
    case "variant":
      return Infinity;
    case "float":
    case "boolean":
    case "date":
    case "time":
    case "timestamp_ltz":
    case "timestamp_ntz":
    case "timestamp_tz":
      return 64;
  }
}

/** Bytes of the longest row in a CSV file, its line end included. Takes about 0.1 s for 64 MB. */
export async function longestRow(path: string, signal?: AbortSignal): Promise<number> {
  const rows = new RowLengths();
  const file = createReadStream(path, { highWaterMark: PIECE });
  const take = async (pieces: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of pieces) rows.take(piece);
  };
  const options = signal ? { signal } : {};
  await (path.endsWith(".gz")
    ? pipeline(file, createGunzip({ chunkSize: PIECE }), take, options)
    : pipeline(file, take, options));
  return rows.longest();
}

/** Follows rows over the boundaries of pieces: a line end within quotes ends none, and a doubled quote opens and closes again. */
export class RowLengths {
  #longest = 0;
  #current = 0;
  #quoted = false;

  take(piece: Uint8Array): void {
    let start = 0;
    let quoted = this.#quoted;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at];
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === NEWLINE && !quoted) {
        this.#longest = Math.max(this.#longest, this.#current + at + 1 - start);
        this.#current = 0;
        start = at + 1;
      }
    }
    this.#quoted = quoted;
    this.#current += piece.length - start;
  }

  longest(): number {
    return Math.max(this.#longest, this.#current);
  }
}
