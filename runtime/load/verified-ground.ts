/** What a batch leaves in the watermark so that a verification can tell later which rows have changed since. */
import type { SourceSnapshot } from "../source/source.ts";
import type { Watermark } from "../warehouse/warehouse.ts";

/** @param rows that the source's table had, if they were counted */
export function shownBy({ horizon }: SourceSnapshot, rows: number | undefined): Watermark["fence"] {
  return { horizon, ...(rows === undefined ? {} : { rows: String(rows) }) };
}

/** What the batch saw that the stage table is as of. */
export interface VerifiedGround {
  /** Row versions behind this horizon (as SourceSnapshot has it) may be newer than the batch; undefined if it did not say. */
  readonly changedSince: string | undefined;
  /** Rows that the source's table had. */
  readonly rows: number | undefined;
}

export function groundOf({ fence }: Watermark): VerifiedGround {
  const { horizon, rows } = fence as Partial<Record<string, string>>;
  const known = (text: string | undefined, form: RegExp) => (text !== undefined && form.test(text) ? text : undefined);
  const count = known(rows, /^\d+$/);
  return {
    changedSince: known(horizon, /^\d+(?::\d+(?:,\d+)*)?$/),
    rows: count === undefined ? undefined : Number(count),
  };
}
