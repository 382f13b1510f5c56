/** Writes one staged file, compressed or not; the caller waits when the disk is slower than PostgreSQL. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { finished, pipeline } from "node:stream/promises";
import type { Writable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import { NovaError } from "../core/errors.ts";
import type { StagedFile, StagedFileFormat } from "../core/staged-file.ts";

const BUFFER = 1 << 20;

export class StagedFileWriter {
  readonly path: string;
  readonly #sink: Writable;
  readonly #done: Promise<void>;
  #failure: unknown;
  /** Bytes taken so far, before compression. */
  bytes = 0;

  constructor(path: string, compression: StagedFileFormat["compression"]) {
    this.path = path;
    const file = createWriteStream(path, { highWaterMark: BUFFER });
    if (compression === "gzip") {
      // The network and the warehouse's ingest are the bottleneck, never the last few per cent of size.
      const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: BUFFER });
      this.#sink = gzip;
      this.#done = pipeline(gzip, file);
    } else {
      this.#sink = file;
      this.#done = finished(file);
    }
    this.#done.catch((thrown: unknown) => (this.#failure = thrown));
  }

  /** @throws NovaError STAGING_FAILED */
  async write(piece: Buffer): Promise<void> {
    if (this.#failure !== undefined) throw this.#error(this.#failure);
    this.bytes += piece.length;
    if (this.#sink.write(piece)) return;
    await Promise.race([once(this.#sink, "drain"), this.#done]).catch((thrown: unknown) => {
      throw this.#error(thrown);
    });
  }

  /** Completes the file. @throws NovaError STAGING_FAILED */
  async close(rows: number): Promise<StagedFile> {
    try {
      this.#sink.end();
      await this.#done;
      return { path: this.path, rows, bytes: (await stat(this.path)).size };
    } catch (thrown) {
      throw this.#error(thrown);
    }
  }

  /** Removes the file, complete or not. */
  async remove(): Promise<void> {
    this.#sink.destroy();
    await this.#done.catch(() => {});
    await rm(this.path, { force: true });
  }

  #error(cause: unknown): NovaError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new NovaError("STAGING_FAILED", `The staged file ${this.path} cannot be written: ${reason}.`, { cause });
  }
}
