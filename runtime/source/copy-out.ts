/**
 * COPY … TO STDOUT as a stream of the rows' bytes.
 *
 * PostgreSQL sends each row as a message of its own. A JavaScript object for each (as pg-copy-streams makes) is what most of a load's memory
 * goes into: V8 lets its young generation grow to 100 MB over it. Here the rows are moved together inside of what the socket gave. With 5 M
 * rows on their way to a stage the process needs 255 MB instead of 320 MB, and reading takes some 15 % less processor time.
 */
import { Readable, type Duplex } from "node:stream";
import type { Connection, Submittable } from "pg";

const NOTHING = Buffer.alloc(0);
/** A code and four bytes of length, which count themselves. */
const HEADER = 5;
const [COPY_DATA, COPY_DONE, ERROR_RESPONSE] = [0x64, 0x63, 0x45];

export class CopyOut extends Readable implements Submittable {
  /** As PostgreSQL counted them, once it is complete. */
  rowCount = 0;
  /** Rows of which at least the beginning has come. */
  received = 0;
  /** Bytes of the longest row, its line end included: PostgreSQL sends each row as one message. */
  longest = 0;
  /** Settles when the statement is over, which is after the last byte. */
  readonly complete: Promise<void>;
  readonly #sql: string;
  readonly #over = Promise.withResolvers<void>();
  #socket: Duplex | undefined;
  /** pg's own reading of the socket, which gets it back after the last row. */
  #pgReads: ((bytes: Buffer) => void) | undefined;
  /** The beginning of a message of which not even the header is complete. */
  #torn: Buffer = NOTHING;
  /** Bytes of the present message that are still to come. */
  #left = 0;
  #isData = false;
  #wanted = false;
  readonly #onReadable = (): void => this.#forward();

  /** @param buffer bytes that may wait to be read before PostgreSQL has to */
  constructor(sql: string, buffer: number) {
    super({ highWaterMark: buffer });
    this.#sql = sql;
    this.complete = this.#over.promise;
    this.complete.catch(() => {});
    this.on("error", this.#over.reject);
  }

  /** Called by pg when it is the statement's turn. */
  submit(connection: Connection): void {
    const socket = connection.stream as Duplex;
    const [pgReads, ...others] = socket.listeners("data") as ((bytes: Buffer) => void)[];
    if (!pgReads || others.length > 0) throw new TypeError("This version of pg reads its socket in another way");
    this.#socket = socket;
    this.#pgReads = pgReads;
    socket.off("data", pgReads);
    socket.pause();
    socket.on("readable", this.#onReadable);
    connection.query(this.#sql);
  }

  handleError(error: Error): void {
    this.#over.reject(error);
    this.#giveBack(NOTHING);
    this.destroy(error);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.rowCount = Number(/COPY (\d+)/.exec(text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#over.resolve();
  }

  override _read(): void {
    this.#wanted = true;
    this.#forward();
  }

  #forward(): void {
    while (this.#wanted && this.#socket) {
      const bytes = this.#socket.read() as Buffer | null;
      if (bytes === null) return;
      this.#take(this.#torn.length === 0 ? bytes : Buffer.concat([this.#torn, bytes]));
    }
  }

  /** Moves the rows in `bytes` together, over the headers between them. */
  #take(bytes: Buffer): void {
    let end = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#left === 0) {
        if (bytes.length - at < HEADER) break;
        const code = bytes[at];
        // The rest is for pg to read.
        if (code === ERROR_RESPONSE) return this.#finish(bytes, { end, rest: at });
        this.#left = bytes.readUInt32BE(at + 1) - 4;
        this.#isData = code === COPY_DATA;
        if (this.#isData) {
          this.received += 1;
          if (this.#left > this.longest) this.longest = this.#left;
        }
        at += HEADER;
        if (code === COPY_DONE) return this.#finish(bytes, { end, rest: at });
      }
      const taken = Math.min(this.#left, bytes.length - at);
      if (this.#isData) {
        bytes.copyWithin(end, at, at + taken);
        end += taken;
      }
      this.#left -= taken;
      at += taken;
    }
    this.#torn = bytes.subarray(at);
    if (end > 0) this.#wanted = this.push(bytes.subarray(0, end));
  }

  #finish(bytes: Buffer, { end, rest }: { readonly end: number; readonly rest: number }): void {
    if (end > 0) this.push(bytes.subarray(0, end));
    const failed = bytes[rest] === ERROR_RESPONSE;
    this.#giveBack(bytes.subarray(rest));
    if (!failed) this.push(null);
  }

  #giveBack(rest: Buffer): void {
    const [socket, pgReads] = [this.#socket, this.#pgReads];
    if (!socket || !pgReads) return;
    this.#socket = undefined;
    socket.off("readable", this.#onReadable);
    socket.on("data", pgReads);
    if (rest.length > 0) pgReads(rest);
    // What pg does with the rest may pause the socket.
    process.nextTick(() => socket.resume());
  }
}
