/** Writes one staged file, compressed or not; the caller waits when the disk is slower than PostgreSQL. */
import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { finished, pipeline } from "node:stream/promises";
import type { Writable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import { NovaError } from "../core/errors.ts";
import type { StagedFile, StagedFileFormat } from "../core/staged-file.ts";

/**
 * Bytes that are compressed or written in one go. PostgreSQL's pieces of some 20 KB one by one cost 1-2 s more of processor time in 7 for
 * 5 M rows: each is a task of the thread pool.
 */
const BLOCK = 1 << 20;
/**
 * Blocks of files that are complete, for the next ones. Two new ones for each file of 200 small tables made V8 collect garbage for a third of the
 * load's processor time.
 */
const spare: Buffer[] = [];

const takeBlock = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK);

export class StagedFileWriter {
  readonly path: string;
  readonly #sink: Writable;
  readonly #done: Promise<void>;
  #failure: unknown;
  /** Two, in turn: one is filled while the other is on its way. */
  #filling = takeBlock();
  #other = takeBlock();
  #filled = 0;
  #written: Promise<void> = Promise.resolve();
  /** Bytes taken so far, before compression. */
  bytes = 0;

  constructor(path: string, compression: StagedFileFormat["compression"]) {
    this.path = path;
    const file = createWriteStream(path, { highWaterMark: BLOCK });
    if (compression === "gzip") {
      // The network and the warehouse's ingest are the bottleneck, never the last few per cent of size.
      const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: BLOCK });
      this.#sink = gzip;
      this.#done = pipeline(gzip, file);
    } else {
      this.#sink = file;
      this.#done = finished(file);
    }
    this.#done.catch((thrown: unknown) => (this.#failure = thrown));
  }

  /** The piece's memory may be used again as soon as this resolves. @throws NovaError STAGING_FAILED */
  async write(piece: Buffer): Promise<void> {
    for (let from = 0; from < piece.length;) {
      const copied = piece.copy(this.#filling, this.#filled, from);
      from += copied;
      this.#filled += copied;
      if (this.#filled === BLOCK) await this.#pass();
    }
    this.bytes += piece.length;
  }

  /** Completes the file; nothing may be written or closed afterwards. @throws NovaError STAGING_FAILED */
  async close({ rows, longestRow }: Pick<StagedFile, "rows" | "longestRow">): Promise<StagedFile> {
    if (this.#filled > 0) await this.#pass();
    try {
      this.#sink.end();
      await this.#done;
      spare.push(this.#filling, this.#other);
      return { path: this.path, rows, longestRow, bytes: (await stat(this.path)).size };
    } catch (thrown) {
      throw this.#error(thrown);
    }
  }

  /** Sends the block on its way, as soon as the one before has arrived: that one is filled next. */
  async #pass(): Promise<void> {
    // A stream that fails may never call back for what it was just writing.
    await Promise.race([this.#written, this.#done]).catch(() => {});
    if (this.#failure !== undefined) throw this.#error(this.#failure);
    const block = this.#filling.subarray(0, this.#filled);
    this.#written = new Promise((resolve) => this.#sink.write(block, () => resolve()));
    [this.#filling, this.#other] = [this.#other, this.#filling];
    this.#filled = 0;
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
