/** Snowflake's complaint about SQL that a user wrote, told in the user's own text. */
import { NovaError } from "../../core/errors.ts";
import { locate } from "../sql-text.ts";
import type { DriverFailure } from "./driver-failure.ts";
import type { Statement, Step } from "./statement.ts";

const ROLES: Partial<Record<Step, string>> = { model: "the model", hook: "a hook", query: "the query" };

/** What the user wrote in it, as a noun; undefined for the adapter's own statements. */
export function userRole({ step }: Statement): string | undefined {
  return ROLES[step];
}

interface Place {
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly token: string;
}

/** @returns MODEL_SQL_FAILED with line, column and token of the user's text in its details, as far as Snowflake says or names them */
export function userSqlError(failure: DriverFailure, statement: Statement, role: string): NovaError {
  const { number, sqlState, queryId } = failure.facts;
  const summary = summaryOf(failure.message);
  const place = placeOf(failure.message, statement);
  const where = place ? `, at line ${place.line}, column ${place.column} ("${place.token}")` : "";
  return new NovaError("MODEL_SQL_FAILED", `Snowflake refused ${role}${where}: ${summary}`, {
    cause: failure,
    remedy: number === 8 ? "Leave one statement." : "Correct the SQL there.",
    details: { number, sqlState, queryId, engineMessage: summary, ...place },
  });
}

/** Without the place, which counts in the text that was sent, and on one line. */
export function summaryOf(message: string): string {
  return message
    .replace(/^SQL (?:compilation|execution) error:\s*/i, "")
    .replace(/^error line \d+ at position -?\d+\s*/i, "")
    .replaceAll(/\bline \d+ at position -?\d+ /g, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
}

/**
 * Where in the user's text the error is. Snowflake counts lines from 1 and characters from 0 in the whole of what was sent; some of its
 * messages only name an object or a function, which is looked for.
 */
function placeOf(message: string, { sql, prefix = "" }: Statement): Place | undefined {
  const written = sql.slice(prefix.length);
  const said = /\bline (\d+) at position (\d+)/.exec(message);
  const place = said ? inUserText({ line: Number(said[1]), column: Number(said[2]) + 1 }, prefix) : undefined;
  const token = place ? tokenAt(written, place) : undefined;
  if (place && token !== undefined) return { ...place, token };
  const subject = subjectOf(message);
  return subject === undefined ? undefined : locate({ written, sent: written, subject });
}

function inUserText({ line, column }: Omit<Place, "token">, prefix: string): Omit<Place, "token"> | undefined {
  const before = prefix.split("\n");
  const own = line - before.length + 1;
  const shift = own === 1 ? (before.at(-1)?.length ?? 0) : 0;
  return own < 1 || column - shift < 1 ? undefined : { line: own, column: column - shift };
}

function tokenAt(written: string, { line, column }: Omit<Place, "token">): string | undefined {
  const rest = written.split("\n")[line - 1]?.slice(column - 1);
  const match = /^(?:"((?:[^"]|"")+)"|[\p{L}_][\p{L}\p{N}_$]*|\S)/u.exec(rest ?? "");
  return match?.[1] ?? match?.[0]?.toLowerCase();
}

/** The last part of the name that a message complains of. */
function subjectOf(message: string): string | undefined {
  const quoted = /(?:invalid identifier|unexpected|Unknown function|\w+) '([^']+)'/i.exec(message)?.[1];
  const named = quoted ?? /Unknown (?:user-defined |table )?function (\S+)/i.exec(message)?.[1];
  return named
    ?.split(".")
    .at(-1)
    ?.replaceAll(/^"|"$|\(.*$/g, "");
}
