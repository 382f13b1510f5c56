/** What a sync mode decides for one table of a batch. */
import type { Since } from "../source/source.ts";

export interface TablePlan {
  /** `replace`: what was read is the table. `merge`: it is added or changed by primary key. */
  readonly action: "replace" | "merge";
  /** Only part of the rows; undefined reads the whole table. */
  readonly since?: Since | undefined;
  /**
   * Where the keys come from by which vanished rows are found: the rows themselves (when the whole table was read),
   * a reading of all keys, or nowhere (rows stay although the source has deleted them).
   */
  readonly keys: "rows" | "all-keys" | "none";
}
