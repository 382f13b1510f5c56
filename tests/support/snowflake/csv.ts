/** Reads a CSV file as COPY does, slowly, with the places of everything: for error messages, and for formats that DuckDB does not read. */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import type { CsvFormat } from "./copy-options.ts";

export interface Field {
  /** Null after NULL_IF and EMPTY_FIELD_AS_NULL. */
  readonly value: string | null;
  /** Place in its line, counted from 1. */
  readonly character: number;
  readonly line: number;
}

export interface CsvRecord {
  readonly fields: readonly Field[];
  /** Counted from 1. */
  readonly row: number;
  readonly line: number;
  /** The file ended within quotes. */
  readonly unclosed: boolean;
  /** What came behind the closing quote instead of a delimiter. */
  readonly found?: string | undefined;
}

export async function* readCsv(path: string, format: CsvFormat): AsyncGenerator<CsvRecord> {
  const parser = new CsvParser(format);
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  const pieces = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
  // A pipe hands no error on, and the file may go before it is opened.
  file.on("error", (error) => pieces.destroy(error));
  const decoder = new TextDecoder();
  for await (const piece of pieces) {
    if (piece instanceof Uint8Array) yield* parser.take(decoder.decode(piece, { stream: true }));
  }
  yield* parser.end();
}

/** Keeps its state over the boundaries of pieces. */
export class CsvParser {
  readonly #format: CsvFormat;
  #fields: Field[] = [];
  #value = "";
  #enclosed = false;
  /** Within quotes, behind a closing quote (or the first half of a doubled one), or neither. */
  #state: "plain" | "inside" | "closed" | "escaped" = "plain";
  #row = 1;
  #line = 1;
  #character = 1;
  #start = { line: 1, character: 1 };
  #recordLine = 1;
  #found: string | undefined;
  #empty = true;

  constructor(format: CsvFormat) {
    this.#format = format;
  }

  *take(text: string): Generator<CsvRecord> {
    const { delimiter, enclosedBy, escapeUnenclosed } = this.#format;
    for (const letter of text) {
      this.#empty = false;
      if (this.#state === "inside") {
        if (letter === enclosedBy) this.#state = "closed";
        else this.#value += letter;
      } else if (this.#state === "escaped") {
        this.#value += letter === "N" && this.#value === "" ? "\\N" : letter;
        this.#state = "plain";
      } else if (this.#state === "closed" && letter === enclosedBy) {
        this.#value += letter;
        this.#state = "inside";
      } else if (letter === delimiter) this.#endField();
      else if (letter === "\n") {
        this.#endField();
        yield this.#endRecord(false);
      } else if (this.#state === "closed") {
        if (letter !== "\r") this.#found ??= letter;
      } else if (letter === enclosedBy && this.#value === "") {
        this.#state = "inside";
        this.#enclosed = true;
      } else if (letter === escapeUnenclosed) this.#state = "escaped";
      else this.#value += letter;
      this.#advance(letter);
    }
  }

  *end(): Generator<CsvRecord> {
    if (this.#empty) return;
    const unclosed = this.#state === "inside";
    this.#endField();
    yield this.#endRecord(unclosed);
  }

  #advance(letter: string): void {
    if (letter === "\n") {
      this.#line++;
      this.#character = 1;
    } else this.#character++;
    if (
      this.#fields.length === 0 &&
      this.#value === "" &&
      this.#state === "plain" &&
      !this.#enclosed &&
      letter === "\n"
    ) {
      this.#start = { line: this.#line, character: 1 };
      this.#recordLine = this.#line;
    } else if (letter === this.#format.delimiter && this.#state === "plain" && this.#value === "") {
      this.#start = { line: this.#line, character: this.#character };
    }
  }

  #endField(): void {
    const { emptyAsNull, nullIf, trimSpace } = this.#format;
    const value = trimSpace && !this.#enclosed ? this.#value.trim() : this.#value;
    const isNull = nullIf.includes(value) || (emptyAsNull && value === "" && !this.#enclosed);
    this.#fields.push({ value: isNull ? null : value, ...this.#start });
    this.#value = "";
    this.#enclosed = false;
    this.#state = "plain";
  }

  #endRecord(unclosed: boolean): CsvRecord {
    const record = { fields: this.#fields, row: this.#row, line: this.#recordLine, unclosed, found: this.#found };
    this.#fields = [];
    this.#row++;
    this.#found = undefined;
    this.#empty = true;
    return record;
  }
}
