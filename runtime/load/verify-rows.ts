/** Rows of both sides, held against each other one by one: which keys differ, and how. */
import type { DifferenceKind } from "../core/verification.ts";
import type { FingerprintRow } from "../manifest/fingerprint.ts";
import type { SourceRow } from "../source/fingerprint.ts";

export interface RowDifference {
  readonly key: FingerprintRow["key"];
  readonly is: DifferenceKind;
  /** Positions of the columns whose values differ; undefined for all. */
  readonly columns?: readonly number[] | undefined;
}

interface Held {
  readonly key: FingerprintRow["key"];
  readonly values: FingerprintRow["values"];
  /** Rows of the source that have not changed since the stage table's batch. */
  old: number;
  /** Rows that have. */
  changed: number;
  /** Rows of the stage table. */
  stage: number;
}

/** Compares a set of rows: first all of the source's, then all of the stage table's. Rows of the source that have changed since are let be. */
export class RowComparison {
  readonly #keyed: boolean;
  readonly #rows = new Map<string, Held>();
  readonly differences: RowDifference[] = [];
  /** Only in the stage table: either deleted from the source since, or never there. */
  readonly suspects: RowDifference[] = [];

  /** @param keyed whether rows are known by a key; else by all their values, and may stand there several times */
  constructor(keyed: boolean) {
    this.#keyed = keyed;
  }

  takeSource(rows: readonly SourceRow[]): void {
    for (const { key, values, changed } of rows) {
      const name = JSON.stringify(key);
      let held = this.#rows.get(name);
      if (!held) this.#rows.set(name, (held = { key, values, old: 0, changed: 0, stage: 0 }));
      if (changed) held.changed += 1;
      else held.old += 1;
    }
  }

  takeStage(rows: readonly FingerprintRow[]): void {
    for (const { key, values } of rows) {
      const held = this.#rows.get(JSON.stringify(key));
      if (!held) this.suspects.push({ key, is: "extra" });
      else {
        held.stage += 1;
        if (this.#keyed) this.#compare(held, values);
        else if (held.stage > held.old + held.changed) this.suspects.push({ key, is: "extra" });
      }
    }
  }

  #compare(held: Held, values: FingerprintRow["values"]): void {
    if (held.stage > 1) this.differences.push({ key: held.key, is: "twice" });
    else if (held.changed === 0) {
      const columns = values.flatMap((value, index) => (value === held.values[index] ? [] : [index]));
      if (columns.length > 0) this.differences.push({ key: held.key, is: "changed", columns });
    }
  }

  /** To be called once, after all rows. */
  finish(): void {
    for (const { key, old, stage } of this.#rows.values()) {
      for (let missing = stage; missing < old; missing++) this.differences.push({ key, is: "missing" });
    }
    this.#rows.clear();
  }
}
