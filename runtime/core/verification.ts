/** The result of a verification: the document that `verify --json` prints. Other programs rely on these words. */
import type { ErrorReport } from "./errors.ts";
import type { WarehouseUsage } from "./result.ts";

/** A value of a key: a number where the key's column holds whole numbers that JSON's readers keep exactly, else text. */
export type KeyValue = number | string | null;

/** One key: its value, or those of its columns in their order. */
export type Key = KeyValue | readonly KeyValue[];

export interface Difference {
  /** The keys between which rows differ; null where no key can be named. */
  readonly key_from: Key;
  readonly key_to: Key;
  /** In which columns; all of them for rows that only one side has. */
  readonly columns: readonly string[];
}

/** `changed`: both sides have the row. `missing`: the stage table lacks it. `extra`: the source has none. `twice`: it stands in the stage table more than once. */
export type DifferenceKind = "changed" | "missing" | "extra" | "twice";

export interface DifferingKey {
  readonly key: Key;
  readonly is: DifferenceKind;
  readonly columns: readonly string[];
}

export interface TableVerification {
  readonly name: string;
  /** As of the verification's snapshot. */
  readonly rows_source: number;
  readonly rows_stage: number;
  /** Rows of the source that have changed since the stage table's batch, and so cannot be compared. */
  readonly rows_changed_since: number;
  /**
   * Rows that are only in the stage table because its deletes are left to verifications (`delete_check: verify`): gone from the source, and no batch
   * looks for them. They are differences, `extra` among the keys. Absent where there are none.
   */
  readonly deletes_deferred?: number | undefined;
  readonly equal: boolean;
  readonly differences: readonly Difference[];
  /** The first of the keys that differ; absent where none does. */
  readonly keys?: readonly DifferingKey[] | undefined;
  readonly seconds: number;
}

export interface Repaired {
  readonly name: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

export interface VerificationResult {
  readonly equal: boolean;
  /** The source's instant that was compared, ISO 8601 in UTC. */
  readonly snapshot: string | null;
  readonly seconds: number;
  readonly tables: readonly TableVerification[];
  /** What the comparison used, without the repair; absent where nothing is billed. */
  readonly usage?: WarehouseUsage | undefined;
  /** What was found before the repair, and what the repair did; absent without one. */
  readonly repair?:
    | {
        readonly batch_id: number;
        readonly found: readonly TableVerification[];
        readonly tables: readonly Repaired[];
      }
    | undefined;
  readonly error?: ErrorReport | undefined;
}
