/** Rows of SHOW as a result. */
import { MAX_VARCHAR } from "../../../../runtime/manifest/warehouse-type.ts";
import { STATEMENT_TYPES, type Outcome } from "../result.ts";
import { rowType } from "../types.ts";

/** A row by the names of its columns, as they are to be given. */
export type ShownRow = Readonly<Record<string, string | null | Date>>;

/** All others are texts. */
const TIMESTAMPS = new Set(["created_on", "started_on", "resumed_on", "updated_on"]);

export function shown(rows: readonly ShownRow[], names: readonly string[]): Outcome {
  const columns = names.map((name) =>
    rowType(
      name,
      TIMESTAMPS.has(name) ? { kind: "timestamp_ltz", precision: 3 } : { kind: "varchar", length: MAX_VARCHAR },
    ),
  );
  const cells = rows.map((row) => names.map((name) => text(row[name] ?? null)));
  return { columns, rows: cells, statementType: STATEMENT_TYPES.show };
}

function text(value: string | null | Date): string | null {
  return value instanceof Date ? (value.getTime() / 1000).toFixed(3) : value;
}

/** LIKE of SHOW takes no account of capitals. */
export function pattern(like: string): RegExp {
  const source = like.replaceAll(/\\(.)|[.*+?^${}()|[\]\\]|%|_/gs, (all, escaped) =>
    typeof escaped === "string"
      ? escaped.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
      : all === "%"
        ? ".*"
        : all === "_"
          ? "."
          : `\\${all}`,
  );
  return new RegExp(`^${source}$`, "is");
}
