/** A file of rows between source and warehouse. */

export interface StagedFile {
  readonly path: string;
  /** Rows in the file, as counted by PostgreSQL. */
  readonly rows: number;
  /** Bytes of the longest row before compression, its line end included. */
  readonly longestRow: number;
  /** Bytes in the file, after compression. */
  readonly bytes: number;
}

/** What a warehouse wants its staged files to be. */
export interface StagedFileFormat {
  readonly compression: "none" | "gzip";
  /** Size to aim at before compression, in bytes; files end at a row. */
  readonly targetBytes: number;
  /**
   * Whether timestamps come as PostgreSQL sends them in binary, microseconds since 2000 in 16 hexadecimal digits: `\x0002b3c4d5e6f708`. Writing
   * them as text is half of what a COPY of nine columns costs PostgreSQL, three of which are timestamps.
   */
  readonly binaryTimestamps?: boolean | undefined;
}
