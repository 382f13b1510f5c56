/** What verifications found, and when each table was last proven equal to its source. */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { TableVerification } from "../core/verification.ts";
import { durably } from "./database.ts";

/** Verifications of a table that are kept. */
const KEPT = 100;

export interface VerificationRecord {
  readonly at: Date;
  readonly snapshot: string;
  readonly tables: readonly TableVerification[];
}

const key = z.union([z.number(), z.string(), z.null()]);
const keys = z.union([key, z.array(key)]);
const differences = z.array(z.object({ key_from: keys, key_to: keys, columns: z.array(z.string()) }));

const verificationState = z.object({
  name: z.string(),
  /** Of the last verification. */
  at: z.string(),
  equal: z.number().transform((value) => value === 1),
  rows_source: z.number().int(),
  rows_stage: z.number().int(),
  /** Of the rows of the stage table: deleted in the source, and left to verifications (`delete_check: verify`). */
  deletes_deferred: z.number().int(),
  differences: z.string().transform((text) => differences.parse(JSON.parse(text))),
  /** The source's instant of the last verification that found the table equal; null if none did. */
  proven_at: z.string().nullable(),
});

/** How a table stands since its last verification. */
export type VerificationState = z.output<typeof verificationState>;

export function recordVerification(database: DatabaseSync, { at, snapshot, tables }: VerificationRecord): void {
  durably(database, () => {
    const insert = database.prepare(`
      INSERT INTO verifications (at, name, snapshot, equal, rows_source, rows_stage, rows_changed_since, deletes_deferred, seconds, differences)
      VALUES ($at, $name, $snapshot, $equal, $rows_source, $rows_stage, $rows_changed_since, $deletes_deferred, $seconds, $differences)`);
    const forget = database.prepare(`
      DELETE FROM verifications WHERE name = $name AND id <= (
        SELECT id FROM verifications WHERE name = $name ORDER BY id DESC LIMIT 1 OFFSET ${KEPT})`);
    for (const { equal, differences: found, deletes_deferred = 0, ...table } of tables) {
      const { name, rows_source, rows_stage, rows_changed_since, seconds } = table;
      insert.run({
        at: at.toISOString(),
        name,
        snapshot,
        equal: equal ? 1 : 0,
        rows_source,
        rows_stage,
        rows_changed_since,
        deletes_deferred,
        seconds,
        differences: JSON.stringify(found),
      });
      forget.run({ name });
    }
  });
}

/** The latest of each table, in order of names. */
export function latestVerifications(database: DatabaseSync): VerificationState[] {
  const rows = database
    .prepare(`
      SELECT name, at, equal, rows_source, rows_stage, deletes_deferred, differences,
        (SELECT snapshot FROM verifications AS good WHERE good.name = one.name AND good.equal = 1 ORDER BY id DESC LIMIT 1) AS proven_at
      FROM verifications AS one WHERE id = (SELECT max(id) FROM verifications WHERE name = one.name) ORDER BY name`)
    .all();
  return rows.map((row) => verificationState.parse(row));
}
