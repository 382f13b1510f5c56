/** Reads results by the names of their columns. */
import { z } from "zod";
import { NovaError } from "../../core/errors.ts";
import type { BucketFingerprint } from "../../manifest/fingerprint.ts";
import type { StatementResult } from "./statement.ts";

/** Rows as objects of the named columns, whose names SHOW and DESCRIBE write in lower case. @throws NovaError INTERNAL if one is missing */
export function named<const N extends string>(
  { columns, rows }: StatementResult,
  ...names: readonly N[]
): readonly Readonly<Record<N, string | null>>[] {
  const positions = names.map((name) => {
    const position = columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
    if (position === -1) {
      throw new NovaError(
        "INTERNAL",
        `Snowflake's answer has no column ${name}, only ${columns.map((column) => column.name).join(", ")}.`,
      );
    }
    return [name, position] as const;
  });
  return rows.map(
    (row) =>
      Object.fromEntries(positions.map(([name, position]) => [name, row[position] ?? null])) as Record<
        N,
        string | null
      >,
  );
}

/** Rows of the statement `fingerprint`. */
export function readFingerprint({ rows }: StatementResult): BucketFingerprint[] {
  return rows.map(([bucket, count, key, ...sums]) => ({
    bucket: bucket === null || bucket === undefined ? null : BigInt(bucket),
    rows: Number(count),
    key: String(key),
    columns: Array.from({ length: sums.length / 2 }, (_, index) => `${sums[2 * index]}/${sums[2 * index + 1]}`),
  }));
}

const fenceSchema = z.record(z.string(), z.string());

/** A fence as it was written; an empty one for what is none. */
export function readFence(text: string | null | undefined): Readonly<Record<string, string>> {
  const parsed = fenceSchema.safeParse(JSON.parse(text ?? "{}"));
  return parsed.success ? parsed.data : {};
}

/** Text of the first row's first column. */
export function single({ rows }: StatementResult): string | null {
  return rows[0]?.[0] ?? null;
}

/**
 * How many rows a DML statement changed; those of its clauses that it does not have count nothing.
 * https://docs.snowflake.com/en/sql-reference/sql/merge#examples shows the columns.
 */
export function changes({ columns, rows }: StatementResult): { inserted: number; updated: number; deleted: number } {
  const count = (verb: string): number => {
    const position = columns.findIndex((column) => column.name.toLowerCase() === `number of rows ${verb}`);
    return position === -1 ? 0 : Number(rows[0]?.[position] ?? 0);
  };
  return { inserted: count("inserted"), updated: count("updated"), deleted: count("deleted") };
}
