/** Runs SQL that a user wrote, and says in the user's own text where it failed. */
import { NovaError } from "../../core/errors.ts";
import { EngineError, isConflict, resourceError } from "./engine-error.ts";
import { locate } from "../sql-text.ts";

export interface UserStatement {
  /** As the user wrote it. */
  readonly written: string;
  /** What the engine was sent. */
  readonly sent: string;
  /** What stands before the user's part in it. */
  readonly prefix: string;
  /** What it is, for the message: "the model", "a pre-hook". */
  readonly role: string;
}

/** @returns what to throw for an error of the engine: MODEL_SQL_FAILED with the likely place as details */
export function userSqlError(thrown: unknown, { written, sent, prefix, role }: UserStatement): unknown {
  if (!(thrown instanceof EngineError) || isConflict(thrown)) return thrown;
  const general = resourceError(thrown, `running ${role}`);
  if (general) return general;
  const { position, subject, summary, kind } = thrown.facts;
  const before = Buffer.byteLength(prefix);
  const place = locate({
    written,
    sent: sent.slice(prefix.length),
    position: position === undefined || position < before ? undefined : position - before,
    subject,
  });
  const where = place ? `, at line ${place.line}, column ${place.column} ("${place.token}")` : "";
  return new NovaError("MODEL_SQL_FAILED", `DuckDB refused ${role}${where}: ${summary}`, {
    cause: thrown,
    remedy: "Correct the SQL there; models are written in Snowflake's dialect.",
    details: { kind, engineMessage: summary, ...place },
  });
}
