/** One pass over a staged file: what DuckDB's reader has to be told, or would not notice. */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";

export interface Scanned {
  /** Bytes of the longest row: the reader's buffer must not be smaller. */
  readonly longest: number;
  /** Whether the file ends within quotes; of a compressed file the reader leaves such a row out. */
  readonly unclosed: boolean;
}

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const PIECE = 1 << 20;

export async function scan(path: string, signal: AbortSignal): Promise<Scanned> {
  const file = createReadStream(path, { highWaterMark: PIECE, signal });
  const pieces = path.endsWith(".gz") ? file.pipe(createGunzip({ chunkSize: PIECE })) : file;
  file.on("error", (error) => pieces.destroy(error));
  let longest = 0;
  let current = 0;
  let quoted = false;
  for await (const piece of pieces) {
    if (!(piece instanceof Uint8Array)) continue;
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at];
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === NEWLINE && !quoted) {
        longest = Math.max(longest, current + at + 1 - start);
        current = 0;
        start = at + 1;
      }
    }
    current += piece.length - start;
  }
  return { longest: Math.max(longest, current), unclosed: quoted };
}
